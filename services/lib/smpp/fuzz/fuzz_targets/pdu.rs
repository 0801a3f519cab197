//! Octets of any peer, to both sides, unbound and bound: nothing panics, and how they are cut into reads changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp_fuzz::Watched;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, octets)) = input.split_first() else {
        return;
    };
    let start = || match choice & 3 {
        0 => Watched::client(),
        1 => Watched::server(),
        2 => Watched::bound(true),
        _ => Watched::bound(false),
    };
    let (mut whole, mut cut) = (start(), start());
    whole.hear(octets);
    for piece in octets.chunks(usize::from(choice >> 2) + 1) {
        cut.hear(piece);
    }
    let (whole, cut) = (whole.end(), cut.end());
    assert_eq!(whole.said, cut.said, "what is said depends on how octets were cut");
    assert_eq!(
        whole.written, cut.written,
        "what is written depends on how octets were cut"
    );
});
