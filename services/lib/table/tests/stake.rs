//! What a look-up could change, by hand.

use sms::{CarrierName, UnixMs};
use table::{Basis, Decision, Micros, Network, Query, Served, Source, Stake, Table, files::Files};

/// France: `atlas` is cheap on 01 and dear elsewhere, `borealis` charges all alike, `cirrus` serves 15 alone. Germany: all charge all
/// networks alike, one of them network by network. The Netherlands: the plan names no network.
fn table(policies: &str, carriers: &str) -> Table {
    let mut files = Files::default();
    files.insert(
        "table.toml",
        "currency = \"EUR\"\n[defaults]\nlookup = \"when_it_matters\"\n",
    );
    files.insert("policies.toml", policies);
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n3361,208,10,FR,SFR\n3362,208,15,FR,Free\n\
         3363,208,20,FR,Bouygues\n49,262,01,DE,Telekom\n491,262,02,DE,Vodafone\n31,204,,NL,\n",
    );
    let carrier = |name: &str| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n{carriers}\n");
    files.insert("carriers.toml", ["atlas", "borealis", "cirrus"].map(carrier).concat());
    for (name, rows) in [
        (
            "atlas",
            "208,01,,0.01,,\n208,,,0.05,,\n262,01,,0.07,,\n262,,,0.07,,\n204,04,,0.02,,\n204,,,0.03,,\n",
        ),
        ("borealis", "208,,,0.03,,\n262,,,0.08,,\n"),
        ("cirrus", "208,15,,0.015,,\n"),
    ] {
        let rows = format!("mcc,mnc,prefix,price,from,until\n{rows}");
        files.insert(format!("rates/{name}.csv"), rows);
    }
    table::build(&files).unwrap_or_else(|problems| panic!("{problems}")).0
}

fn stake(table: &Table, query: &Query<'_>) -> Stake {
    let mut decision = Decision::new();
    table.decide(query, &mut decision);
    table.stake(query, &decision, &mut Decision::new())
}

fn to(number: &str) -> Query<'_> {
    Query::new(number, UnixMs(0))
}

#[test]
fn each_network_of_the_country_is_held_equally_likely() {
    let found = stake(&table("", ""), &to("33912345678"));
    // 10, 20 and those that nobody names: 0.05 − 0.03 each. 15: 0.05 − 0.015.
    let wanted = Stake {
        basis: Basis::Plan,
        networks: 4,
        can_change: true,
        saving_max: Micros(35_000),
        saving_mean: Micros((3 * 20_000 + 35_000) / 4),
        submit: Micros(10_000),
    };
    assert_eq!(found, wanted);
}

#[test]
fn all_segments_count() {
    let query = Query {
        segments: 3,
        ..to("33912345678")
    };
    let found = stake(&table("", ""), &query);
    assert_eq!((found.saving_max, found.submit), (Micros(105_000), Micros(30_000)));
}

#[test]
fn nothing_is_at_stake_where_all_networks_cost_the_same() {
    let found = stake(&table("", ""), &to("4915112345678"));
    assert!(!found.can_change, "{found:?}");
    assert_eq!((found.saving_max, found.submit), (Micros(0), Micros(70_000)));
}

#[test]
fn a_carrier_that_may_not_take_the_message_puts_nothing_at_stake() {
    let tried = ["atlas", "cirrus"].map(|name| CarrierName::new(name).unwrap_or_else(|_| panic!("a name")));
    let query = Query {
        tried: &tried,
        ..to("33912345678")
    };
    let found = stake(&table("", ""), &query);
    assert!(!found.can_change, "borealis charges all alike: {found:?}");
    let avoided = "[[policy]]\nname = \"no\"\navoid = [\"atlas\", \"cirrus\"]\n";
    assert!(!stake(&table(avoided, ""), &to("33912345678")).can_change);
}

#[test]
fn a_submission_to_a_network_that_the_carrier_does_not_serve_is_lost() {
    // By the plan 15: cirrus, which serves no other network.
    let found = stake(&table("", ""), &to("33621234567"));
    assert_eq!(found.saving_max, Micros(15_000), "{found:?}");
    let delivered = stake(&table("", "charged = \"delivered\""), &to("33621234567"));
    assert!(delivered.can_change, "another carrier would take it");
    assert_eq!((delivered.saving_max, delivered.submit), (Micros(0), Micros(0)));
}

#[test]
fn a_carrier_without_ported_numbers_puts_the_submission_at_stake() {
    let found = stake(&table("", "accepts_ported = false"), &to("4915112345678"));
    assert!(found.can_change);
    assert_eq!(found.saving_max, Micros(70_000));
}

#[test]
fn a_policy_that_names_a_network_puts_it_at_stake() {
    let policy = "[[policy]]\nname = \"free\"\nmatch = { network = \"26203\" }\navoid = [\"atlas\"]\n";
    let found = stake(&table(policy, ""), &to("4915112345678"));
    assert!(found.can_change, "borealis would take it on 26203");
    // atlas would have charged less, which is nothing that a look-up saves.
    assert_eq!((found.saving_max, found.networks), (Micros(0), 3));
}

#[test]
fn without_a_network_by_the_plan_any_of_the_country_serves_the_number() {
    let found = stake(&table("", ""), &to("31612345678"));
    assert_eq!(
        (found.basis, found.networks, found.can_change),
        (Basis::Country, 2, true)
    );
    assert_eq!(stake(&table("", ""), &to("999")).basis, Basis::Nothing);
}

#[test]
fn nothing_is_left_to_ask_where_somebody_named_the_network() {
    let network = Network::parse("208", "10").ok();
    let query = Query {
        network: network.map(|network| Served {
            network,
            source: Source::Hlr,
        }),
        ..to("33912345678")
    };
    let found = stake(&table("", ""), &query);
    assert_eq!((found.basis, found.can_change), (Basis::Told, false));
}

#[test]
fn best_value_compares_the_cost_of_a_delivered_message() {
    let policy = "[[policy]]\nname = \"value\"\nroute = { strategy = \"best_value\" }\n";
    let found = stake(&table(policy, ""), &to("33912345678"));
    // All deliver 0.90 of what they take.
    assert_eq!(found.saving_max, Micros(55_555 - 16_666));
}

#[test]
fn what_an_answer_saved_is_told_by_the_same_measure() {
    let (table, query) = (table("", ""), to("33912345678"));
    let (mut decision, mut scratch) = (Decision::new(), Decision::new());
    table.decide(&query, &mut decision);
    let mut saving = |mnc: &str| {
        let network = Network::parse("208", mnc).unwrap_or_else(|_| panic!("a network"));
        table.saving(&query, &decision, network, &mut scratch)
    };
    assert_eq!(["01", "10", "15"].map(&mut saving), [0, 20_000, 35_000].map(Micros));
}
