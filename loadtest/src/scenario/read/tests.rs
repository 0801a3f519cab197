//! What a scenario may say, and what is refused.

use super::{
    super::spec::{Change, Figure, Goal},
    *,
};
use crate::row::Bound;

const LEAST: &str = "length = \"10s\"\n[[load]]\nclass = \"otp\"\nrate = 10\n";

/// What is said of `text`.
fn refused(text: &str) -> String {
    match parse("storm.toml", "storm", text) {
        Ok(scenario) => panic!("{scenario:?} was read from\n{text}"),
        Err(problems) => problems.to_string(),
    }
}

/// [`LEAST`] with more lines before its load.
fn with(lines: &str) -> String {
    let (first, rest) = LEAST.split_once('\n').unwrap();
    format!("{first}\n{lines}\n{rest}")
}

#[track_caller]
fn assert_refused(text: &str, words: &[&str]) {
    let said = refused(text);
    for words in words {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn length_and_a_load_are_enough() {
    let scenario = parse("storm.toml", "storm", LEAST).unwrap();
    assert_eq!(
        (&*scenario.name, scenario.bus, scenario.seed),
        ("storm", Bus::Embedded, 1)
    );
    assert_eq!(scenario.carriers.len(), 3);
    let load = &scenario.loads[0];
    assert_eq!(
        (load.span.from, load.span.until),
        (Duration::ZERO, Duration::from_secs(10))
    );
    assert_eq!(
        (load.arrivals, &load.segments[..], load.rate),
        (Arrivals::Poisson, &[1][..], [10.0; 2])
    );
    assert!(scenario.goals.is_empty() && scenario.lookup.is_none());
}

#[test]
fn an_event_changes_what_it_names_and_nothing_else() {
    let text = with(
        "[lookup]\nported = 0.2\n[[carrier]]\nname = \"atlas\"\nreceipt = \"1s\"\nrate = 50\n\
         [[event]]\nfrom = \"2s\"\nuntil = \"4s\"\ncarrier = \"atlas\"\nanswer = \"3s\"\n\
         [[event]]\nfrom = \"4s\"\ncarrier = \"atlas\"\nlinks = \"cut\"\n\
         [[event]]\nlookup = { answer = \"900ms\" }",
    );
    let scenario = parse("storm.toml", "storm", &text).unwrap();
    let [slow, cut, lookup] = &scenario.events[..] else {
        panic!("{:?}", scenario.events)
    };
    let Change::Carrier(0, behaviour) = &slow.change else {
        panic!("{slow:?}")
    };
    let second = |count| crate::smsc::Delay::fixed(Duration::from_secs(count));
    assert_eq!((behaviour.answer, behaviour.receipt_delay), (second(3), second(1)));
    assert_eq!(behaviour.throughput, Some(50));
    assert!(matches!(cut.change, Change::LinksCut(0)));
    assert_eq!(cut.span.until, scenario.length);
    assert!(matches!(lookup.change, Change::LookUp(manner) if manner.answer == Duration::from_millis(900)));
    assert_eq!(scenario.lookup.unwrap().manner.answer, Duration::from_millis(20));
}

#[test]
fn goals_name_their_messages_and_their_bounds() {
    let text = with("[slo]\nthroughput = 9\nmemory_mb = 300\n[slo.otp]\np99 = \"1s\"\ndelivered = 0.99");
    let goals = parse("storm.toml", "storm", &text).unwrap().goals;
    let expected = [
        (None, Figure::Throughput, Bound::AtLeast(9.0)),
        (None, Figure::Memory, Bound::AtMost(300.0)),
        (Some(Class::Otp), Figure::Delivered, Bound::AtLeast(0.99)),
        (Some(Class::Otp), Figure::P99, Bound::AtMost(1_000.0)),
    ];
    assert_eq!(
        goals,
        expected.map(|(class, figure, bound)| Goal { class, figure, bound })
    );
}

#[test]
fn a_refusal_names_file_line_key_and_what_is_allowed() {
    assert_refused(
        &with("[[carrier]]\nname = \"atlas\"\nerrors = 2"),
        &["storm.toml:4: error[S005]: \"carrier.errors\" is 2, allowed are 0 to 1"],
    );
    assert_refused(
        &with("bus = \"carrier pigeon\""),
        &["storm.toml:2: error[S006]", "embedded, kafka"],
    );
    assert_refused(
        "length = 10",
        &["storm.toml:1: error[S004]: \"length\"", "\"load\" is missing"],
    );
    assert_refused("length =", &["storm.toml:1: error[S008]: not valid TOML"]);
    assert_refused(
        &with("[[carrier]]\nname = \"atlas\"\nanswer = \"soon\""),
        &["storm.toml:4:", "write 20ms, 5ms..50ms, or exp:200ms for a mean"],
    );
}

#[test]
fn a_word_that_nobody_knows_is_refused_with_the_nearest_one() {
    assert_refused(
        &with("warmup = \"1s\""),
        &[
            "storm.toml:2: error[S002]: unknown key \"warmup\"",
            "did you mean \"warm_up\"?",
        ],
    );
    assert_refused(
        &LEAST.replace("rate", "rat"),
        &["unknown key \"load.rat\"", "\"load.rate\" is missing"],
    );
    assert_refused(&with("[slo.otp]\np90 = \"1s\""), &["unknown key \"slo.otp.p90\""]);
    assert_refused(&with("[table]\nattempt = 2"), &["did you mean \"attempts\"?"]);
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    let atlas = "[[carrier]]\nname = \"atlas\"\n";
    let event = "[[event]]\ncarrier = \"atlas\"\nlinks = \"cut\"\n";
    for (lines, words) in [
        (format!("{atlas}{atlas}"), "atlas stands twice"),
        (
            format!("{atlas}[[event]]\ncarrier = \"cirrus\"\n"),
            "is \"cirrus\", there are atlas",
        ),
        (format!("{atlas}{event}{event}"), "meets another event of the same"),
        (
            "[[event]]\nlookup = { answer = \"1s\" }".to_owned(),
            "add a section [lookup]",
        ),
        (
            format!("{atlas}[[event]]\nfrom = \"5s\"\nuntil = \"5s\"\ncarrier = \"atlas\""),
            "is 5s, from is 5s",
        ),
        (
            format!("{atlas}[[event]]\nuntil = \"11s\"\ncarrier = \"atlas\""),
            "is 11s, from is 0s and the length 10s",
        ),
        ("warm_up = \"10s\"".to_owned(), "leaves nothing of the length"),
        (
            "[slo.promotional]\ndelivered = 1".to_owned(),
            "is about messages that no load sends",
        ),
    ] {
        assert_refused(&with(&lines), &[words]);
    }
    assert_refused(
        &format!("{LEAST}segments = 2\ntext = \"hello\""),
        &["stands beside text"],
    );
    assert_refused(&format!("{LEAST}burst = 9"), &["is for bursts alone"]);
    assert_refused(&format!("{LEAST}arrivals = \"bursts\""), &["\"load.burst\" is missing"]);
    assert_refused(&LEAST.replace("rate = 10", "rate = [1, 2, 3]"), &["has 3 numbers"]);
    assert_refused(&LEAST.replace("rate = 10", "rate = 0"), &["makes 0 messages"]);
    assert_refused(
        &LEAST.replace("\"10s\"", "\"4h\"").replace("rate = 10", "rate = 5000"),
        &["makes 72000000 messages"],
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problems = read(Path::new("/nowhere/storm.toml")).unwrap_err().to_string();
    assert!(problems.contains("/nowhere/storm.toml: error[S001]"), "{problems}");
}
