//! What the commands print and how they exit.

use std::{
    cell::Cell,
    fs,
    io::{self, Read, Write},
    path::Path,
};

use serde_json::Value;
use sms::UnixMs;
use table::{Request, command};

/// A sound table in a directory of its own, with `carriers` as its carriers.toml.
fn dir(carriers: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |path: &str, text: &str| fs::write(dir.path().join(path), text).expect("it is written");
    write("table.toml", "name = \"t\"\ncurrency = \"EUR\"\n");
    write("carriers.toml", carriers);
    write("policies.toml", "");
    write("numbering.csv", "prefix,mcc,mnc,country,operator\n33,208,,FR,\n");
    fs::create_dir(dir.path().join("rates")).expect("it is made");
    write("rates/atlas.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.05,,\n");
    dir
}

const SOUND: &str = "[[carrier]]\nname = \"atlas\"\ncurrency = \"EUR\"\n";
const BROKEN: &str = "[[carrier]]\nname = \"atlas\"\ncurrency = \"EUR\"\nreceits = true\n";

fn to(number: &str) -> Request {
    Request {
        to: number.to_owned(),
        ..Request::default()
    }
}

#[test]
fn check_exits_1_with_every_problem_as_text_or_json() {
    let dir = dir(BROKEN);
    let text = command::check(dir.path(), false);
    assert_eq!(text.code, 1);
    assert!(
        text.stdout
            .starts_with("carriers.toml:4: error[T002]: unknown key \"carrier.receits\"\n"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.ends_with("1 error, 0 warnings\n"), "{}", text.stdout);
    let json = command::check(dir.path(), true);
    assert_eq!(json.code, 1);
    let problems: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let keys: Vec<&String> = problems[0].as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["code", "column", "file", "help", "line", "severity", "what", "why"]
    );
    assert!(
        json.stdout.starts_with(
            "[{\"file\":\"carriers.toml\",\"line\":4,\"column\":1,\"severity\":\"error\",\"code\":\"T002\","
        )
    );
}

#[test]
fn check_exits_0_when_all_is_fine() {
    let output = command::check(dir(SOUND).path(), false);
    assert_eq!(output.code, 0);
    assert!(
        output
            .stdout
            .starts_with("t is fine: 1 carrier, 1 rate, 1 numbering range, 0 policies, version "),
        "{output:?}"
    );
    assert_eq!(command::check(dir(SOUND).path(), true).stdout, "[]\n");
}

#[test]
fn a_directory_that_is_none_is_wrong_usage() {
    let nowhere = Path::new("/nowhere/at/all");
    assert_eq!(command::check(nowhere, false).code, 64);
    assert_eq!(command::explain(nowhere, to("33612345678"), true, UnixMs(0)).code, 64);
}

#[test]
fn explain_tells_bad_tables_from_bad_queries() {
    let broken = command::explain(dir(BROKEN).path(), to("33612345678"), true, UnixMs(0));
    assert_eq!(broken.code, 1);
    assert!(broken.stdout.starts_with("{\"problems\":[{\"file\":\"carriers.toml\","));
    assert!(broken.stderr.contains("error[T002]"));
    let query = command::explain(dir(SOUND).path(), to("x"), true, UnixMs(0));
    assert_eq!((query.code, query.stdout.as_str()), (64, ""));
    assert!(query.stderr.starts_with("error: to: "), "{}", query.stderr);
}

#[test]
fn a_batch_with_a_bad_line_exits_1_and_answers_all() {
    let (dir, mut output) = (dir(SOUND), Vec::new());
    let input = "{\"to\":\"33612345678\"}\nno\n{\"to\":\"44\"}";
    let done = command::explain_batch(dir.path(), input.as_bytes(), &mut output, UnixMs(0)).expect("memory");
    assert_eq!(done.code, 1);
    let text = String::from_utf8(output).expect("JSON is UTF-8");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["action"], "route");
    assert!(lines[1]["error"].is_string() && lines[2]["error"].is_string());
    let fine = command::explain_batch(
        dir.path(),
        &b"{\"to\":\"33612345678\"}\n"[..],
        &mut Vec::new(),
        UnixMs(0),
    );
    assert_eq!(fine.expect("memory").code, 0);
}

#[test]
fn what_is_no_object_is_refused_in_plain_words() {
    let (dir, mut output) = (dir(SOUND), Vec::new());
    command::explain_batch(dir.path(), &b"[]\n\n"[..], &mut output, UnixMs(0)).expect("memory");
    let text = String::from_utf8(output).expect("JSON is UTF-8");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let object = "no query: a query is one JSON object, such as {\"to\":\"33612345678\"}";
    assert_eq!((&lines[0]["error"], &lines[0]["line"]), (&object.into(), &1.into()));
    let blank = "no query: the line is blank";
    assert_eq!((&lines[1]["error"], &lines[1]["line"]), (&blank.into(), &2.into()));
}

/// Gives one line at a time, each only once all that came before is answered and flushed.
struct Waiting<'a> {
    left: u8,
    given: u8,
    flushed: &'a Cell<u8>,
}

impl Read for Waiting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert_eq!(self.flushed.get(), self.given, "lines answered before more is read");
        if self.left == 0 {
            return Ok(0);
        }
        self.left -= 1;
        self.given += 1;
        let line = b"{\"to\":\"33612345678\"}\n";
        buffer[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

/// Counts the lines that were flushed.
struct Counted<'a> {
    written: u8,
    flushed: &'a Cell<u8>,
}

impl Write for Counted<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.written += u8::try_from(buffer.iter().filter(|octet| **octet == b'\n').count()).expect("few");
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed.set(self.written);
        Ok(())
    }
}

#[test]
fn a_line_is_answered_before_the_next_is_waited_for() {
    for at_once in [1, 20] {
        let flushed = Cell::new(0);
        let input = Waiting {
            left: 3,
            given: 0,
            flushed: &flushed,
        };
        let output = Counted {
            written: 0,
            flushed: &flushed,
        };
        let answered = table::batch::answer(input, output, UnixMs(0), at_once, |asked| {
            Ok::<_, io::Error>(asked.iter().map(|_| "{}".to_owned()).collect())
        });
        assert_eq!((answered.expect("memory").lines, flushed.get()), (3, 3));
    }
}

#[test]
fn a_line_beyond_the_limit_is_answered_and_skipped() {
    let (dir, mut output) = (dir(SOUND), Vec::new());
    let input = format!(
        "{}\n{{\"to\":\"33612345678\"}}\n",
        "x".repeat(table::batch::LINE_OCTETS_MAX + 9)
    );
    let done = command::explain_batch(dir.path(), input.as_bytes(), &mut output, UnixMs(0)).expect("memory");
    let text = String::from_utf8(output).expect("JSON is UTF-8");
    assert_eq!((done.code, text.lines().count()), (1, 2));
    assert!(
        text.starts_with("{\"error\":\"the line is over 65536 octets\",\"line\":1}\n{\"to\":"),
        "{text}"
    );
}

/// The table of [`dir`] with two policies and a case for one of them.
fn tested(carrier: &str) -> tempfile::TempDir {
    let dir = dir(SOUND);
    let policies = "[[policy]]\nname = \"a\"\nmatch = { class = \"otp\" }\nroute = { attempts = 1 }\n\
                    [[policy]]\nname = \"b\"\nroute = { attempts = 2 }\n";
    let cases = format!("[[case]]\nname = \"one\"\nat = \"2026-11-21\"\nto = \"33612345678\"\n{carrier}\n");
    fs::write(dir.path().join("policies.toml"), policies).expect("it is written");
    fs::write(dir.path().join("cases.toml"), cases).expect("it is written");
    dir
}

#[test]
fn test_exits_1_for_failed_cases_and_for_thin_coverage() {
    let sound = tested("carrier = \"atlas\"");
    let fine = command::test(sound.path(), Some(50), false);
    assert_eq!(
        (fine.code, fine.stdout.as_str(), fine.stderr.as_str()),
        (
            0,
            "1 case passes\ncoverage 50 %: 1 of 2 policies applied\n  policies.toml:1: a applied in no case\n",
            ""
        )
    );
    let thin = command::test(sound.path(), Some(51), false);
    assert_eq!(
        (thin.code, thin.stderr.as_str()),
        (1, "coverage is 50 %, wanted are 51 %\n")
    );
    let failed = command::test(tested("no_route = true").path(), None, false);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(failed.stdout.starts_with("cases.toml:1: one\n"), "{failed:?}");
}

#[test]
fn test_tells_lost_cases_and_bad_tables_from_cases_that_pass() {
    let lost = command::test(dir(SOUND).path(), None, false);
    assert_eq!(
        (lost.code, lost.stderr.as_str()),
        (1, "there are no cases: add cases.toml\n")
    );
    let broken = command::test(dir(BROKEN).path(), None, false);
    assert_eq!((broken.code, broken.stdout.as_str()), (1, ""));
    assert!(broken.stderr.contains("error[T002]"), "{broken:?}");
    assert_eq!(command::test(Path::new("/nowhere/at/all"), None, false).code, 64);
}

#[test]
fn test_passes_in_json_as_it_exits() {
    let thin = command::test(tested("carrier = \"atlas\"").path(), Some(51), true);
    let report: Value = serde_json::from_str(&thin.stdout).expect("JSON");
    assert_eq!((thin.code, &report["passed"]), (1, &Value::Bool(false)));
    assert_eq!(report["fail_under"], 51);
    assert_eq!(report["reasons"][0], "coverage is 50 %, wanted are 51 %");
    let lost = command::test(dir(SOUND).path(), None, true);
    let report: Value = serde_json::from_str(&lost.stdout).expect("JSON");
    assert_eq!((lost.code, &report["passed"]), (1, &Value::Bool(false)));
    let broken = command::test(dir(BROKEN).path(), None, true);
    let report: Value = serde_json::from_str(&broken.stdout).expect("JSON");
    assert_eq!((broken.code, &report["problems"][0]["code"]), (1, &Value::from("T002")));
}

/// Asks every command about a table beside which lies `policy.toml`: one whose case passes, and one whose case fails.
#[test]
fn a_file_that_is_not_read_is_told_once_whatever_is_asked() {
    let warning = "policy.toml:1: warning[T046]: is not read";
    for expected in ["carrier = \"atlas\"", "no_route = true"] {
        let dir = tested(expected);
        let dir = dir.path();
        fs::write(dir.join("policy.toml"), "").expect("it is written");
        let query = &b"{\"to\":\"33612345678\"}\n"[..];
        let batch = command::explain_batch(dir, query, io::sink(), UnixMs(0)).expect("memory takes it");
        let diff = command::diff(dir, dir, command::DiffForm::default());
        let outputs = [
            (command::check(dir, false), 1),
            (command::explain(dir, to("33612345678"), true, UnixMs(0)), 1),
            (batch, 1),
            (command::test(dir, None, false), 1),
            (diff, 2),
        ];
        for (output, times) in outputs {
            let said = format!("{}{}", output.stdout, output.stderr);
            assert_eq!(said.matches(warning).count(), times, "{said}");
        }
        let files = table::files::read(dir).expect("readable");
        let said = match table::cases::prove(&files) {
            Ok((_, warnings)) => warnings.to_string(),
            Err(failed) => failed.to_string(),
        };
        assert_eq!(said.matches(warning).count(), 1, "{said}");
    }
}

#[test]
fn an_unsound_table_tells_what_was_not_read_among_its_problems() {
    let (unsound, sound) = (dir(BROKEN), dir(SOUND));
    fs::write(unsound.path().join("policy.toml"), "").expect("it is written");
    let outputs = [
        command::explain(unsound.path(), to("33612345678"), false, UnixMs(0)),
        command::test(unsound.path(), None, false),
        command::diff(sound.path(), unsound.path(), command::DiffForm::default()),
    ];
    for output in outputs {
        let told = output.stderr.matches("[T046]").count();
        assert_eq!((output.code, told), (1, 1), "{output:?}");
    }
}

#[test]
fn test_speaks_json() {
    let output = command::test(tested("carriers = [\"atlas\"]\npolicy = \"a\"").path(), None, true);
    let report: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!((output.code, &report["passed"]), (1, &Value::Bool(false)));
    assert_eq!(report["cases"][0]["failures"][0]["key"], "policy");
    assert_eq!(report["cases"][0]["failures"][0]["found"][0], "b");
    assert_eq!(report["cases"][0]["explanation"]["policy"], "b");
    assert_eq!(report["coverage"]["percent"], 50);
    assert_eq!(report["coverage"]["uncovered"][0]["policy"], "a");
}

#[test]
fn diff_exits_0_for_sound_tables_and_1_for_an_unsound_one() {
    let (old, new) = (dir(SOUND), dir(SOUND));
    let plain = command::DiffForm::default();
    let same = command::diff(old.path(), new.path(), plain);
    assert_eq!((same.code, same.stdout.as_str()), (0, "no difference\n"));
    fs::write(
        new.path().join("rates/atlas.csv"),
        "mcc,mnc,prefix,price,from,until\n208,,,0.06,,\n",
    )
    .expect("it is written");
    let other = command::diff(old.path(), new.path(), plain);
    assert_eq!(other.code, 0);
    let line = "  raised   mcc 208 FR: 0.050000 -> 0.060000 (+20.0 %)\n";
    assert!(other.stdout.ends_with(line), "{}", other.stdout);
    let asked = command::DiffForm {
        exit_code: true,
        ..plain
    };
    assert_eq!(command::diff(old.path(), new.path(), asked).code, 1);
    assert_eq!(command::diff(old.path(), old.path(), asked).code, 0);
    let broken = command::diff(old.path(), dir(BROKEN).path(), plain);
    assert_eq!((broken.code, broken.stdout.as_str()), (1, ""));
    let path = "/carriers.toml:4: error[T002]";
    assert!(broken.stderr.contains(path), "{broken:?}");
    let unsound = dir(BROKEN);
    let both = command::diff(unsound.path(), unsound.path(), asked);
    assert_eq!((both.code, both.stderr.matches(path).count()), (64, 2), "{both:?}");
    let json = command::DiffForm { json: true, ..plain };
    let both = command::diff(unsound.path(), unsound.path(), json);
    let found: Value = serde_json::from_str(&both.stdout).expect("JSON");
    assert_eq!((both.code, &found["problems"][0]["side"]), (1, &Value::from("old")));
    assert_eq!(found["problems"][1]["side"], "new");
    assert_eq!(found["problems"][1]["code"], "T002");
    assert_eq!(command::diff(Path::new("/nowhere/at/all"), new.path(), plain).code, 64);
}

#[test]
fn diff_in_json_is_complete() {
    let (old, new) = (dir(SOUND), dir(SOUND));
    let rows: String = (0..30).map(|at| format!(",,336{at:02},0.06,,\n")).collect();
    fs::write(
        new.path().join("rates/atlas.csv"),
        format!("mcc,mnc,prefix,price,from,until\n{rows}"),
    )
    .expect("it is written");
    let form = command::DiffForm {
        json: true,
        ..command::DiffForm::default()
    };
    let output = command::diff(old.path(), new.path(), form);
    let diff: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(diff["differs"], true);
    assert_eq!(diff["rates"][0]["added"], 30);
    let changes = diff["rates"][0]["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 31);
    assert_eq!(changes[0]["kind"], "removed");
    assert_eq!(changes[1]["key"], "prefix 33600");
}
