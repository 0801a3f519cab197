//! What is measured when little is said.

use clap::Parser as _;

use super::*;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn buses(words: &str) -> Vec<Bus> {
    let words = ["bench"].into_iter().chain(words.split_whitespace());
    Line::parse_from(words).args.settled().bus
}

#[test]
fn the_log_that_is_asked_for_is_measured_and_else_both_or_quickly_the_embedded_one() {
    assert_eq!(buses(""), [Bus::Embedded, Bus::Kafka]);
    assert_eq!(buses("--quick"), [Bus::Embedded]);
    assert_eq!(buses("--quick --bus kafka"), [Bus::Kafka]);
    assert_eq!(buses("--bus kafka"), [Bus::Kafka]);
}
