//! PDUs written and read on one core, as a session does.

use std::hint::black_box;

use anyhow::{Context as _, Result, ensure};
use bytes::BytesMut;
use connector::probe;
use serde::Serialize;
use smpp::{
    Status, Submit,
    codec::{self, Said},
};

use super::messages;
use crate::rate::Rate;

/// Octets written before they are handed on, as a session hands on what came of one batch; what is read is read in such pieces.
const PIECE_OCTETS: usize = 64 * 1024;

/// What it takes to write and to read.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Codec {
    /// PDUs of each kind in a round.
    pub(crate) pdus: usize,
    /// Mean octets of a `submit_sm`.
    pub(crate) submit_octets: f64,
    pub(crate) submit_written: Rate,
    pub(crate) submit_read: Rate,
    pub(crate) reply_written: Rate,
    pub(crate) reply_read: Rate,
}

/// Writes `pdus` PDUs of each kind in a round and reads as many.
///
/// # Errors
/// A PDU is not read as it was written.
pub(super) fn codec(pdus: usize, rounds: usize) -> Result<Codec> {
    let submits = probe::submits(messages::orders()?);
    let ids: Vec<String> = (0..submits.len()).map(|at| format!("{:016x}", at * 7_919)).collect();
    let (mut requests, mut replies) = (BytesMut::new(), BytesMut::new());
    for (sequence, (submit, id)) in (1..).zip(submits.iter().zip(&ids)) {
        codec::write_submit(&mut requests, sequence, submit)?;
        codec::write_submit_reply(&mut replies, sequence, Status::ROK, id)?;
    }
    ensure_alike(&requests, &submits)?;
    let write_submit = |out: &mut BytesMut, at: usize| {
        let written = codec::write_submit(out, at as u32, &submits[at % submits.len()]);
        written.expect("it was written before");
    };
    let write_reply = |out: &mut BytesMut, at: usize| {
        let written = codec::write_submit_reply(out, at as u32, Status::ROK, &ids[at % ids.len()]);
        written.expect("it was written before");
    };
    Ok(Codec {
        pdus,
        submit_octets: requests.len() as f64 / submits.len() as f64,
        submit_written: written(pdus, rounds, write_submit),
        submit_read: read(pdus, rounds, &requests),
        reply_written: written(pdus, rounds, write_reply),
        reply_read: read(pdus, rounds, &replies),
    })
}

fn ensure_alike(octets: &BytesMut, submits: &[Submit]) -> Result<()> {
    let mut octets = octets.clone();
    for submit in submits {
        let (_, said) = codec::read(&mut octets).context("a submit_sm is not whole")?;
        ensure!(
            said == Said::Submit(submit.clone()),
            "a submit_sm is read otherwise than written"
        );
    }
    Ok(())
}

fn written(pdus: usize, rounds: usize, write: impl Fn(&mut BytesMut, usize)) -> Rate {
    let mut out = BytesMut::with_capacity(2 * PIECE_OCTETS);
    Rate::of(pdus, rounds, || {
        for at in 0..pdus {
            write(&mut out, at);
            if out.len() >= PIECE_OCTETS {
                black_box(&out);
                out.clear();
            }
        }
    })
}

/// Reads `pdus` of the PDUs in `octets`, which come in pieces as from a socket and are copied once, as a session does.
fn read(pdus: usize, rounds: usize, octets: &[u8]) -> Rate {
    Rate::of(pdus, rounds, || {
        let (mut partial, mut left) = (BytesMut::new(), pdus);
        while left > 0 {
            for piece in octets.chunks(PIECE_OCTETS) {
                partial.extend_from_slice(piece);
                while left > 0
                    && let Some(said) = codec::read(&mut partial)
                {
                    black_box(said);
                    left -= 1;
                }
            }
        }
    })
}
