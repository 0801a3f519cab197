//! What a message costs and earns.

use sms::{CarrierName, UnixMs};
use table::{Action, Query, Quote, Refusal, Request, Standing, Table, files::Files};

/// Three carriers: `cheap` at 0.02, `dear` at 0.05 USD (a dollar is 0.90 EUR), and `closed`, which is. `acme` pays 0.06, others 0.04.
fn table() -> Table {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"\nfx = { USD = \"0.9\" }\n");
    files.insert(
        "policies.toml",
        "[[policy]]\nname = \"no-adverts\"\nmatch = { class = \"promotional\" }\nreject = \"no adverts\"\n",
    );
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
    );
    files.insert(
        "carriers.toml",
        "[[carrier]]\nname = \"cheap\"\ncurrency = \"EUR\"\n[[carrier]]\nname = \"dear\"\ncurrency = \"USD\"\n\
         [[carrier]]\nname = \"closed\"\ncurrency = \"EUR\"\n",
    );
    let sheet = |price: &str| format!("mcc,mnc,prefix,price,from,until\n208,,,{price},,\n");
    for (name, price) in [
        ("rates/cheap", "0.02"),
        ("rates/dear", "0.05"),
        ("rates/closed", "closed"),
    ] {
        files.insert(format!("{name}.csv"), sheet(price));
    }
    files.insert("sell/acme.csv", sheet("0.06"));
    files.insert("sell/default.csv", sheet("0.04"));
    table::build(&files).expect("a sound table").0
}

fn query(account: &str) -> Query<'_> {
    Query {
        account,
        segments: 2,
        ..Query::new("33612345678", UnixMs(0))
    }
}

fn money(quote: &Quote<'_>) -> [Option<String>; 3] {
    let cost = quote.selected.as_ref().map(|one| one.cost);
    [cost, quote.sell, quote.margin].map(|amount| amount.map(|amount| amount.to_string()))
}

fn refused<'a>(quote: &'a Quote<'_>) -> Vec<(&'a str, Refusal)> {
    quote.refused.iter().map(|(name, why)| (name.as_str(), *why)).collect()
}

#[test]
fn a_quote_has_cost_price_and_margin_of_all_segments() {
    let table = table();
    let quote = table.quote(&query("acme"));
    assert_eq!((quote.action, quote.fallbacks), (Action::Route, 1));
    assert_eq!(quote.selected.as_ref().map(|one| one.carrier.as_str()), Some("cheap"));
    let wanted = ["0.040000", "0.060000", "0.080000"].map(|amount| Some(amount.to_owned()));
    assert_eq!(money(&quote), wanted);
    // Carriers that the table itself refuses are no news while another takes it.
    assert!(quote.refused.is_empty());
}

#[test]
fn a_carrier_that_is_down_shows_and_the_next_is_quoted() {
    let standings = |carrier: &CarrierName, _| match carrier.as_str() {
        "cheap" => Standing::DOWN,
        _ => Standing::UP,
    };
    let query = Query {
        standings: Some(&standings),
        ..query("somebody")
    };
    let table = table();
    let quote = table.quote(&query);
    assert_eq!(quote.selected.as_ref().map(|one| one.carrier.as_str()), Some("dear"));
    assert_eq!(refused(&quote), [("cheap", Refusal::CircuitOpen)]);
    // 0.05 USD are 0.045 EUR: a loss at 0.04.
    let wanted = ["0.090000", "0.040000", "-0.010000"].map(|amount| Some(amount.to_owned()));
    assert_eq!(money(&quote), wanted);
}

#[test]
fn where_nobody_takes_it_all_are_named() {
    let standings = |_: &CarrierName, _| Standing::DOWN;
    let table = table();
    let waiting = table.quote(&Query {
        standings: Some(&standings),
        ..query("acme")
    });
    assert_eq!(
        (waiting.action, waiting.reason.as_deref()),
        (Action::Wait, Some("circuit_open"))
    );
    let wanted = [
        ("cheap", Refusal::CircuitOpen),
        ("closed", Refusal::Closed),
        ("dear", Refusal::CircuitOpen),
    ];
    assert_eq!(refused(&waiting), wanted);
    assert_eq!(money(&waiting), [None, Some("0.060000".to_owned()), None]);
    let nowhere = table.quote(&Query {
        to: "4917012345678",
        ..query("acme")
    });
    assert_eq!(
        (nowhere.action, nowhere.reason.as_deref()),
        (Action::NoRoute, Some("no_route"))
    );
    assert_eq!((nowhere.sell, nowhere.refused.len()), (None, 3));
    let rejected = table.quote(&Query {
        class: sms::Class::Promotional,
        ..query("acme")
    });
    assert_eq!(
        (rejected.action, rejected.reason.as_deref()),
        (Action::Reject, Some("no adverts"))
    );
}

#[test]
fn a_quote_may_be_asked_of_a_network_alone() {
    let request = |network: Option<&str>| Request {
        network: network.map(str::to_owned),
        ..Request::default()
    };
    let asked = request(Some("20801")).resolve_quote(UnixMs(0)).expect("a query");
    let table = table();
    let quote = table.quote(&asked.query());
    assert_eq!(quote.selected.as_ref().map(|one| one.carrier.as_str()), Some("cheap"));
    assert_eq!(quote.network.map(|network| network.source), Some("query"));
    let refused = request(None).resolve_quote(UnixMs(0)).expect_err("nothing named");
    assert_eq!(refused.field(), "to");
    assert!(request(Some("20801")).resolve(UnixMs(0)).is_err());
}
