//! The list, the plan, and networks of other countries.

use crate::{Network, Table, files::Files};

fn table() -> Table {
    let mut files = Files::default();
    files.insert(
        "table.toml",
        "name = \"t\"\ncurrency = \"EUR\"\n[defaults]\nstrategy = \"least_cost\"\n",
    );
    files.insert("carriers.toml", "[[carrier]]\nname = \"a\"\ncurrency = \"EUR\"\n");
    files.insert("rates/a.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.04,,\n");
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n1,310,,US,\n1212,311,480,US,Verizon\n33,208,,FR,\n33612,208,01,FR,Orange\n",
    );
    files.insert("policies.toml", "");
    files.insert("ported.csv", "msisdn,mcc,mnc\n33612000001,208,10\n");
    let (table, _) = crate::build(&files).unwrap_or_else(|problems| panic!("{problems}"));
    table
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

#[test]
fn the_list_names_its_numbers_alone() {
    let table = table();
    assert_eq!(table.moved("+33612000001"), Some(network("20810")));
    assert_eq!(table.moved("33612000002"), None);
    assert_eq!(table.moved("no number"), None);
}

#[test]
fn the_plan_names_the_network_or_the_country_or_nothing() {
    let table = table();
    assert_eq!(table.planned("33612000001"), Some(network("20801")));
    assert_eq!(table.planned("33799999999"), Some(network("208")));
    assert_eq!(table.planned("4915112345678"), None);
}

#[test]
fn networks_of_another_country_serve_no_number() {
    let table = table();
    assert!(table.may_serve(network("20815"), "33612000001"));
    assert!(!table.may_serve(network("310012"), "33612000001"));
    assert!(
        !table.may_serve(network("99901"), "33612000001"),
        "a country nobody knows"
    );
    assert!(
        table.may_serve(network("310012"), "12125550100"),
        "a country may have several MCCs"
    );
    assert!(
        table.may_serve(network("26201"), "4915112345678"),
        "the plan has no row"
    );
}

#[test]
fn every_network_has_an_index_of_its_own() {
    for text in ["000", "00000", "000000", "20801", "208001", "99999", "999999"] {
        let network = network(text);
        assert!(network.index() < Network::INDEX_MAX);
        assert_eq!(Network::of_index(network.index()), Some(network));
    }
    for index in [1, 99, 200, 999, Network::INDEX_MAX, usize::MAX] {
        assert_eq!(Network::of_index(index), None, "{index}");
    }
}
