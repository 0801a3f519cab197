//! The comparison finds what it is there to find.

use super::*;
use crate::decide::{
    asks::Asks,
    scene::{Scene, Size},
};

/// Compares the reference with its own table, and with one whose first carrier is 3 % cheaper.
#[test]
fn a_table_with_other_prices_is_told_apart() {
    let scene = Scene::new(Size {
        rows: 2_000,
        carriers: 2,
        policies: 40,
        seed: 3,
    })
    .unwrap();
    let asks = Asks::new(&scene, 500, 3);
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
