//! What readers promise: everything is reported, at its line, in words.

use std::time::Duration;

use crate::{Code, Document, Log, Place, SecretSource, duration, duration_text, nearest};

/// Reads `text` with `read` and gives back what was reported.
fn report(text: &str, read: impl FnOnce(&crate::Section<'_>)) -> String {
    let log = Log::new('X');
    if let Some(document) = Document::parse("x.toml", text, &log) {
        read(&document.root(&log));
    }
    log.into_problems().to_string()
}

#[test]
fn every_problem_is_reported_with_its_line() {
    let text = "a = 11\nb = \"slow\"\nc = \"1x\"\n[d]\nname = 3\nnmae = 4\n[[e]]\n[[e]]\nx = 1\n";
    let report = report(text, |root| {
        root.key("a").integer(1..=10);
        root.key("b").word(&[("slow_", 1), ("fast", 2)]);
        root.key("c").duration("1s", "1m");
        let section = root.key("d").section().expect("a table");
        section.key("name").string(5);
        for e in root.key("e").sections(5) {
            e.key("x").required().integer(0..=1);
        }
        root.key("f").required().boolean();
    });
    assert_eq!(
        report,
        "x.toml:1: error[X005]: \"a\" is 11, allowed are 1 to 10\n\
         x.toml:1: error[X003]: \"f\" is missing\n  help: add f = …\n\
         x.toml:2: error[X006]: \"b\" is \"slow\", allowed are slow_, fast\n  help: did you mean \"slow_\"?\n\
         x.toml:3: error[X007]: \"c\" is refused: \"1x\" is no duration, write a whole number and a unit: 250ms, 30s, 5m, 4h or 7d\n\
         x.toml:5: error[X004]: \"d.name\" is of type integer, wanted is a string in quotes\n\
         x.toml:6: error[X002]: unknown key \"d.nmae\"\n  keys known here: name\n  help: did you mean \"name\"?\n\
         x.toml:7: error[X003]: \"e.x\" is missing\n  help: add x = …"
    );
}

#[test]
fn syntax_errors_name_their_line() {
    assert_eq!(
        report("a = 1\na = 2\n", |_| ()).lines().next(),
        Some("x.toml:2: error[X008]: not valid TOML: duplicate key")
    );
}

#[test]
fn a_scalar_stands_for_a_list_of_one() {
    let text = "a = \"x\"\nb = [\"x\", \"y\"]\nc = [\"x\", 1]\n";
    let report = report(text, |root| {
        assert_eq!(root.key("a").list(2, |item| item.string(9)), Some(vec!["x".to_owned()]));
        assert_eq!(
            root.key("b").list(2, |item| item.string(9)).map(|list| list.len()),
            Some(2)
        );
        assert_eq!(
            root.key("c").list(2, |item| item.string(9)).map(|list| list.len()),
            Some(1)
        );
        assert_eq!(root.key("b").list(1, |item| item.string(9)), None);
    });
    assert!(report.contains("x.toml:3: error[X004]"), "{report}");
    assert!(report.contains("\"b\" has 2 entries, the limit is 1"), "{report}");
}

#[test]
fn secrets_have_three_forms() {
    let text = "a = \"s\"\nb = { env = \"B\" }\nc = { file = \"c\" }\nd = {}\ne = 1\n";
    let report = report(text, |root| {
        assert!(matches!(root.key("a").secret(), Some(SecretSource::Plain(secret)) if secret.reveal() == "s"));
        assert_eq!(root.key("b").secret(), Some(SecretSource::Env("B".to_owned())));
        assert_eq!(root.key("c").secret(), Some(SecretSource::File("c".into())));
        assert_eq!(root.key("d").secret(), None);
        assert_eq!(root.key("e").secret(), None);
        assert_eq!(format!("{:?}", root.key("a").secret()), "Some(Plain(***))");
    });
    assert_eq!(
        report.lines().filter(|line| line.contains("error")).count(),
        2,
        "{report}"
    );
}

#[test]
fn overrides_name_where_they_come_from() {
    let log = Log::new('X');
    let mut document = Document::parse("x.toml", "[bus]\nkind = \"embedded\"\n", &log).expect("is TOML");
    document.set(&["bus", "kind"], "kafka", "SIGNALBOX__BUS__KIND");
    document.set(&["bus", "window"], "70", "SIGNALBOX__BUS__WINDOW");
    let root = document.root(&log);
    let bus = root.key("bus").section().expect("a table");
    assert_eq!(bus.key("kind").string(9).as_deref(), Some("kafka"));
    assert_eq!(bus.key("window").integer(1..=50), None);
    drop((bus, root));
    assert_eq!(
        log.into_problems().to_string(),
        "SIGNALBOX__BUS__WINDOW: error[X005]: \"bus.window\" is 70, allowed are 1 to 50"
    );
}

#[test]
fn durations_read_back_as_written() {
    for text in ["0s", "250ms", "30s", "5m", "4h", "7d", "90s"] {
        assert_eq!(duration_text(duration(text).expect("a duration")), text);
    }
    assert_eq!(duration("1m"), Ok(Duration::from_secs(60)));
    for text in ["", "s", "1", "1.5s", "-1s", "1 s", "99999999999999999d"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn only_slips_are_guessed() {
    assert_eq!(nearest("stategy", ["strategy", "attempts"]), Some("strategy"));
    assert_eq!(nearest("colour", ["strategy", "attempts"]), None);
}

#[test]
fn whole_numbers_have_every_form_of_toml() {
    let text = "a = 1_000\nb = +5\nc = 0x10\nd = -7\ne = 9223372036854775808\nf = 0.5\n";
    let report = report(text, |root| {
        assert_eq!(root.key("a").integer(0..=2_000_u32), Some(1_000));
        assert_eq!(root.key("b").integer(0..=9_u8), Some(5));
        assert_eq!(root.key("c").integer(0..=99_i64), Some(16));
        assert_eq!(root.key("d").integer(-9..=9_i64), Some(-7));
        assert_eq!(root.key("e").integer(0..=9_u64), None);
        assert_eq!(root.key("f").number(0.0..=1.0), Some(0.5));
    });
    assert_eq!(
        report,
        "x.toml:5: error[X005]: \"e\" is 9223372036854775808, allowed are 0 to 9"
    );
}

/// A million bad rows in one file must not hide the one bad row of another, nor flood a terminal.
#[test]
fn many_alike_are_folded_and_counted() {
    let log = Log::new('X');
    for line in 1..=1_000 {
        log.error(crate::Place::file("a.csv").at(line), 7, format!("row {line}"), "", "");
        log.warning(crate::Place::file("a.csv").at(line), 30, format!("row {line}"), "", "");
        // Said twice, counted once.
        log.error(crate::Place::file("b.csv").at(5), 7, "the only one", "", "");
    }
    for file in 0..100 {
        log.warning(crate::Place::file(format!("w/{file:02}.csv")).at(1), 31, "odd", "", "");
    }
    let problems = log.into_problems();
    let text = problems.to_string();
    let lines = |wanted: &str| text.lines().filter(|line| line.contains(wanted)).count();
    assert_eq!((lines("a.csv:100: error"), lines("b.csv:5")), (1, 1), "{text}");
    assert_eq!(
        lines("a.csv:1000: error[X007]: and 900 more like it in this file, the last one here"),
        1,
        "{text}"
    );
    assert_eq!(
        lines("a.csv:1000: warning[X030]: and 990 more like it in this file"),
        1,
        "{text}"
    );
    assert_eq!(
        lines("w/30.csv:1: warning[X031]: 70 more of this code in this file and 69 other files, not shown"),
        1,
        "{text}"
    );
    assert_eq!(text.lines().last(), Some("and 1960 more, not shown"));
    assert_eq!(problems.count(crate::Severity::Error), 1_001);
    assert_eq!(problems.count(crate::Severity::Warning), 1_100);
}

/// Warnings that come first leave room for the error that stops the table.
#[test]
fn warnings_never_crowd_errors_out() {
    let log = Log::new('X');
    for code in 20..900 {
        for line in 1..=5 {
            log.warning(crate::Place::file("a.csv").at(line), code, "odd", "", "");
        }
    }
    log.error(crate::Place::file("z.csv").at(1), 7, "wrong", "", "");
    assert!(log.into_problems().to_string().contains("z.csv:1: error[X007]: wrong"));
}

#[test]
fn a_value_of_a_megabyte_is_not_repeated_whole() {
    let text = format!("a = \"{}\"\n", "é".repeat(500_000));
    let report = report(&text, |root| {
        root.key("a").parse(|text| Err::<(), _>(format!("\"{text}\" is long")));
    });
    assert!(report.len() < 5_000, "{}", report.len());
}

/// Editors mark the value, not the line.
#[test]
fn values_have_columns() {
    let log = Log::new('X');
    let document = Document::parse("x.toml", "[a]\nb = 1\n", &log).expect("is TOML");
    let root = document.root(&log);
    root.key("a").section().expect("a table").key("b").boolean();
    drop(root);
    let problems = log.into_problems();
    let places: Vec<_> = problems.iter().map(|one| (one.place.line, one.place.column)).collect();
    assert_eq!(places, [(2, 5)]);
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let log = Log::new('X');
    log.error(
        Place::file("a\nb.csv").at(2),
        Code::FORMAT,
        "price \x1b[31mred\x07",
        "one\ntwo\u{9b}",
        "é\t",
    );
    let report = log.into_problems().to_string();
    let wanted = "a\\nb.csv:2: error[X007]: price \\u{1b}[31mred\\u{7}\n  one\n  two\\u{9b}\n  help: é\\t";
    assert_eq!(report, wanted);
}
