//! What is told of cases that fail.

use super::{CASES_TOLD, Unproven, VALUES_CHARS_MAX, prove};
use crate::files::Files;

/// A table of one carrier with these cases.
fn table(cases: &str) -> Files {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"\n");
    files.insert("carriers.toml", "[[carrier]]\nname = \"a\"\ncurrency = \"EUR\"\n");
    files.insert("policies.toml", "");
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
    );
    files.insert("rates/a.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.04,,\n");
    files.insert(
        "cases.toml",
        format!("[defaults]\nat = \"2026-11-21T12:00:00Z\"\n{cases}"),
    );
    files
}

fn case(name: &str, expected: &str) -> String {
    format!("[[case]]\nname = \"{name}\"\nto = \"33612345678\"\n{expected}\n")
}

fn refused(cases: &str) -> String {
    match prove(&table(cases)) {
        Err(failed @ Unproven::Failed(_)) => failed.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_table_whose_cases_pass_or_that_has_none_is_made() {
    let (made, _) = prove(&table(&case("one", "cost = \"0.04\""))).expect("its case passes");
    assert_eq!(made.version(), table(&case("one", "cost = \"0.04\"")).version());
    prove(&table("")).expect("nothing is expected");
}

#[test]
fn a_failed_case_is_told_with_what_was_expected_and_found() {
    let told = refused(&case("one", "cost = \"0.05\""));
    let line = "cases.toml:3: case \"one\" fails: cost expected 0.050000, found 0.040000\n";
    assert!(told.starts_with(line), "{told}");
    assert!(told.contains("1 of 1 case failed"), "{told}");
}

#[test]
fn the_first_failed_cases_are_told_and_all_are_counted() {
    let cases: String = (0..20)
        .map(|at| case(&format!("case {at}"), "cost = \"0.05\""))
        .collect();
    let told = refused(&cases);
    assert_eq!(told.lines().count(), CASES_TOLD + 1, "{told}");
    assert!(told.contains("20 of 20 cases failed"), "{told}");
}

#[test]
fn neither_numbers_nor_texts_are_told_and_lists_are_cut() {
    let tags: Vec<String> = (0..200).map(|at| format!("\"tag-{at}\"")).collect();
    let tags = tags.join(", ");
    let told = refused(&case(
        "one",
        &format!("sent = {{ to = \"33699999999\", text = \"hello\" }}\ncopies = [\"33688888888\"]\ntags = [{tags}]"),
    ));
    for hidden in ["33612345678", "33699999999", "33688888888", "hello"] {
        assert!(!told.contains(hidden), "{told}");
    }
    assert!(told.contains("sent.to is not as expected"), "{told}");
    assert!(told.contains("tag-0") && told.contains('…'), "{told}");
    assert!(told.len() < 3 * VALUES_CHARS_MAX, "{told}");
}

#[test]
fn mistakes_are_told_before_any_case_is_run() {
    let mut files = table(&case("one", "cost = \"0.05\""));
    files.insert("policies.toml", "this is no table");
    assert!(matches!(prove(&files), Err(Unproven::Invalid(_))));
}
