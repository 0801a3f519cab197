//! The accounts file: what it may say, and what a change of it does.

use std::fs;

use super::{reload::Look, *};

fn parse(text: &str) -> Result<(Accounts, Problems), Problems> {
    Accounts::empty(&Dice::seeded(1)).parse("accounts.toml", text, Path::new("."))
}

const GOOD: &str = "[[account]]\nname = \"acme\"\nkeys = [\"0123456789abcdef\", \"fedcba9876543210\"]\nin_flight = 5\n";

#[test]
fn each_key_of_an_account_finds_it() {
    let (accounts, problems) = parse(GOOD).unwrap();
    assert!(problems.is_empty(), "{problems}");
    let directory = Directory::new(accounts);
    for key in ["0123456789abcdef", "fedcba9876543210"] {
        let (hash, account) = directory.find(key).unwrap();
        assert_eq!(
            (account.name.as_str(), account.in_flight_max, account.segments_max),
            ("acme", 5, 10)
        );
        assert!(Arc::ptr_eq(&account, &directory.find_again(&hash).unwrap()));
    }
    assert!(matches!(
        directory.find("0123456789abcdeF"),
        Err(Refusal::Unauthenticated(_))
    ));
}

#[test]
fn a_disabled_account_is_told_so() {
    let (accounts, _) = parse(&format!("{GOOD}enabled = false\n")).unwrap();
    assert!(matches!(
        Directory::new(accounts).find("0123456789abcdef"),
        Err(Refusal::Disabled(_))
    ));
}

#[test]
fn every_problem_is_reported_at_its_line() {
    let text = "[[account]]\nname = \"Acme\"\nkeys = [\"with space in the key\"]\nin_flight = 0\n\
                [[account]]\nname = \"b\"\nkeys = \"0123456789abcdef\"\nsegments_max = 256\nlimit = 1\n\
                [[account]]\nname = \"b\"\nkeys = \"0123456789abcdef\"\n\
                [[account]]\nname = \"c\"\n";
    let problems = parse(text).unwrap_err().to_string();
    for wanted in [
        "accounts.toml:2: error[A007]: \"account.name\" is refused: account \"Acme\" contains 'A'",
        "accounts.toml:3: error[A007]: \"account.keys\" has 21 octets, allowed are 1 to 256 printable ones",
        "accounts.toml:4: error[A005]: \"account.in_flight\" is 0, allowed are 1 to 1000000",
        "accounts.toml:8: error[A005]: \"account.segments_max\" is 256, allowed are 1 to 255",
        "accounts.toml:9: error[A002]: unknown key \"account.limit\"",
        "accounts.toml:11: error[A009]: \"account.name\" \"b\" stands on line 5 already",
        "accounts.toml:12: error[A009]: \"account.keys\" has a key that account b has already",
        "accounts.toml:13: error[A003]: \"account.keys\" is missing",
    ] {
        assert!(problems.contains(wanted), "{wanted}\n--\n{problems}");
    }
    assert!(!problems.contains("0123456789abcdef"), "keys are not repeated");
}

#[test]
fn short_keys_are_warned_about() {
    let (_, problems) = parse("[[account]]\nname = \"a\"\nkeys = \"short\"\n").unwrap();
    assert!(problems.to_string().contains("warning[A020]"), "{problems}");
}

#[test]
fn a_changed_file_is_taken_over_and_counts_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.toml");
    fs::write(&file, GOOD).unwrap();
    let (accounts, _) = Accounts::empty(&Dice::seeded(1)).read(&file).unwrap();
    let directory = Directory::new(accounts);
    let before = directory.find("0123456789abcdef").unwrap().1;
    let permits = before.in_flight.take(3, 5);
    assert_eq!(directory.look(&file), Look::Same);

    fs::write(&file, GOOD.replace("in_flight = 5", "in_flight = 4")).unwrap();
    assert_eq!(directory.look(&file), Look::Swapped);
    let after = directory.find("0123456789abcdef").unwrap().1;
    assert_eq!((after.in_flight_max, after.in_flight.used()), (4, 3));
    drop(permits);
    assert_eq!(after.in_flight.used(), 0);
}

#[test]
fn a_wrong_or_missing_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.toml");
    fs::write(&file, GOOD).unwrap();
    let directory = Directory::new(Accounts::empty(&Dice::seeded(1)).read(&file).unwrap().0);
    for wrong in ["[[account]]\nname = 1\n", "not toml", ""] {
        fs::write(&file, wrong).unwrap();
        assert!(matches!(directory.look(&file), Look::Refused(_)), "{wrong}");
        assert!(directory.find("0123456789abcdef").is_ok());
    }
    fs::remove_file(&file).unwrap();
    assert!(matches!(directory.look(&file), Look::Refused(_)));
    assert!(directory.find("0123456789abcdef").is_ok());
}

#[test]
fn keys_may_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key"), "0123456789abcdef\n").unwrap();
    let file = folder.path().join("accounts.toml");
    fs::write(&file, "[[account]]\nname = \"a\"\nkeys = { file = \"key\" }\n").unwrap();
    let (accounts, _) = Accounts::empty(&Dice::seeded(1)).read(&file).unwrap();
    assert!(Directory::new(accounts).find("0123456789abcdef").is_ok());
}
