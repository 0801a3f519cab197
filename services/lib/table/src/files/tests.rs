//! What reading a directory promises.

use std::{fs, path::Path};

use super::{fingerprint, read};

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

#[test]
fn a_missing_directory_is_told() {
    let problems = read(Path::new("/nowhere/at/all")).expect_err("there is nothing");
    assert!(problems.to_string().contains("is not a directory"), "{problems}");
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
    write(dir.path(), "rates/a.csv", "");
    let after = (read(dir.path()).expect("readable").version(), fingerprint(dir.path()));
    assert!(before.0 != after.0 && before.1 != after.1);
}
