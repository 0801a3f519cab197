//! The comparison finds what it is there to find.

use super::*;
use crate::decide::{
    asks::Asks,
    scene::{Scene, Size},
};

fn scene() -> Scene {
    let size = Size {
        rows: 2_000,
        carriers: 2,
        policies: 100,
        seed: 3,
    };
    Scene::new(size).unwrap()
}

/// Compares the reference with its own table, and with one whose first carrier is 3 % cheaper.
#[test]
fn a_table_with_other_prices_is_told_apart() {
    let scene = scene();
    let asks = Asks::new(&scene, 500, 3).unwrap();
    let (queries, told) = (asks.queries(), asks.told());
    let reference = Reference::new(&scene);
    let (own, _) = table::build(&scene.files()).unwrap();
    let answers = compare(&own, &reference, &queries, &told).unwrap_or_else(|Difference(text)| panic!("{text}"));
    assert_eq!((answers.compared, answers.explained), (500, 500));

    let (cheaper, _) = table::build(&scene.repriced(scene.files())).unwrap();
    let Err(Difference(text)) = compare(&cheaper, &reference, &queries, &told) else {
        panic!("a cheaper carrier went unnoticed");
    };
    assert!(
        text.contains("\nquery: ") && text.contains("\nreference: ") && text.contains("\ntable: "),
        "{text}"
    );
}

/// Compares the reference with tables that differ in one thing that is done beside routing.
#[test]
fn a_table_that_acts_otherwise_is_told_apart() {
    let scene = scene();
    let asks = Asks::new(&scene, 5_000, 3).unwrap();
    let (queries, told) = (asks.queries(), asks.told());
    let reference = Reference::new(&scene);
    let files = scene.files();
    let policies = String::from_utf8(files.get("policies.toml").unwrap().to_vec()).unwrap();
    for (written, otherwise) in [
        ("+447700900123", "+447700900124"),
        ("BRAND", "BRANT"),
        ("There is news", "There are news"),
        ("+33612345678", "+33612345679"),
        ("\"always\"", "\"when_it_matters\""),
        ("quiet hours", "quiet time"),
        ("stop|", "halt|"),
    ] {
        let mut files = files.clone();
        files.insert("policies.toml", policies.replace(written, otherwise));
        let (table, _) = table::build(&files).unwrap();
        assert!(
            compare(&table, &reference, &queries, &told).is_err(),
            "{otherwise} in place of {written} went unnoticed"
        );
    }
}
