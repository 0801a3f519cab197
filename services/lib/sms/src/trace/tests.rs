//! Examples and refusals of W3C Trace Context, level 1, section 3.2.

use proptest::prelude::*;

use super::*;

const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn parse(text: &str) -> Option<(TraceContext, bool)> {
    TraceContext::parse(text.as_bytes())
}

#[test]
fn the_example_of_the_standard_is_read_and_written() {
    let (context, is_sampled) = parse(EXAMPLE).unwrap();
    assert_eq!(context.trace.get(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_eq!(context.span.get(), 0x00f0_67aa_0ba9_02b7);
    assert!(is_sampled);
    assert_eq!(context.to_string(), EXAMPLE);
}

#[test]
fn only_the_lowest_flag_says_that_a_trace_is_recorded() {
    let sampled = |flags: &str| parse(&format!("{}{flags}", &EXAMPLE[..53])).unwrap().1;
    assert_eq!(
        ["00", "01", "02", "03", "fe", "ff"].map(sampled),
        [false, true, false, true, false, true]
    );
}

#[test]
fn a_later_version_may_say_more_and_this_one_may_not() {
    assert!(parse(&format!("{EXAMPLE}-more")).is_none());
    let later = EXAMPLE.replacen("00", "cc", 1);
    assert_eq!(parse(&later), parse(EXAMPLE));
    assert_eq!(parse(&format!("{later}-more")), parse(EXAMPLE));
    assert!(parse(&format!("{later}more")).is_none());
    assert!(parse(&format!("{later}.")).is_none());
}

#[test]
fn what_the_standard_forbids_is_refused() {
    let forbidden = [
        "",
        "00",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
        "00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01",
    ];
    for text in forbidden {
        assert_eq!(parse(text), None, "{text}");
    }
}

proptest! {
    /// Writes any two ids both ways and reads them back.
    #[test]
    fn every_context_is_read_as_it_was_written(trace in 1..=u128::MAX, span in 1..=u64::MAX) {
        let context = TraceContext { trace: NonZeroU128::new(trace).unwrap(), span: NonZeroU64::new(span).unwrap() };
        prop_assert_eq!(parse(&context.to_string()), Some((context, true)));
        prop_assert_eq!(TraceContext::from_octets(&context.to_octets()), Some(context));
    }

    /// Reads any octets.
    #[test]
    fn nothing_that_a_caller_writes_does_harm(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = TraceContext::parse(&octets);
        let _ = TraceContext::from_octets(&octets);
    }
}
