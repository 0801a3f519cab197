//! The words of actions, read and written.

use super::*;

#[test]
fn every_action_reads_back_as_written() {
    for text in [
        "accept",
        "hold",
        "hold 1",
        "hold then next",
        "hold 9 then next",
        "next",
        "next then fail",
        "fail",
        "link_down",
    ] {
        assert_eq!(text.parse::<Action>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_action_is_refused_with_the_grammar() {
    for text in [
        "",
        "hold 0",
        "hold 10",
        "hold then",
        "hold 1 next",
        "next then",
        "drop",
        "hold 1 then next please",
    ] {
        let error = text.parse::<Action>().unwrap_err().to_string();
        assert!(error.contains("hold [1-9] [then next]"), "{error}");
    }
}
