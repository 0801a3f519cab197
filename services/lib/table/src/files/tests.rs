//! What reading a directory promises.

use std::{fs, path::Path};

use super::{Files, READS_MAX, directory::read_still, fingerprint, read};

fn write(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
    fs::write(path, text).expect("it is written");
}

#[test]
fn only_files_of_the_table_are_read() {
    let dir = tempfile::tempdir().expect("a directory");
    for path in [
        "table.toml",
        "README.md",
        "rates/a.csv",
        "rates/.a.csv.swp",
        "rates/.b.csv",
        "rates/a.csv~",
        "notes/x.csv",
    ] {
        write(dir.path(), path, path);
    }
    let files = read(dir.path()).expect("readable");
    assert_eq!(files.get("rates/a.csv"), Some(&b"rates/a.csv"[..]));
    let names: Vec<_> = files.folder("rates").map(|(name, ..)| name).collect();
    assert_eq!(names, ["a"]);
    assert_eq!(files.get("README.md"), None);
}

/// As a volume of Kubernetes has it, whose keys know no folders.
#[test]
fn files_of_folders_may_stand_flat_and_make_the_same_table() {
    let (dir, flat) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    for path in ["table.toml", "rates/atlas.csv", "sell/acme.eu.csv", "sets/vip.txt"] {
        write(dir.path(), path, path);
        write(flat.path(), &path.replace('/', "."), path);
    }
    write(flat.path(), "rates.csv", "no carrier's");
    let (deep, files) = (read(dir.path()), read(flat.path()));
    assert_eq!(deep, files);
    assert!(files.expect("readable").strays().is_empty());
    let before = fingerprint(flat.path());
    write(flat.path(), "rates.borealis.csv", "");
    assert_ne!(before, fingerprint(flat.path()));
}

#[test]
fn a_file_that_stands_flat_and_in_its_folder_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "rates/atlas.csv", "");
    write(dir.path(), "rates.atlas.csv", "");
    let said = read(dir.path()).expect_err("which of the two?").to_string();
    assert!(
        said.starts_with("rates.atlas.csv:1: error[T009]: stands beside rates/atlas.csv"),
        "{said}"
    );
}

#[test]
fn a_missing_directory_is_told() {
    let problems = read(Path::new("/nowhere/at/all")).expect_err("there is nothing");
    let said = problems.to_string();
    assert_eq!(
        said,
        "/nowhere/at/all: error[T001]: is not a directory; name the one that holds table.toml"
    );
}

#[test]
fn a_file_in_the_place_of_a_directory_is_told_in_one_line() {
    let dir = tempfile::tempdir().expect("a directory");
    for path in ["table.toml", "rates/atlas.csv"] {
        write(dir.path(), path, "");
        let file = dir.path().join(path);
        let said = read(&file).expect_err("it is a file").to_string();
        let (file, dir) = (file.display(), dir.path().display());
        assert_eq!(
            said,
            format!("{file}: error[T001]: is not a directory; a table is one, name {dir}")
        );
    }
}

#[test]
fn names_that_are_nearly_those_of_a_table_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let near = [
        ("policy.toml", "policies.toml"),
        ("carrier.toml", "carriers.toml"),
        ("quality.CSV", "quality.csv"),
        ("Table.toml", "table.toml"),
        ("numbers.csv", "numbering.csv"),
        ("rates/atlas.CSV", "rates/atlas.csv"),
        ("rate/atlas.csv", "rates"),
        ("SETS/vip.txt", "sets"),
    ];
    let other = [
        "README.md",
        "policies.toml.orig",
        "policies.toml~",
        ".policy.toml.swp",
        "recipients.csv",
        "rates/NOTES.md",
        "rates/.atlas.CSV",
        "notes/x.csv",
        "sell/acme.csv",
        "cases.toml",
    ];
    let paths = near.iter().map(|(path, _)| path).chain(&other);
    paths.for_each(|path| write(dir.path(), path, ""));
    let files = read(dir.path()).expect("readable");
    let said = files.strays();
    let mut wanted =
        near.map(|(path, meant)| (path.trim_end_matches("/atlas.csv").trim_end_matches("/vip.txt"), meant));
    wanted.sort_unstable();
    let found: Vec<(&str, String)> = said
        .iter()
        .map(|problem| (&*problem.place.file, problem.help.clone()))
        .collect();
    assert_eq!(
        found,
        wanted.map(|(path, meant)| (path, format!("did you mean \"{meant}\"?")))
    );
}

#[test]
fn versions_and_fingerprints_follow_the_files() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "table.toml", "a");
    let before = (read(dir.path()).expect("readable").version(), fingerprint(dir.path()));
    write(dir.path(), "README.md", "not of the table");
    assert_eq!(
        before,
        (read(dir.path()).expect("readable").version(), fingerprint(dir.path()))
    );
    // One that was meant to be of the table is looked at, and changes nothing.
    write(dir.path(), "policy.toml", "");
    let beside = (read(dir.path()).expect("readable").version(), fingerprint(dir.path()));
    assert!(before.0 == beside.0 && before.1 != beside.1);
    write(dir.path(), "rates/a.csv", "");
    let after = (read(dir.path()).expect("readable").version(), fingerprint(dir.path()));
    assert!(beside.0 != after.0 && beside.1 != after.1);
}

/// Writes a file after each of the first two readings: the third is of one moment.
#[test]
fn a_directory_that_changes_is_read_again() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "table.toml", "a");
    let mut readings = 0;
    let files = read_still(dir.path(), || {
        readings += 1;
        if readings < READS_MAX {
            write(dir.path(), "table.toml", &"b".repeat(1 + readings as usize));
        }
    });
    assert_eq!(
        (readings, files.expect("it held still").get("table.toml")),
        (READS_MAX, Some(&b"bbb"[..]))
    );
}

#[test]
fn a_file_that_vanishes_while_it_is_read_is_read_as_gone() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "table.toml", "a");
    write(dir.path(), "rates/a.csv", "a");
    let files = read_still(dir.path(), || drop(fs::remove_file(dir.path().join("rates/a.csv"))));
    assert_eq!(files.expect("it held still").get("rates/a.csv"), None);
}

#[test]
fn a_directory_that_never_holds_still_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut text = String::new();
    let problems = read_still(dir.path(), || {
        text += "x";
        write(dir.path(), "table.toml", &text);
    });
    let problems = problems.expect_err("it changed each time").to_string();
    assert!(
        problems.contains(":1: error[T001]: changed each of the 3 times it was read"),
        "{problems}"
    );
    assert_eq!(text.len(), READS_MAX as usize);
}

#[test]
fn files_are_written_as_they_were_read() {
    let (dir, copy) = (
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    );
    for path in ["table.toml", "rates/a.csv", "sets/b.txt"] {
        write(dir.path(), path, path);
    }
    let files = read(dir.path()).expect("readable");
    files.write(&copy.path().join("kept")).expect("writable");
    assert_eq!(read(&copy.path().join("kept")), Ok(files));
}

#[test]
fn only_files_of_a_table_are_gathered() {
    let gather = |paths: &[&str]| Files::gather(paths.iter().map(|path| ((*path).to_owned(), Vec::new())));
    let found = gather(&["table.toml", "rates/atlas.csv", "sets/vip.txt"]).unwrap();
    assert_eq!(
        found.iter().map(|(path, _)| path).collect::<Vec<_>>(),
        ["rates/atlas.csv", "sets/vip.txt", "table.toml"]
    );
    for path in [
        "../table.toml",
        "/etc/passwd",
        "rates/../../a.csv",
        "rates/.csv",
        "rates/a.txt",
        "rates/a/b.csv",
        "readme.md",
        "",
    ] {
        let error = gather(&[path]).unwrap_err();
        assert!(error.contains(&format!("{path:?}")), "{error}");
    }
    assert_eq!(
        gather(&["table.toml", "table.toml"]).unwrap_err(),
        "table.toml comes twice"
    );
}
