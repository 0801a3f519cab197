//! Whatever lies in a table's directory, loading it ends soon with a precise word, and the table in force stays in force.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{ffi::OsStr, fs, os::unix, path::Path, process::Command};

use table::{LiveTable, Severity, files};

const BASE: &str = include_str!("golden/base.txt");

/// A sound table in a directory of its own.
fn sound() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for section in BASE.split("=== ").skip(1) {
        let (path, body) = section.split_once('\n').unwrap();
        write(dir.path(), path, body.as_bytes());
    }
    dir
}

fn write(dir: &Path, path: &str, content: &[u8]) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A sound table is in force, then `spoil` spoils its directory: what loading it says.
#[track_caller]
fn refused(spoil: impl FnOnce(&Path)) -> String {
    let dir = sound();
    let live = LiveTable::new(table::load(dir.path()).unwrap().0);
    let version = live.snapshot().version().to_owned();
    spoil(dir.path());
    let problems = table::load(dir.path()).expect_err("it is spoilt");
    assert!(problems.has_errors());
    assert_eq!(live.snapshot().version(), version);
    problems.to_string()
}

/// As [`refused`], with `content` in place of the file at `path`; each of `wanted` is said.
#[track_caller]
fn says(path: &str, content: &[u8], wanted: &[&str]) {
    let report = refused(|dir| write(dir, path, content));
    for wanted in wanted {
        assert!(report.contains(wanted), "wanted: {wanted}\nfound: {report}");
    }
    // Nobody reads more than a screen or two of it.
    assert!(report.len() < 20_000, "{} octets", report.len());
}

const RATES: &str = "mcc,mnc,prefix,price,from,until\n";

#[test]
fn a_line_of_ten_megabytes_is_refused_at_its_line() {
    let long = "x".repeat(10_000_000);
    let commas = ",".repeat(10_000_000);
    let row = |text: &str| format!("{RATES}208,01,,0.04,,\n{text}\n");
    says(
        "rates/atlas.csv",
        row(&long).as_bytes(),
        &["rates/atlas.csv:3: error[T007]: row has 1 fields"],
    );
    says(
        "rates/atlas.csv",
        row(&commas).as_bytes(),
        &["rates/atlas.csv:3: error[T007]: row has 10000001 fields"],
    );
    says(
        "rates/atlas.csv",
        row(&format!("208,01,,{long},,")).as_bytes(),
        &["rates/atlas.csv:3: error[T005]: field 4 has 10000000 octets, the limit is 256"],
    );
    says(
        "rates/atlas.csv",
        long.as_bytes(),
        &["rates/atlas.csv:1: error[T002]: unknown column"],
    );
    says(
        "carriers.toml",
        long.as_bytes(),
        &["carriers.toml:1: error[T005]: file has 10000000 octets, the limit is 4194304"],
    );
    says(
        "sets/x.txt",
        long.as_bytes(),
        &["sets/x.txt:1: error[T005]: entry has 10000000 octets, the limit is 256"],
    );
    let toml = format!(
        "[[policy]]\nname = \"{}\"\n{} = 1\n",
        &long[..1_000_000],
        &long[..1_000_000]
    );
    says(
        "policies.toml",
        toml.as_bytes(),
        &[
            "policies.toml:2: error[T005]: \"policy.name\" has 1000000 characters",
            "policies.toml:3: error[T002]",
        ],
    );
}

#[test]
fn latin_1_is_told_from_utf_8() {
    let plan = b"prefix,mcc,mnc,country,operator\n33,208,01,FR,T\xe9l\xe9com\n44,234,,GB,\n";
    says(
        "numbering.csv",
        plan,
        &[
            "numbering.csv:2: error[T008]: field 5 is not valid UTF-8",
            "help: save the file as UTF-8",
        ],
    );
    says(
        "policies.toml",
        b"# soign\xe9\n",
        &["policies.toml:1: error[T008]: not valid UTF-8"],
    );
    says(
        "sets/x.txt",
        b"a\n\xe9\n",
        &["sets/x.txt:2: error[T008]: not valid UTF-8"],
    );
}

#[test]
fn windows_lines_and_a_byte_order_mark_are_fine() {
    let dir = sound();
    for path in [
        "table.toml",
        "carriers.toml",
        "policies.toml",
        "numbering.csv",
        "rates/atlas.csv",
        "rates/borealis.csv",
        "rates/cirrus.csv",
    ] {
        let text = fs::read_to_string(dir.path().join(path)).unwrap();
        write(
            dir.path(),
            path,
            format!("\u{feff}{}", text.replace('\n', "\r\n")).as_bytes(),
        );
    }
    let (_, warnings) = table::load(dir.path()).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn prices_that_are_none_are_told_apart() {
    let prices = [
        ("1e3", "\"1e3\" has an exponent, write all its digits"),
        ("NaN", "\"NaN\" is no decimal number, write it like 0.0415"),
        ("inf", "\"inf\" is no decimal number"),
        ("-1", "\"-1\" is below zero"),
        (
            "0.1234567",
            "\"0.1234567\" has 7 places behind the point, the limit is 6",
        ),
        ("\"0,041\"", "\"0,041\" has a comma, write a point"),
        ("1000001", "\"1000001\" is above the limit of 1000000"),
        ("99999999999999999999999", "is above the limit of 1000000"),
        ("0x10", "\"0x10\" is no decimal number"),
        ("", "\"\" is no decimal number"),
    ];
    for (price, wanted) in prices {
        let wanted = format!("rates/atlas.csv:2: error[T007]: price is refused: {wanted}");
        let wanted = if price.len() > 20 {
            "is above the limit of 1000000"
        } else {
            &wanted
        };
        says(
            "rates/atlas.csv",
            format!("{RATES}208,01,,{price},,\n").as_bytes(),
            &[wanted],
        );
    }
}

#[test]
fn instants_zones_and_expressions_are_told_at_their_line() {
    let dated = |from: &str| format!("{RATES}208,01,,0.04,{from},\n").into_bytes();
    says(
        "rates/atlas.csv",
        &dated("2026-01-01T00:00:00"),
        &[":2: error[T007]: from is refused: \"2026-01-01T00:00:00\" has no time zone, write it in UTC with a Z"],
    );
    says(
        "rates/atlas.csv",
        &dated("2026-01-01T00:00:00+01:00"),
        &["is not in UTC"],
    );
    says("rates/atlas.csv", &dated("01.02.2026"), &["is neither a date like"]);
    let policy =
        |matches: &str| format!("[[policy]]\nname = \"a\"\nmatch = {{ {matches} }}\nreject = \"a\"\n").into_bytes();
    says(
        "policies.toml",
        &policy("days = \"mon\", timezone = \"Europe/Pariss\""),
        &["policies.toml:3: error[T007]", "\"Europe/Pariss\" is no IANA time zone"],
    );
    for pattern in [
        "(a{1000}){1000}",
        "((((a{99}){99}){99}){99}){99}",
        "\\\\w{1000}",
        "(\\\\pL{50}){50}",
    ] {
        says(
            "policies.toml",
            &policy(&format!("text = \"{pattern}\"")),
            &[
                "policies.toml:3: error[T005]: \"policy.match.text\" is a regular expression that takes more than 1048576 octets",
            ],
        );
    }
    // Five hundred are compiled, the others are refused unread.
    let many: String = (0..600)
        .map(|at| format!("[[policy]]\nname = \"{at}\"\nmatch = {{ text = \"a\" }}\nreject = \"a\"\n"))
        .collect();
    says(
        "policies.toml",
        many.as_bytes(),
        &["policies.toml:2003: error[T005]: \"policy.match.text\" is more than the 500 regular expressions"],
    );
}

#[test]
fn twins_and_contradictions_are_refused_with_both_lines() {
    let rows = format!(
        "{RATES}208,01,,0.04,,\n208,01,,0.05,,\n208,01,,0.05,2026-01-01,\n208,01,,0.05,2026-01-01T00:00:00Z,\n"
    );
    says(
        "rates/atlas.csv",
        rows.as_bytes(),
        &[
            "atlas.csv:3: error[T023]: network 20801 has two rates from one instant, the other in line 2",
            "atlas.csv:5: error[T023]",
        ],
    );
    says(
        "ported.csv",
        b"msisdn,mcc,mnc\n33612345678,208,01\n33612345678,208,10\n",
        &["ported.csv:3: error[T009]: number 33612345678 stands twice, first in line 2"],
    );
}

#[test]
fn an_open_quote_is_told_where_it_opens() {
    let rows = format!("{RATES}208,01,,\"0.04,,\n{}", "208,10,,0.05,,\n".repeat(1_000));
    says(
        "rates/atlas.csv",
        rows.as_bytes(),
        &["rates/atlas.csv:2: error[T008]: the quote that opens field 4 is not closed in its line"],
    );
}

/// Windows saves "Unicode" as UTF-16: every file is told so once, and nothing else is said of the table.
#[test]
fn utf_16_is_told_in_one_line_each() {
    let paths = [
        "policies.toml",
        "carriers.toml",
        "numbering.csv",
        "rates/atlas.csv",
        "sets/x.txt",
    ];
    let report = refused(|dir| {
        for path in paths {
            let text = fs::read_to_string(dir.join(path)).unwrap_or_default();
            let octets = std::iter::once('\u{feff}').chain(text.chars());
            let octets: Vec<u8> = octets.flat_map(|one| (one as u16).to_le_bytes()).collect();
            write(dir, path, &octets);
        }
    });
    let told: Vec<&str> = report.lines().filter(|line| !line.starts_with(' ')).collect();
    let wanted = [
        "carriers.toml",
        "numbering.csv",
        "policies.toml",
        "rates/atlas.csv",
        "sets/x.txt",
    ];
    assert_eq!(
        told,
        wanted.map(|path| format!("{path}:1: error[T008]: the file is UTF-16"))
    );
}

#[test]
fn links_that_lead_nowhere_or_to_themselves_are_refused() {
    let link = |from: &'static str, to: &'static str| {
        refused(move |dir| {
            let at = dir.join(to);
            let _ = fs::remove_file(&at);
            let _ = fs::remove_dir_all(&at);
            unix::fs::symlink(from, at).unwrap();
        })
    };
    let report = link("ported.csv", "ported.csv");
    assert!(
        report.starts_with("ported.csv:1: error[T001]: cannot be read: Too many levels of symbolic links"),
        "{report}"
    );
    let report = link("rates", "rates");
    assert!(
        report.starts_with("rates:1: error[T001]: cannot be read: Too many levels of symbolic links"),
        "{report}"
    );
    let report = link("nowhere.csv", "rates/dorado.csv");
    assert!(
        report.starts_with(
            "rates/dorado.csv:1: error[T001]: cannot be read: it is a link to something that is not there"
        ),
        "{report}"
    );
    let report = link("/dev/zero", "rates/dorado.csv");
    assert!(
        report.contains("it is a pipe, a socket or a device, and should be a file"),
        "{report}"
    );
    // A regular file by its kind, and nobody may read its first octet.
    let report = link("/proc/self/mem", "rates/dorado.csv");
    assert!(
        report.starts_with("rates/dorado.csv:1: error[T001]: cannot be read: "),
        "{report}"
    );
}

/// A folder that leads back to the table is followed no further than the table goes.
#[test]
fn a_loop_of_folders_is_not_walked() {
    let dir = sound();
    unix::fs::symlink("..", dir.path().join("rates/back")).unwrap();
    unix::fs::symlink(".", dir.path().join("sets")).unwrap();
    table::load(dir.path()).unwrap();
}

#[test]
fn a_pipe_is_refused_and_not_waited_for() {
    let report = refused(|dir| {
        let made = Command::new("mkfifo").arg(dir.join("senders.csv")).status().unwrap();
        assert!(made.success());
    });
    assert!(
        report.starts_with("senders.csv:1: error[T001]: cannot be read: it is a pipe"),
        "{report}"
    );
}

#[test]
fn folders_and_names_that_are_none_are_told() {
    let report = refused(|dir| {
        fs::create_dir(dir.join("quality.csv")).unwrap();
        let name = <OsStr as unix::ffi::OsStrExt>::from_bytes(b"atl\xe9.csv");
        fs::write(dir.join("rates").join(name), "").unwrap();
    });
    assert!(
        report.contains("quality.csv:1: error[T001]: cannot be read: it is a folder, and should be a file"),
        "{report}"
    );
    assert!(
        report.contains("rates:1: error[T001]: the name of \"atl\u{fffd}.csv\" is not UTF-8"),
        "{report}"
    );
    let report = refused(|dir| {
        fs::remove_dir_all(dir.join("rates")).unwrap();
        fs::write(dir.join("rates"), "").unwrap();
    });
    assert!(
        report.starts_with("rates:1: error[T001]: cannot be read: Not a directory"),
        "{report}"
    );
}

#[test]
fn sizes_beyond_the_limits_are_refused_unread() {
    let report = refused(|dir| {
        let file = fs::File::create(dir.join("ported.csv")).unwrap();
        file.set_len(files::FILE_OCTETS_MAX + 1).unwrap();
    });
    assert!(
        report.contains(
            "ported.csv:1: error[T001]: cannot be read: it has more than 536870912 octets, which is the limit"
        ),
        "{report}"
    );
    let report = refused(|dir| {
        for at in 0..=files::FOLDER_FILES_MAX {
            fs::write(dir.join(format!("rates/c{at}.csv")), "").unwrap();
        }
    });
    assert!(
        report.starts_with("rates:1: error[T005]: has more than 10000 files, which is the limit"),
        "{report}"
    );
}

/// Builds from memory, where no directory has counted the files: one sheet more than the compiled table can number.
#[test]
fn sheets_beyond_the_limit_are_refused_unread() {
    let mut files = files::read(sound().path()).unwrap();
    for at in 0..=u16::MAX {
        files.insert(format!("sell/a{at}.csv"), format!("{RATES}208,,,0.5,,\n"));
    }
    files.insert("sell/default.csv", RATES);
    let problems = table::build(&files).expect_err("there are too many").to_string();
    assert_eq!(
        problems.lines().next(),
        Some("sell:1: error[T005]: has 65537 sheets, the limit is 10000")
    );
}

/// Half a million bad rows in one file leave the one bad row of another in sight.
#[test]
fn a_flood_of_problems_is_bounded_and_counted() {
    let dir = sound();
    write(
        dir.path(),
        "rates/atlas.csv",
        format!("{RATES}{}", "208,01,,?,,\n".repeat(500_000)).as_bytes(),
    );
    write(
        dir.path(),
        "rates/borealis.csv",
        format!("{RATES}208,1,,0.04,,\n").as_bytes(),
    );
    let problems = table::load(dir.path()).expect_err("it is spoilt");
    let report = problems.to_string();
    assert!(report.contains("rates/borealis.csv:2: error[T007]"), "{report}");
    assert!(
        report.contains("rates/atlas.csv:500001: error[T007]: and 499900 more like it in this file, the last one here"),
        "{report}"
    );
    assert_eq!(report.lines().last(), Some("and 499900 more, not shown"));
    assert_eq!(problems.count(Severity::Error), 500_001);
}

/// Ten thousand policies, and a quarter of a million accounts each named by two of them and by no two others.
#[test]
fn names_and_policies_beyond_the_limit_are_refused_uncompiled() {
    const SIDE: usize = 500;
    let report = refused(|dir| {
        for set in 0..SIDE {
            let columns: String = (0..SIDE).map(|row| format!("a{row}-{set}\n")).collect();
            let rows: String = (0..SIDE).map(|column| format!("a{set}-{column}\n")).collect();
            write(dir, &format!("sets/c{set}.txt"), columns.as_bytes());
            write(dir, &format!("sets/r{set}.txt"), rows.as_bytes());
        }
        let policy = |at: usize, matches: &str| {
            format!("[[policy]]\nname = \"{at}\"\nmatch = {{ {matches} }}\ntag = \"t{at}\"\n")
        };
        let policies: String = (0..10_000)
            .map(|at| match at / SIDE {
                0 => policy(at, &format!("account = \"@c{at}\"")),
                1 => policy(at, &format!("account = \"@r{}\"", at - SIDE)),
                _ => policy(at, "class = \"otp\""),
            })
            .collect();
        write(dir, "policies.toml", policies.as_bytes());
    });
    let said = "policies.toml:1: error[T005]: 10000 policies tell 250002 groups of accounts, senders and places apart\n  \
                of so many policies the limit is 213722 groups: each takes 1256 octets";
    assert!(report.contains(said), "{report}");
}

/// Lists name a set of a million entries again and again: what that comes to is bounded.
#[test]
fn sets_named_everywhere_are_bounded() {
    let set: String = (0..200_000).map(|at| format!("a{at}\n")).collect();
    let policies: String = (0..150)
        .map(|at| format!("[[policy]]\nname = \"{at}\"\nmatch = {{ account = \"@big\" }}\ntag = \"t\"\n"))
        .collect();
    let report = refused(|dir| {
        write(dir, "sets/big.txt", set.as_bytes());
        write(dir, "policies.toml", policies.as_bytes());
    });
    assert!(
        report.contains("brings more than 4000000 entries of sets into the lists of this table"),
        "{report}"
    );
}
