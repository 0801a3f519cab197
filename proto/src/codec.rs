//! The codec of every service: protobuf, with a bound on how many values one message may be made of.
//!
//! A limit on octets does not bound memory: an empty entry of a list is two octets on the wire and hundreds once decoded, so
//! a request of a few megabytes could take hundreds. Counting the fields first costs a pass over their keys and lengths.

use std::marker::PhantomData;

use bytes::Buf;
use prost::{
    Message,
    encoding::{DecodeContext, decode_key, skip_field},
};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::{ProstDecoder, ProstEncoder};

/// Fields at the top of one message, each entry of a list counted: several times what any service asks for.
pub const FIELDS_MAX: usize = 2_000;

/// Encodes and decodes the messages of a service.
#[derive(Clone, Debug)]
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

/// Decodes messages of up to [`FIELDS_MAX`] fields.
#[derive(Debug)]
pub struct BoundedDecoder<U>(ProstDecoder<U>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(ProstDecoder::default())
    }
}

impl<U: Message + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        // The transport hands over a whole message in one piece.
        if has_too_many_fields(buf.chunk()) {
            let what = format!("request has over {FIELDS_MAX} fields or list entries, send it in smaller ones");
            return Err(Status::invalid_argument(what));
        }
        self.0.decode(buf)
    }
}

/// Whether `octets` begin with more fields than allowed. What is no protobuf is left for the decoder to refuse.
fn has_too_many_fields(mut octets: &[u8]) -> bool {
    let buf = &mut octets;
    let mut fields = 0;
    while buf.has_remaining() {
        fields += 1;
        let skipped = decode_key(buf).and_then(|(tag, wire)| skip_field(wire, tag, buf, DecodeContext::default()));
        if skipped.is_err() || fields > FIELDS_MAX {
            break;
        }
    }
    fields > FIELDS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted_before_they_are_decoded() {
        let entry = [0x12, 0x00];
        assert!(!has_too_many_fields(&entry.repeat(FIELDS_MAX)));
        assert!(has_too_many_fields(&entry.repeat(FIELDS_MAX + 1)));
        assert!(!has_too_many_fields(&[]));
    }

    #[test]
    fn what_is_no_protobuf_is_left_to_the_decoder() {
        for octets in [&[0xFF; 20][..], &[0x12, 0x7F, 0x00], &[0x07]] {
            assert!(!has_too_many_fields(octets), "{octets:?}");
        }
    }
}
