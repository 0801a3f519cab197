//! That plots hold what they are given, whatever that is.

use super::*;

const WORDS: Words<'_> = Words {
    title: "a < b",
    x: "seconds",
    y: "messages/s",
};

#[test]
fn a_plot_is_one_svg_with_every_name_and_no_markup_of_words() {
    let line = |name: &str| (name.to_owned(), vec![(0.0, 1.0), (1.0, 20_000.0)]);
    let svg = lines(WORDS, &[line("run 1"), line("run 2")]).unwrap();
    assert_eq!((svg.matches("<svg").count(), svg.matches("</svg>").count()), (1, 1));
    for words in ["run 1", "run 2", "seconds", "messages/s", "a &lt; b"] {
        assert!(svg.contains(words), "{words}: {svg}");
    }
}

#[test]
fn what_was_never_measured_and_what_took_no_time_can_be_drawn() {
    assert!(lines(WORDS, &[]).is_ok());
    assert!(bars(WORDS, &[]).is_ok());
    let zero = [("due → OK".to_owned(), vec![0.0, 0.0, 3.0])];
    let svg = percentiles(WORDS, &["p50", "p99", "max"], &zero).unwrap();
    for words in ["p50", "p99", "max", "due → OK"] {
        assert!(svg.contains(words), "{words}: {svg}");
    }
}

#[test]
fn a_bar_tells_its_name_and_value() {
    let svg = bars(WORDS, &[("router".to_owned(), 41.25), ("the floor".to_owned(), 12.0)]).unwrap();
    assert!(svg.contains("router 41.2") && svg.contains("the floor 12.0"), "{svg}");
}
