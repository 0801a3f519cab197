//! The compiled table against a matcher that reads the rows one by one, as the format describes them.

use proptest::{prelude::*, sample::select};
use serde_json::Value;
use sms::UnixMs;
use table::files::Files;

const CARRIERS: [&str; 4] = ["atlas", "borealis", "cirrus", "dorado"];
const DAYS: [&str; 4] = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"];
/// 2026-01-01T00:00:00Z, and each of the days after it.
const DAY_MS: [i64; 4] = [
    1_767_225_600_000,
    1_769_904_000_000,
    1_772_323_200_000,
    1_775_001_600_000,
];

#[derive(Clone, Debug)]
struct PlanRow {
    prefix: String,
    mcc: &'static str,
    mnc: &'static str,
    country: &'static str,
}

#[derive(Clone, Debug)]
struct RateRow {
    carrier: usize,
    mcc: &'static str,
    mnc: &'static str,
    prefix: String,
    /// In millionths; `None` = closed.
    price: Option<i64>,
    /// Places in `DAYS`.
    from: Option<usize>,
    until: Option<usize>,
}

#[derive(Clone, Debug)]
struct Ask {
    to: String,
    network: Option<&'static str>,
    at: i64,
    segments: i64,
}

type Networks = (&'static str, &'static str, &'static str);
const NETWORKS: [Networks; 6] = [
    ("208", "01", "FR"),
    ("208", "10", "FR"),
    ("208", "", "FR"),
    ("234", "15", "GB"),
    ("234", "50", "JE"),
    ("310", "260", "US"),
];

fn digits(len: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(select(vec!['1', '2', '3']), len).prop_map(|digits| digits.into_iter().collect())
}

fn plan_row() -> impl Strategy<Value = PlanRow> {
    (digits(1..=5), select(&NETWORKS[..])).prop_map(|(prefix, (mcc, mnc, country))| PlanRow {
        prefix,
        mcc,
        mnc,
        country,
    })
}

fn rate_row() -> impl Strategy<Value = RateRow> {
    let key = prop_oneof![
        select(&NETWORKS[..]).prop_map(|(mcc, mnc, _)| (mcc, mnc, String::new())),
        select(&NETWORKS[..]).prop_map(|(mcc, _, _)| (mcc, "", String::new())),
        digits(1..=5).prop_map(|prefix| ("", "", prefix)),
    ];
    let price = prop_oneof![1 => Just(None), 5 => (1_i64..100).prop_map(Some)];
    let span = (prop::option::of(0_usize..4), prop::option::of(0_usize..4)).prop_filter(
        "from before until",
        |(from, until)| !matches!((from, until), (Some(f), Some(u)) if f >= u),
    );
    (0..CARRIERS.len(), key, price, span).prop_map(|(carrier, (mcc, mnc, prefix), price, (from, until))| RateRow {
        carrier,
        mcc,
        mnc,
        prefix,
        price,
        from,
        until,
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    let network = prop::option::weighted(0.3, select(vec!["20801", "20810", "23415", "99901"]));
    let at = (select(&DAY_MS[..]), -1_i64..=1).prop_map(|(day, edge)| day + edge);
    (digits(3..=9), network, at, 1_i64..=3).prop_map(|(to, network, at, segments)| Ask {
        to,
        network,
        at,
        segments,
    })
}

/// Rows with keys of their own: the format refuses twins.
fn distinct(rows: Vec<RateRow>) -> Vec<RateRow> {
    let mut kept: Vec<RateRow> = Vec::new();
    for row in rows {
        let key = |row: &RateRow| (row.carrier, row.mcc, row.mnc, row.prefix.clone(), row.from);
        if !kept.iter().any(|other| key(other) == key(&row)) {
            kept.push(row);
        }
    }
    kept
}

fn files(plan: &[PlanRow], rates: &[RateRow]) -> Files {
    let mut files = Files::default();
    files.insert(
        "table.toml",
        "name = \"t\"\ncurrency = \"EUR\"\n[fx]\nUSD = \"0.5\"\n[defaults]\nattempts = 2\n",
    );
    files.insert("policies.toml", "");
    let carrier = |name: &&str| {
        let currency = if *name == "cirrus" { "USD" } else { "EUR" };
        format!(
            "[[carrier]]\nname = \"{name}\"\ncurrency = \"{currency}\"\naccepts_ported = {}\n",
            *name != "dorado"
        )
    };
    files.insert("carriers.toml", CARRIERS.iter().map(carrier).collect::<String>());
    let rows = plan
        .iter()
        .map(|row| format!("{},{},{},{},\n", row.prefix, row.mcc, row.mnc, row.country));
    files.insert(
        "numbering.csv",
        format!("prefix,mcc,mnc,country,operator\n{}", rows.collect::<String>()),
    );
    for (index, name) in CARRIERS.iter().enumerate() {
        let day = |at: Option<usize>| at.map_or("", |at| DAYS[at]);
        let rows = rates.iter().filter(|row| row.carrier == index).map(|row| {
            let price = row.price.map_or("closed".to_owned(), |price| format!("0.{price:06}"));
            format!(
                "{},{},{},{price},{},{}\n",
                row.mcc,
                row.mnc,
                row.prefix,
                day(row.from),
                day(row.until)
            )
        });
        let sheet = format!("mcc,mnc,prefix,price,from,until\n{}", rows.collect::<String>());
        files.insert(format!("rates/{name}.csv"), sheet);
    }
    files
}

/// The row that charges `ask` at a carrier, by reading every row.
fn naive_rate<'a>(
    rates: &'a [RateRow],
    carrier: usize,
    ask: &Ask,
    network: Option<(&str, &str)>,
) -> Option<&'a RateRow> {
    let in_force = |row: &&RateRow| {
        row.from.is_none_or(|from| DAY_MS[from] <= ask.at) && row.until.is_none_or(|until| ask.at < DAY_MS[until])
    };
    let latest = |key: &dyn Fn(&RateRow) -> bool| {
        let rows = rates
            .iter()
            .filter(|row| row.carrier == carrier && key(row))
            .filter(in_force);
        rows.max_by_key(|row| row.from.map_or(-1, |from| from as i64))
    };
    let by_network = || {
        network
            .filter(|(_, mnc)| !mnc.is_empty())
            .and_then(|(mcc, mnc)| latest(&|row| row.mcc == mcc && row.mnc == mnc))
    };
    let by_prefix = || {
        (1..=ask.to.len())
            .rev()
            .find_map(|len| latest(&|row| !row.prefix.is_empty() && row.prefix == ask.to[..len]))
    };
    let by_mcc = || network.and_then(|(mcc, _)| latest(&|row| row.mcc == mcc && row.mnc.is_empty()));
    by_network().or_else(by_prefix).or_else(by_mcc)
}

/// Each candidate as `carrier verdict price cost`, the country and whether it is ported, as the format says.
fn naive(plan: &[PlanRow], rates: &[RateRow], ask: &Ask) -> (Vec<String>, String, bool) {
    let planned = plan
        .iter()
        .filter(|row| ask.to.starts_with(&row.prefix))
        .max_by_key(|row| row.prefix.len());
    let named = ask.network.map(|network| network.split_at(3));
    let network = named.or(planned.map(|row| (row.mcc, row.mnc)));
    let ported = match (named, planned) {
        (Some(named), Some(row)) => !row.mnc.is_empty() && named != (row.mcc, row.mnc),
        _ => false,
    };
    let country = match (named, planned) {
        (None, row) => row.map_or("", |row| row.country),
        (Some((mcc, _)), Some(row)) if row.mcc == mcc => row.country,
        (Some((mcc, _)), _) => {
            let first = plan
                .iter()
                .filter(|row| row.mcc == mcc)
                .min_by_key(|row| row.prefix.clone());
            first.map_or("", |row| row.country)
        }
    };
    let mut left: Vec<(i64, &str, String)> = Vec::new();
    let mut refused = Vec::new();
    for (index, name) in CARRIERS.iter().enumerate() {
        let rate = naive_rate(rates, index, ask, network);
        let price = rate.and_then(|row| row.price);
        // Half of an odd number of millionths lies in the middle: to the even one.
        let unit = price.map(|price| {
            if *name == "cirrus" {
                (price + price / 2 % 2) / 2
            } else {
                price
            }
        });
        let money = |micros: Option<i64>| micros.map_or("null".to_owned(), |micros| format!("0.{micros:06}"));
        let text = format!("{} {}", money(price), money(unit.map(|unit| unit * ask.segments)));
        let why = match rate {
            _ if ported && *name == "dorado" => Some("ported"),
            None => Some("no_rate"),
            Some(row) if row.price.is_none() => Some("closed"),
            Some(_) => None,
        };
        match why {
            Some(why) => refused.push(format!("{name} {why} {text}")),
            None => left.push((unit.unwrap_or_default(), name, text)),
        }
    }
    left.sort();
    let verdict = |rank: usize| ["selected", "fallback", "spare"][rank.min(2)];
    let ranked = left
        .iter()
        .enumerate()
        .map(|(rank, (_, name, text))| format!("{name} {} {text}", verdict(rank)));
    (ranked.chain(refused).collect(), country.to_owned(), ported)
}

fn found(explanation: &Value) -> (Vec<String>, String, bool) {
    let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    let candidates = explanation["candidates"].as_array().expect("a list").iter().map(|one| {
        let verdict = if one["verdict"] == "refused" {
            text(&one["reason"])
        } else {
            text(&one["verdict"])
        };
        format!(
            "{} {verdict} {} {}",
            text(&one["carrier"]),
            text(&one["price"]),
            text(&one["cost"])
        )
    });
    let network = &explanation["network"];
    let country = network["country"].as_str().unwrap_or_default().to_owned();
    (
        candidates.collect(),
        country,
        network["ported"].as_bool().unwrap_or_default(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Compiles random tables and asks both matchers; a difference prints table, query and seed.
    #[test]
    fn compiled_lookup_agrees_with_linear_scan(
        plan in prop::collection::vec(plan_row(), 0..12),
        rates in prop::collection::vec(rate_row(), 0..60),
        asks in prop::collection::vec(ask(), 1..20),
    ) {
        let mut plan = plan;
        plan.sort_by(|a, b| a.prefix.cmp(&b.prefix));
        plan.dedup_by(|a, b| a.prefix == b.prefix);
        let rates = distinct(rates);
        let (table, _) = table::build(&files(&plan, &rates)).expect("a sound table");
        for ask in &asks {
            let request = table::Request {
                to: ask.to.clone(),
                network: ask.network.map(str::to_owned),
                segments: Some(ask.segments.unsigned_abs()),
                ..table::Request::default()
            };
            let asked = request.resolve(UnixMs(ask.at.unsigned_abs())).expect("a sound query");
            let explanation = table.explain(&asked.query());
            let json = serde_json::to_value(&explanation).expect("JSON");
            prop_assert_eq!(found(&json), naive(&plan, &rates, ask), "{:?}", ask);
            let mut decision = table::Decision::new();
            table.decide(&asked.query(), &mut decision);
            prop_assert_eq!(decision.action.as_str(), explanation.action);
            let decided: Vec<_> = decision.candidates.iter().map(|one| (one.carrier.to_string(), one.cost.to_string())).collect();
            let explained: Vec<_> = explanation.candidates.iter().filter(|one| one.rank.is_some_and(|rank| rank <= 2))
                .map(|one| (one.carrier.clone(), one.cost.clone().expect("ranked ones have a cost"))).collect();
            prop_assert_eq!(decided, explained);
            let quote = table.quote(&asked.query());
            prop_assert_eq!((quote.action, quote.selected.as_ref()), (decision.action, decision.candidates.first()));
            prop_assert_eq!(quote.reason, explanation.reason);
        }
    }
}
