//! Which rankings are kept.

use super::{Ranker, Ranking};
use crate::{
    files::Files,
    network::Network,
    rates::KeyId,
    table::{Table, build},
};

/// Two carriers whose price changes on each of so many days, the same ones for both.
fn table(turns: usize) -> Table {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"");
    files.insert("policies.toml", "");
    files.insert("numbering.csv", "prefix,mcc,mnc,country,operator\n33,208,01,FR,\n");
    let carriers = ["a", "b"].map(|name| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n"));
    files.insert("carriers.toml", carriers.concat());
    let day = |at: usize| format!("{}-{:02}-01", 2026 + at / 12, at % 12 + 1);
    let rows = (0..turns).map(|at| {
        let until = if at + 1 < turns { day(at + 1) } else { String::new() };
        format!("208,01,,0.{:04},{},{until}\n", 400 + at, day(at))
    });
    let sheet = format!("mcc,mnc,prefix,price,from,until\n{}", rows.collect::<String>());
    for name in ["a", "b"] {
        files.insert(format!("rates/{name}.csv"), sheet.clone());
    }
    build(&files).expect("a sound table").0
}

fn ranking(turns: usize) -> Ranking {
    let table = table(turns);
    let network = Network::parse("208", "01").expect("a network");
    let tariff = table.rates.tariff(Some(network), KeyId::NONE);
    Ranker::new(&table.rates).ranking(tariff)
}

#[test]
fn a_ranking_is_kept_for_up_to_64_spans_of_time() {
    assert_eq!(ranking(1), Ranking::Runs { from: 0, len: 2 });
    assert_eq!(ranking(63), Ranking::Runs { from: 0, len: 64 });
    assert_eq!(ranking(64), Ranking::Unranked);
    assert_eq!(ranking(200), Ranking::Unranked);
}
