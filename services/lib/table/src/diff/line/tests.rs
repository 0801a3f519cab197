//! What the line says, and what it leaves out.

use crate::{diff::diff, files::Files};

fn table(policies: &str, price: &str) -> Files {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"\n");
    files.insert("carriers.toml", "[[carrier]]\nname = \"a\"\ncurrency = \"EUR\"\n");
    files.insert("policies.toml", policies);
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
    );
    let rates = format!("mcc,mnc,prefix,price,from,until\n208,,,{price},,\n");
    files.insert("rates/a.csv", rates);
    files
}

fn line(old: &Files, new: &Files) -> String {
    diff(old, new).expect("both are sound").line()
}

#[test]
fn groups_are_counted_and_few_names_are_told() {
    let old = table("", "0.04");
    let policies: String = (0..50)
        .map(|at| format!("[[policy]]\nname = \"p{at:02}\"\nmatch = {{ account = \"x{at}\" }}\nreject = \"no\"\n"))
        .collect();
    let told = line(&old, &table(&policies, "0.05"));
    assert_eq!(
        told,
        "policies 50 added (p00, p01, p02 and 47 more); rates of a (1 raised)"
    );
    assert_eq!(line(&old, &old), "no difference");
}

#[test]
fn neither_numbers_nor_texts_are_told() {
    let copies = "[[policy]]\nname = \"p\"\nrewrite = { text = \"hello\" }\ncopy = { to = [\"33688888888\"] }\n";
    let mut new = table(copies, "0.04");
    new.insert("ported.csv", "msisdn,mcc,mnc\n33612345678,208,10\n");
    assert_eq!(
        line(&table("", "0.04"), &new),
        "policies 1 added (p); ported numbers 1 added"
    );
}
