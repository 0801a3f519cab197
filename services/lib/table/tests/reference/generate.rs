//! Random tables over small alphabets, so that rows, spans and conditions collide.

use std::collections::BTreeMap;

use crate::{
    rng::Rng,
    world::{
        Carrier, Condition, End, Hours, List, Net, Pattern, PlanRow, Policy, QualityRow, RateRow, Route, SenderRow,
        Sheet, Span, World,
    },
};

pub(crate) const NETS: [Net; 8] = [
    ("208", "01"),
    ("208", "10"),
    ("208", ""),
    ("234", "15"),
    ("234", "50"),
    ("310", "260"),
    ("310", "26"),
    ("262", "01"),
];
/// In the order of `NETS`.
const COUNTRIES: [&str; 8] = ["FR", "FR", "FR", "GB", "JE", "US", "CA", "DE"];
pub(crate) const SENDERS: [&str; 10] = [
    "",
    "ACME",
    "acme",
    "Shop",
    "shop-1",
    "12345678",
    "123456789",
    "+12345678",
    "+123456789",
    "+",
];
pub(crate) const ACCOUNTS: [&str; 6] = ["", "acme", "ACME", "acme-b", "shop", "other"];
pub(crate) const CLASSES: [&str; 3] = ["otp", "transactional", "promotional"];
pub(crate) const ENCODINGS: [&str; 3] = ["gsm7", "ucs2", "binary"];
const KINDS: [&str; 3] = ["alphanumeric", "long_code", "short_code"];
const TYPES: [&str; 4] = ["direct", "hub", "wholesale", "sim"];
const TAGS: [&str; 3] = ["red", "blue", "Red"];
const GLOBS: [&str; 9] = ["*", "A*", "*e", "acme", "*sh*p*", "acme*b", "+*", "1*9", "shop"];
const PATTERNS: [&str; 6] = ["\\d{4}", "^hello", "(?i)CODE", "é", "^$", "o$"];
/// The last one is none that a policy may set.
pub(crate) const TEXTS: [&str; 7] = [
    "hello",
    "your code 1234",
    "é€ hello",
    "Привет 1234",
    "long aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa no",
    "длинный текст, которого слишком много для одного сегмента сообщения в UCS-2",
    "",
];
/// The change of clocks in Paris, New York and on Lord Howe, twice a year; the end of a day, of a year, of a February.
pub(crate) const DAYS: [i64; 8] = [
    1_774_746_000_000, // 2026-03-29T01:00:00Z
    1_792_890_000_000, // 2026-10-25T01:00:00Z
    1_793_512_800_000, // 2026-11-01T06:00:00Z
    1_772_953_200_000, // 2026-03-08T07:00:00Z
    1_775_314_800_000, // 2026-04-04T15:00:00Z
    1_795_219_200_000, // 2026-11-21T00:00:00Z
    1_798_761_600_000, // 2027-01-01T00:00:00Z
    1_835_395_200_000, // 2028-02-29T00:00:00Z
];
const ZONES: [&str; 6] = [
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "UTC",
    "Pacific/Auckland",
];
/// Minutes of the day.
const CLOCKS: [i64; 9] = [0, 60, 120, 150, 180, 360, 480, 1200, 1320];
const NAMES: [&str; 6] = ["delta", "atlas", "cirrus", "borealis", "echo", "a-1"];
/// Durations in milliseconds, those of live waits among them.
pub(crate) const SPANS: [u64; 6] = [250, 2_000, 30_000, 90_000, 120_000, 7_200_000];

pub(crate) fn digits(rng: &mut Rng, least: usize, most: usize) -> String {
    let count = least + rng.below(most - least + 1);
    (0..count).map(|_| rng.pick(&['1', '3', '7'])).collect()
}

fn number(rng: &mut Rng) -> String {
    let plus = if rng.chance(20) { "+" } else { "" };
    format!("{plus}{}", digits(rng, 3, 6))
}

fn span(rng: &mut Rng, percent: usize) -> Span {
    let mut edges = rng.some(&DAYS, 2);
    edges.sort_unstable();
    match (rng.chance(percent), edges.as_slice()) {
        (true, [from, until]) => (Some(*from), Some(*until)),
        (true, [edge]) if rng.chance(50) => (Some(*edge), None),
        (true, [edge]) => (None, Some(*edge)),
        _ => (None, None),
    }
}

fn price(rng: &mut Rng) -> i128 {
    let small = 1 + rng.below(30) as i128;
    if rng.chance(3) {
        return rng.pick(&[0, 999_999_999_999, 1_000_000_000_000]);
    }
    rng.pick(&[small, small * 1_000, small * 1_000 + 1, 41_500, 45_000, 50_000])
}

fn rows(rng: &mut Rng, count: usize) -> Vec<RateRow> {
    let mut rows: Vec<RateRow> = Vec::new();
    for _ in 0..rng.below(count + 1) {
        let (mcc, mnc) = rng.pick(&NETS);
        let (mcc, mnc, prefix) = match rng.below(11) {
            // Another price for a key that has one: the instant tells which.
            10 if !rows.is_empty() => {
                let row = rng.pick(&rows);
                (row.mcc, row.mnc, row.prefix)
            }
            0..3 => ("", "", digits(rng, 1, 1)),
            3 if rng.chance(5) => ("", "", digits(rng, 14, 15)),
            3..5 => ("", "", digits(rng, 2, 5)),
            5..8 => (mcc, mnc, String::new()),
            _ => (mcc, "", String::new()),
        };
        let price = (!rng.chance(15)).then(|| price(rng));
        let span = span(rng, 40);
        let key = |row: &RateRow| (row.mcc, row.mnc, row.prefix.clone(), row.span.0);
        let row = RateRow {
            mcc,
            mnc,
            prefix,
            price,
            span,
        };
        // Two rows with one key and one beginning are refused by the format.
        if !rows.iter().any(|other| key(other) == key(&row)) {
            rows.push(row);
        }
    }
    rows
}

fn words(rng: &mut Rng, set: &str, of: &[&str]) -> List {
    let mut list: List = rng.some(of, 3).into_iter().map(str::to_owned).collect();
    if rng.chance(15) {
        list.insert(rng.below(list.len() + 1), format!("@{set}"));
    }
    list
}

fn together(net: Net) -> String {
    format!("{}{}", net.0, net.1)
}

fn full_nets() -> Vec<String> {
    NETS.iter()
        .filter(|(_, mnc)| !mnc.is_empty())
        .map(|net| together(*net))
        .collect()
}

fn sets(rng: &mut Rng, carriers: &[String]) -> BTreeMap<&'static str, Vec<String>> {
    let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<String>>();
    BTreeMap::from([
        ("carriers", rng.some(carriers, 3)),
        ("countries", owned(rng.some(&["FR", "GB", "JE", "US", "CA", "DE"], 3))),
        ("networks", rng.some(&full_nets(), 3)),
        (
            "prefixes",
            (0..3)
                .map(|at| format!("{}{}", ["1", "3", "7"][at], digits(rng, 1, 4)))
                .collect(),
        ),
        ("accounts", owned(rng.some(&GLOBS[1..], 3))),
        ("senders", owned(rng.some(&GLOBS[1..], 3))),
    ])
}

/// `is_strict`: many carriers refuse much. Tables of lax carriers show how those left are ranked.
fn carrier(rng: &mut Rng, name: String, is_strict: bool) -> Carrier {
    let percent = |strict: usize| if is_strict { strict } else { strict / 5 };
    Carrier {
        name,
        currency: rng.pick(&["EUR", "EUR", "USD", "GBP", "SEK"]),
        enabled: !rng.chance(percent(10)),
        only_named: rng.chance(15),
        sender_kinds: rng.chance(percent(20)).then(|| rng.some(&KINDS, 2)),
        encodings: rng.chance(percent(20)).then(|| rng.some(&ENCODINGS, 2)),
        concatenation: !rng.chance(percent(15)),
        receipts: !rng.chance(percent(25)),
        accepts_ported: !rng.chance(percent(25)),
        countries: rng
            .chance(25)
            .then(|| words(rng, "countries", &["FR", "GB", "JE", "US", "CA"])),
        route_type: rng.maybe(60, &TYPES),
        charged: rng.maybe(50, &["submit", "delivered"]),
    }
}

fn plan(rng: &mut Rng) -> Vec<PlanRow> {
    let mut rows: BTreeMap<String, PlanRow> = BTreeMap::new();
    for _ in 0..rng.below(12) {
        let prefix = digits(rng, 1, 4);
        let at = rng.below(NETS.len());
        // Now and then a network of two countries or two names.
        let country = if rng.chance(10) { "BE" } else { COUNTRIES[at] };
        let operator = rng.pick(&["Orange", "JT", "", "Bell"]);
        rows.insert(
            prefix.clone(),
            PlanRow {
                prefix,
                net: NETS[at],
                country,
                operator,
            },
        );
    }
    let mut rows: Vec<PlanRow> = rows.into_values().collect();
    if rng.chance(50) {
        rows.reverse();
    }
    rows
}

fn hours(rng: &mut Rng) -> Hours {
    let zone = rng.pick(&ZONES);
    let from = rng.pick(&CLOCKS);
    let mut until = rng.pick(&CLOCKS);
    if until == from || rng.chance(10) {
        until = 1440;
    }
    let has_days = rng.chance(50);
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    Hours {
        between: (!has_days || rng.chance(50)).then_some((from, until)),
        days: if has_days { rng.some(&days, 5) } else { Vec::new() },
        zone,
        rules: jiff::tz::TimeZone::get(zone).expect("a known zone"),
    }
}

fn condition(rng: &mut Rng, kind: usize) -> Condition {
    match kind {
        0 => Condition::Account(words(rng, "accounts", &GLOBS)),
        1 => Condition::Sender(words(rng, "senders", &GLOBS)),
        2 => Condition::Country(words(rng, "countries", &["FR", "GB", "JE", "US", "CA", "DE", "BE"])),
        3 => {
            let nets = full_nets();
            let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
            Condition::Network(words(rng, "networks", &nets))
        }
        4 => {
            let mut list: List = (0..=rng.below(2)).map(|_| digits(rng, 1, 4)).collect();
            list.dedup();
            if rng.chance(15) {
                list.push("@prefixes".to_owned());
            }
            Condition::Prefix(list)
        }
        5 => Condition::SenderKind(rng.some(&KINDS, 2)),
        6 => Condition::Class(rng.some(&CLASSES, 2)),
        7 => Condition::Encoding(rng.some(&ENCODINGS, 2)),
        8 => {
            let compiled = |text: &'static str| Pattern(text, regex::Regex::new(text).expect("a sound pattern"));
            Condition::Text(rng.some(&PATTERNS, 2).into_iter().map(compiled).collect())
        }
        9 => Condition::SegmentsOver(1 + rng.below(3) as u64),
        10 => Condition::Ported(rng.chance(50)),
        11 => Condition::Tag(rng.some(&TAGS, 2)),
        _ => Condition::Hours(hours(rng)),
    }
}

fn conditions(rng: &mut Rng, least: usize, most: usize) -> Vec<Condition> {
    let kinds: Vec<usize> = (0..13).collect();
    let mut kinds = rng.some(&kinds, most);
    if least == 0 && rng.chance(25) {
        kinds.clear();
    }
    kinds.into_iter().map(|kind| condition(rng, kind)).collect()
}

/// The keys that both a route and the defaults may have.
fn common(rng: &mut Rng, percent: usize) -> Route {
    Route {
        strategy: rng.maybe(percent * 3, &["least_cost", "priority", "best_value", "fastest"]),
        route_types: rng.chance(percent).then(|| rng.some(&TYPES, 3)),
        attempts: rng.maybe(percent, &[1, 2, 3, 4]),
        deadline: rng.maybe(percent, &SPANS[3..]),
        max_price: rng.chance(percent).then(|| price(rng)),
        min_margin: rng.chance(percent).then(|| price(rng) * rng.pick(&[-1, 0, 1])),
        min_delivery_rate: rng.maybe(percent, &["0.0", "0.5", "0.9", "0.90001", "1.0"]),
        receipt_within: rng.maybe(percent, &SPANS[2..4]),
        spill_after: rng.maybe(percent, &SPANS),
        on_unknown: rng.maybe(percent, &["resend", "wait", "fail"]),
        lookup: rng.maybe(percent, &["never", "when_it_matters", "always"]),
        ..Route::default()
    }
}

fn route(rng: &mut Rng, carriers: &[String], set: &[String]) -> Route {
    let mut route = common(rng, 20);
    if !rng.chance(50) {
        return route;
    }
    let mut list = rng.some(carriers, carriers.len());
    if rng.chance(20) {
        list.retain(|name| !set.contains(name));
        list.insert(rng.below(list.len() + 1), "@carriers".to_owned());
    }
    if rng.chance(35) {
        route.strategy = Some("weighted");
        let named = list.iter().flat_map(|name| match name.as_str() {
            "@carriers" => set.to_vec(),
            _ => vec![name.clone()],
        });
        route.weights = named.map(|name| (name, rng.pick(&[1, 1, 2, 10, 70]))).collect();
    }
    route.carriers = Some(list);
    route
}

fn policy(rng: &mut Rng, at: usize, carriers: &[String], set: &[String]) -> Policy {
    let route = |rng: &mut Rng| End::Route(Box::new(route(rng, carriers, set)));
    let avoid = rng.chance(15).then(|| {
        let mut list = rng.some(carriers, 2);
        if rng.chance(30) {
            list.retain(|name| !set.contains(name));
            list.push("@carriers".to_owned());
        }
        list
    });
    let excepts = if rng.chance(30) { 1 + rng.below(2) } else { 0 };
    Policy {
        name: format!("p{at}"),
        span: span(rng, 25),
        matches: conditions(rng, 0, 2),
        excepts: (0..excepts).map(|_| conditions(rng, 1, 2)).collect(),
        sender: rng.maybe(15, &["ACME", "shop-1", "87654321", "+1234567890", "New"]),
        recipient: rng.chance(10).then(|| number(rng)),
        text: rng.maybe(10, &TEXTS[..6]),
        copies: (0..if rng.chance(12) { 1 + rng.below(2) } else { 0 })
            .map(|_| number(rng))
            .collect(),
        tag: rng.maybe(30, &TAGS),
        avoid: avoid.unwrap_or_default(),
        // Of many policies few end the walk, so that late ones are reached.
        end: match rng.below(10) {
            _ if at > 8 && rng.chance(90) => End::On,
            0..4 => End::On,
            4 => End::Reject(rng.pick(&["no adverts", "blocked \"here\""])),
            _ => route(rng),
        },
    }
}

fn senders(rng: &mut Rng, carriers: &[String]) -> Vec<SenderRow> {
    let row = |rng: &mut Rng| SenderRow {
        account: rng.pick(&["", "", "acme", "acme*", "*"]),
        sender: rng.pick(&["", "", "ACME", "*sh*", "1*", "+*"]),
        carrier: if rng.chance(40) {
            String::new()
        } else {
            rng.pick(carriers)
        },
        country: rng.pick(&["", "", "FR", "JE", "CA"]),
        shown: rng.pick(&["-", "-", "ACME-FR", "12345", "+4412345678", "acme"]),
    };
    let most = rng.pick(&[1, 6, 6, 20]);
    (0..rng.below(most)).map(|_| row(rng)).collect()
}

/// A price that changes every other hour for days: more turns than a ranking for each is kept of.
fn restless(rng: &mut Rng, rows: &mut Vec<RateRow>) {
    let prefix = rng.pick(&["1", "3", "7"]);
    let first = rng.pick(&DAYS) - 48 * 3_600_000;
    rows.retain(|row| row.prefix != prefix);
    let changes = (0..48).map(|at| first + at * 2 * 3_600_000);
    rows.extend(changes.map(|from| RateRow {
        mcc: "",
        mnc: "",
        prefix: prefix.to_owned(),
        price: Some(price(rng)),
        span: (Some(from), Some(from + 3_600_000)),
    }));
}

fn quality(rng: &mut Rng, carriers: &[String]) -> Vec<QualityRow> {
    let mut rows: Vec<QualityRow> = Vec::new();
    for _ in 0..rng.below(14) {
        let (carrier, net) = (rng.pick(carriers), rng.pick(&NETS));
        let attempts = rng.pick(&[0, 29, 30, 31, 100, 1_000, 1_000_000]);
        let delivered = rng.pick(&[0, attempts / 2, attempts, attempts * 9 / 10]);
        let p95 = rng.maybe(75, &["0", "0.5", "3", "3.0", "12.25"]);
        if !rows.iter().any(|row| row.carrier == carrier && row.net == net) {
            rows.push(QualityRow {
                carrier,
                net,
                attempts,
                delivered,
                p95,
            });
        }
    }
    rows
}

/// The table of `seed`.
pub(crate) fn world(seed: u64) -> World {
    let rng = &mut Rng::new(seed);
    let mut names: Vec<String> = rng.some(&NAMES, 6).into_iter().map(str::to_owned).collect();
    // Now and then more carriers or policies than a machine word has bits.
    if rng.chance(2) {
        names.extend((0..67).map(|at| format!("b{at}")));
    }
    let policies = if rng.chance(3) {
        60 + rng.below(80)
    } else {
        rng.below(9)
    };
    let is_strict = rng.chance(40);
    let sets = sets(rng, &names);
    let ported: BTreeMap<String, Net> = (0..rng.below(8))
        .map(|_| (digits(rng, 3, 5), rng.pick(&NETS)))
        .collect();
    let accounts = rng.some(&["acme", "acme-b", "default"], 3);
    let sheet = |rng: &mut Rng, of: &str, count| Sheet {
        of: of.to_owned(),
        rows: rows(rng, count),
    };
    let mut rates: Vec<Sheet> = names.iter().map(|name| sheet(rng, name, 24)).collect();
    if rng.chance(5) {
        restless(rng, &mut rates[0].rows);
    }
    World {
        fx: vec![
            ("USD", rng.pick(&[500_000, 921_300])),
            ("GBP", 1_150_000),
            ("SEK", rng.pick(&[250_000, 87_654])),
        ],
        defaults: common(rng, 8),
        carriers: names.iter().map(|name| carrier(rng, name.clone(), is_strict)).collect(),
        plan: plan(rng),
        ported: ported.into_iter().collect(),
        rates,
        sells: accounts.iter().map(|name| sheet(rng, name, 8)).collect(),
        quality: quality(rng, &names),
        senders: senders(rng, &names),
        policies: (0..policies)
            .map(|at| policy(rng, at, &names, &sets["carriers"]))
            .collect(),
        sets,
    }
}
