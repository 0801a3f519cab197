//! What a running router counted, in place of what `quality.csv` says.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use sms::{CarrierName, UnixMs};
use table::{Decision, Figures, Network, Query, Served, Source, Table, files::Files};

/// Two carriers at one price, of which `quality.csv` knows `a` as the better and the faster one, and one `route`.
fn table(route: &str) -> Table {
    priced(route, "0.04")
}

/// The same, with another price of `a`.
fn priced(route: &str, price: &str) -> Table {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"");
    files.insert(
        "policies.toml",
        format!("[[policy]]\nname = \"all\"\nroute = {{ {route} }}\n"),
    );
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,\n337,208,10,FR,\n",
    );
    files.insert(
        "quality.csv",
        "carrier,mcc,mnc,attempts,delivered,p95_seconds\na,208,01,1000,950,4\nb,208,01,1000,900,5\n",
    );
    let carriers = ["a", "b"].map(|name| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n"));
    files.insert("carriers.toml", carriers.concat());
    for (name, price) in [("a", price), ("b", "0.04")] {
        files.insert(
            format!("rates/{name}.csv"),
            format!("mcc,mnc,prefix,price,from,until\n208,,,{price},,\n"),
        );
    }
    table::build(&files).expect("a sound table").0
}

fn counted(attempts: u64, delivered: u64, seconds: Option<u64>) -> Figures {
    Figures {
        attempts,
        delivered,
        p95: seconds.map(Duration::from_secs),
    }
}

/// Who is left for `to`, in order, where `a` was counted as `figures` on 20801.
fn left_for(to: &str, table: &Table, figures: Figures) -> Vec<String> {
    let orange = Network::parse("208", "01").expect("a network");
    let live =
        |carrier: &CarrierName, network: Network| (carrier.as_str() == "a" && network == orange).then_some(figures);
    let query = Query {
        figures: Some(&live),
        ..Query::new(to, UnixMs(0))
    };
    let mut decision = Decision::new();
    table.decide(&query, &mut decision);
    let decided: Vec<_> = decision.candidates.iter().map(|one| one.carrier.to_string()).collect();
    let explained = table.explain(&query).candidates;
    let ranked = explained.iter().filter(|one| one.rank.is_some());
    assert_eq!(ranked.map(|one| one.carrier.clone()).collect::<Vec<_>>(), decided);
    decided
}

fn left(table: &Table, figures: Figures) -> Vec<String> {
    left_for("33612345678", table, figures)
}

#[test]
fn live_figures_count_from_thirty_attempts_up() {
    let table = table("strategy = \"best_value\", attempts = 2");
    assert_eq!(left(&table, counted(29, 0, None)), ["a", "b"]);
    assert_eq!(left(&table, counted(30, 0, None)), ["b", "a"]);
    assert_eq!(left(&table, counted(1_000, 940, None)), ["a", "b"]);
}

#[test]
fn live_figures_stand_in_place_of_the_whole_row() {
    let table = table("strategy = \"fastest\", attempts = 2");
    assert_eq!(left(&table, counted(29, 29, Some(9))), ["a", "b"]);
    assert_eq!(left(&table, counted(30, 30, Some(9))), ["b", "a"]);
    // The four seconds of the row are not taken for a carrier of which nothing was delivered of late.
    assert_eq!(left(&table, counted(30, 0, None)), ["b", "a"]);
    assert_eq!(left(&table, counted(30, 1, Some(4))), ["a", "b"]);
}

#[test]
fn live_figures_refuse_who_delivers_too_little() {
    let table = table("min_delivery_rate = 0.8");
    assert_eq!(left(&table, counted(100, 95, None)), ["a", "b"]);
    assert_eq!(left(&table, counted(100, 80, None)), ["b"]);
    // Thirty out of thirty are no proof of more than 0.88.
    assert_eq!(left(&table, counted(30, 30, None)), ["a", "b"]);
}

#[test]
fn live_figures_are_of_one_network() {
    let table = table("min_delivery_rate = 0.8");
    assert_eq!(left_for("33612345678", &table, counted(30, 0, None)), ["b"]);
    assert_eq!(left_for("33712345678", &table, counted(30, 0, None)), ["a", "b"]);
}

#[test]
fn figures_that_cannot_be_are_taken_for_a_carrier_that_delivers_all() {
    let table = table("min_delivery_rate = 0.8");
    assert_eq!(left(&table, counted(30, u64::MAX, None)), ["a", "b"]);
}

/// A route that neither ranks nor refuses by quality asks for no figures.
#[test]
fn routes_that_do_not_go_by_quality_ask_for_no_figures() {
    let asked = AtomicUsize::new(0);
    let live = |_: &CarrierName, _: Network| {
        asked.fetch_add(1, Ordering::Relaxed);
        None
    };
    let asked_by = |route: &str, to: &str| {
        let table = table(route);
        let query = Query {
            figures: Some(&live),
            ..Query::new(to, UnixMs(0))
        };
        table.decide(&query, &mut Decision::new());
        asked.swap(0, Ordering::Relaxed)
    };
    let priority = "strategy = \"priority\", carriers = [\"a\", \"b\"]";
    assert_eq!((asked_by("", "336"), asked_by(priority, "336")), (0, 0));
    assert_eq!(asked_by("strategy = \"fastest\"", "336"), 2);
    assert_eq!(asked_by("min_delivery_rate = 0.5", "336"), 2);
    assert_eq!(asked_by("strategy = \"fastest\"", "49170"), 0, "no network, no figures");
}

#[test]
fn the_network_of_a_number_is_the_one_that_figures_are_asked_for() {
    let table = table("");
    let network = |to: &str, network: Option<Served>| {
        let query = Query {
            network,
            ..Query::new(to, UnixMs(0))
        };
        let mut decision = Decision::new();
        table.decide(&query, &mut decision);
        decision.network.map(|network| network.to_string())
    };
    assert_eq!(network("+33612345678", None).as_deref(), Some("20801"));
    assert_eq!(network("49170", None), None);
    let told = Served {
        network: "20810".parse().expect("a network"),
        source: Source::Hlr,
    };
    assert_eq!(network("33612345678", Some(told)).as_deref(), Some("20810"));
}

#[test]
fn who_delivers_nothing_comes_last_whatever_it_charges() {
    let route = "strategy = \"best_value\", attempts = 2";
    for attempts in [30, 125, 500, 1_000] {
        let free = priced(route, "0");
        assert_eq!(left(&free, counted(attempts, 0, None)), ["b", "a"], "{attempts}");
    }
}

#[test]
fn those_that_deliver_nothing_are_ranked_by_name() {
    let table = priced("strategy = \"best_value\", attempts = 2", "0.05");
    let nothing = |_: &CarrierName, _: Network| Some(counted(1_000, 0, None));
    let query = Query {
        figures: Some(&nothing),
        ..Query::new("33612345678", UnixMs(0))
    };
    let mut decision = Decision::new();
    table.decide(&query, &mut decision);
    let names: Vec<&str> = decision.candidates.iter().map(|one| one.carrier.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}
