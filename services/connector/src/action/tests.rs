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
        "unanswered",
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

#[test]
fn an_action_may_bring_the_word_of_its_cause() {
    let worded: WordedAction = "hold 1 then next as queue_full".parse().unwrap();
    assert_eq!(
        (worded.action.to_string().as_str(), worded.code),
        ("hold 1 then next", Some("queue_full"))
    );
    assert_eq!("fail".parse::<WordedAction>().unwrap().code, None);
    let unknown = "fail as weather".parse::<WordedAction>().unwrap_err().to_string();
    assert!(
        unknown.contains("\"weather\" is no cause, known are accepted, bad_number"),
        "{unknown}"
    );
    assert!("as refused".parse::<WordedAction>().is_err());
}

#[test]
fn every_word_of_the_default_map_is_known() {
    let words = <smpp::Status as crate::outcome::AnswerCode>::DEFAULTS
        .iter()
        .map(|(_, _, word)| word);
    assert!(words.clone().all(|word| CODES.contains(word)));
}
