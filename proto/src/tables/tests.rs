//! What is packed comes out again, and anything else is refused.

use proptest::{collection::vec, prelude::*};

use super::*;

proptest! {
    #[test]
    fn what_is_packed_comes_out_again(files in vec(("[a-z/.]{0,20}", vec(any::<u8>(), 0..500)), 0..20)) {
        let packed = pack(files.iter().map(|(path, content)| (path.as_str(), &content[..]))).unwrap();
        let found: Vec<_> = unpack(&packed).unwrap().into_iter().map(|(path, content)| (path, content.to_vec())).collect();
        prop_assert_eq!(found, files);
    }

    /// One octet of what was packed is another: gzip tells, or what comes out is the same.
    #[test]
    fn what_was_changed_is_refused(content in vec(any::<u8>(), 1..500), at in any::<prop::sample::Index>(), mask in 1_u8..) {
        let mut packed = pack([("table.toml", &content[..])].into_iter()).unwrap().to_vec();
        let at = at.index(packed.len());
        packed[at] ^= mask;
        if let Ok(files) = unpack(&packed) {
            prop_assert_eq!(&files[0].1[..], &content[..]);
        }
    }

    #[test]
    fn any_octets_are_refused_or_read(octets in vec(any::<u8>(), 0..200)) {
        let _ = unpack(&octets);
    }
}

/// A few octets of packed zeros come to more than there may be.
#[test]
fn what_comes_to_too_much_is_refused_before_it_is_held() {
    let zeros = vec![0; 100_000];
    let packed = pack([("a", &zeros[..])].into_iter()).unwrap();
    assert!(packed.len() < 1_000, "{}", packed.len());
    assert!(matches!(unpack_within(zeros.len(), &packed), Err(PackError::Unpacked)));
    assert!(unpack_within(zeros.len() + 100, &packed).is_ok());
}
