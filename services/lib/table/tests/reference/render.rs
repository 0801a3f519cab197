//! A table as the files an engineer would write.

use std::fmt::Write;

use table::files::Files;

use crate::world::{Carrier, Condition, End, Hours, Net, Policy, RateRow, Route, Span, World};

/// Millionths as a decimal, in one of the ways people write it.
pub(crate) fn decimal(micros: i128) -> String {
    let whole = crate::answer::money(micros);
    let short = whole.trim_end_matches('0').trim_end_matches('.');
    let text = if micros % 3 == 0 { whole.as_str() } else { short };
    text.to_owned()
}

/// A scalar for a list of one, now and then.
fn list<T: AsRef<str>>(entries: &[T]) -> String {
    match entries {
        [one] if one.as_ref().len() % 2 == 0 => format!("{:?}", one.as_ref()),
        _ => format!("{:?}", entries.iter().map(AsRef::as_ref).collect::<Vec<&str>>()),
    }
}

pub(crate) fn instant(at: i64) -> String {
    let text = jiff::Timestamp::from_millisecond(at)
        .expect("a sound instant")
        .to_string();
    match text.strip_suffix("T00:00:00Z") {
        Some(date) => date.to_owned(),
        None => text,
    }
}

fn duration(ms: u64) -> String {
    match ms {
        ms if ms % 3_600_000 == 0 => format!("\"{}h\"", ms / 3_600_000),
        ms if ms % 60_000 == 0 => format!("\"{}m\"", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("\"{}s\"", ms / 1_000),
        ms => format!("\"{ms}ms\""),
    }
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `key = value` pairs of an inline table.
#[derive(Default)]
struct Keys(Vec<String>);

impl Keys {
    fn add(&mut self, key: &str, value: Option<String>) {
        self.0.extend(value.map(|value| format!("{key} = {value}")));
    }

    fn inline(&self) -> String {
        format!("{{ {} }}", self.0.join(", "))
    }

    fn lines(&self) -> String {
        self.0.iter().map(|line| format!("{line}\n")).collect()
    }
}

fn route_keys(route: &Route) -> Keys {
    let mut keys = Keys::default();
    keys.add("strategy", route.strategy.map(|text| format!("{text:?}")));
    keys.add("carriers", route.carriers.as_deref().map(list));
    let weights: Vec<String> = route
        .weights
        .iter()
        .map(|(name, weight)| format!("{name} = {weight}"))
        .collect();
    keys.add(
        "weights",
        (!weights.is_empty()).then(|| format!("{{ {} }}", weights.join(", "))),
    );
    keys.add("route_types", route.route_types.as_deref().map(list));
    keys.add("attempts", route.attempts.map(|count| count.to_string()));
    keys.add("deadline", route.deadline.map(duration));
    keys.add(
        "max_price",
        route.max_price.map(|price| format!("{:?}", decimal(price))),
    );
    keys.add(
        "min_margin",
        route.min_margin.map(|price| format!("{:?}", decimal(price))),
    );
    keys.add("min_delivery_rate", route.min_delivery_rate.map(str::to_owned));
    keys.add("receipt_within", route.receipt_within.map(duration));
    keys.add("spill_after", route.spill_after.map(duration));
    keys.add("on_unknown", route.on_unknown.map(|text| format!("{text:?}")));
    keys.add("lookup", route.lookup.map(|text| format!("{text:?}")));
    keys
}

fn hours(keys: &mut Keys, hours: &Hours) {
    let between = hours
        .between
        .map(|(from, until)| format!("[\"{}\", \"{}\"]", clock(from), clock(until)));
    keys.add("between", between);
    keys.add("days", (!hours.days.is_empty()).then(|| list(&hours.days)));
    keys.add("timezone", Some(format!("{:?}", hours.zone)));
}

fn conditions(all: &[Condition]) -> String {
    let mut keys = Keys::default();
    for one in all {
        let (key, value) = match one {
            Condition::Account(entries) => ("account", list(entries)),
            Condition::Sender(entries) => ("sender", list(entries)),
            Condition::Country(entries) => ("country", list(entries)),
            Condition::Network(entries) => ("network", list(entries)),
            Condition::Prefix(entries) => ("prefix", list(entries)),
            Condition::SenderKind(entries) => ("sender_kind", list(entries)),
            Condition::Class(entries) => ("class", list(entries)),
            Condition::Encoding(entries) => ("encoding", list(entries)),
            Condition::Text(entries) => ("text", list(&entries.iter().map(|one| one.0).collect::<Vec<_>>())),
            Condition::SegmentsOver(limit) => ("segments_over", limit.to_string()),
            Condition::Ported(wanted) => ("ported", wanted.to_string()),
            Condition::Tag(entries) => ("tag", list(entries)),
            Condition::Hours(all) => {
                hours(&mut keys, all);
                continue;
            }
        };
        keys.add(key, Some(value));
    }
    keys.inline()
}

fn policy(policy: &Policy) -> String {
    let mut keys = Keys::default();
    keys.add("name", Some(format!("{:?}", policy.name)));
    keys.add("from", policy.span.0.map(|at| format!("{:?}", instant(at))));
    // A date or an instant of TOML says the same as one in quotes.
    keys.add("until", policy.span.1.map(instant));
    keys.add(
        "match",
        (!policy.matches.is_empty()).then(|| conditions(&policy.matches)),
    );
    let excepts: Vec<String> = policy.excepts.iter().map(|one| conditions(one)).collect();
    keys.add(
        "except",
        match excepts.as_slice() {
            [] => None,
            [one] if one.len() % 2 == 0 => Some(one.clone()),
            all => Some(format!("[{}]", all.join(", "))),
        },
    );
    let mut rewrite = Keys::default();
    rewrite.add("sender", policy.sender.map(|text| format!("{text:?}")));
    rewrite.add("recipient", policy.recipient.as_ref().map(|text| format!("{text:?}")));
    rewrite.add("text", policy.text.map(|text| format!("{text:?}")));
    keys.add("rewrite", (!rewrite.0.is_empty()).then(|| rewrite.inline()));
    keys.add(
        "copy",
        (!policy.copies.is_empty()).then(|| format!("{{ to = {} }}", list(&policy.copies))),
    );
    keys.add("tag", policy.tag.map(|text| format!("{text:?}")));
    keys.add("avoid", (!policy.avoid.is_empty()).then(|| list(&policy.avoid)));
    match &policy.end {
        End::On => {}
        End::Reject(reason) => keys.add("reject", Some(format!("{reason:?}"))),
        End::Route(route) => keys.add("route", Some(route_keys(route).inline())),
    }
    format!("[[policy]]\n{}\n", keys.lines())
}

fn carrier(carrier: &Carrier) -> String {
    let mut keys = Keys::default();
    keys.add("name", Some(format!("{:?}", carrier.name)));
    keys.add("currency", Some(format!("{:?}", carrier.currency)));
    let switch = |on: bool, default: bool| (on != default).then(|| on.to_string());
    keys.add("enabled", switch(carrier.enabled, true));
    keys.add("only_named", switch(carrier.only_named, false));
    keys.add("concatenation", switch(carrier.concatenation, true));
    keys.add("receipts", switch(carrier.receipts, true));
    keys.add("accepts_ported", switch(carrier.accepts_ported, true));
    keys.add("sender_kinds", carrier.sender_kinds.as_deref().map(list));
    keys.add("encodings", carrier.encodings.as_deref().map(list));
    keys.add("countries", carrier.countries.as_deref().map(list));
    keys.add("route_type", carrier.route_type.map(|text| format!("{text:?}")));
    keys.add("charged", carrier.charged.map(|text| format!("{text:?}")));
    format!("[[carrier]]\n{}\n", keys.lines())
}

fn span((from, until): Span) -> String {
    let text = |at: Option<i64>| at.map(instant).unwrap_or_default();
    format!("{},{}", text(from), text(until))
}

fn net((mcc, mnc): Net) -> String {
    format!("{mcc},{mnc}")
}

fn sheet(rows: &[RateRow]) -> String {
    let mut text = "mcc,mnc,prefix,price,from,until\n".to_owned();
    for row in rows {
        let price = row.price.map_or("closed".to_owned(), decimal);
        let _ = writeln!(
            text,
            "{},{},{},{price},{}",
            row.mcc,
            row.mnc,
            row.prefix,
            span(row.span)
        );
    }
    text
}

fn csv(header: &str, rows: impl Iterator<Item = String>) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text += &format!("{row}\n");
    }
    text
}

fn table_toml(world: &World) -> String {
    let fx: String = world
        .fx
        .iter()
        .map(|(name, fx)| format!("{name} = {:?}\n", decimal(*fx)))
        .collect();
    let defaults = route_keys(&world.defaults).lines();
    format!("name = \"random\"\ncurrency = \"EUR\"\n[fx]\n{fx}[defaults]\n{defaults}")
}

/// Path and text of every file, in the order in which they are printed.
pub(crate) fn texts(world: &World) -> Vec<(String, String)> {
    let mut texts = vec![
        ("table.toml".to_owned(), table_toml(world)),
        ("carriers.toml".to_owned(), world.carriers.iter().map(carrier).collect()),
        ("policies.toml".to_owned(), world.policies.iter().map(policy).collect()),
    ];
    let plan = world
        .plan
        .iter()
        .map(|row| format!("{},{},{},{}", row.prefix, net(row.net), row.country, row.operator));
    texts.push(("numbering.csv".to_owned(), csv("prefix,mcc,mnc,country,operator", plan)));
    if !world.ported.is_empty() {
        let rows = world
            .ported
            .iter()
            .map(|(number, moved)| format!("{number},{}", net(*moved)));
        texts.push(("ported.csv".to_owned(), csv("msisdn,mcc,mnc", rows)));
    }
    if !world.quality.is_empty() {
        let rows = world.quality.iter().map(|row| {
            let p95 = row.p95.unwrap_or_default();
            format!(
                "{},{},{},{},{p95}",
                row.carrier,
                net(row.net),
                row.attempts,
                row.delivered
            )
        });
        texts.push((
            "quality.csv".to_owned(),
            csv("carrier,mcc,mnc,attempts,delivered,p95_seconds", rows),
        ));
    }
    if !world.senders.is_empty() {
        let rows = world.senders.iter().map(|row| {
            format!(
                "{},{},{},{},{}",
                row.account, row.sender, row.carrier, row.country, row.shown
            )
        });
        texts.push((
            "senders.csv".to_owned(),
            csv("account,sender,carrier,country,use", rows),
        ));
    }
    for (name, entries) in &world.sets {
        texts.push((
            format!("sets/{name}.txt"),
            entries.iter().map(|entry| format!("{entry}\n")).collect(),
        ));
    }
    texts.extend(
        world
            .rates
            .iter()
            .map(|one| (format!("rates/{}.csv", one.of), sheet(&one.rows))),
    );
    texts.extend(
        world
            .sells
            .iter()
            .map(|one| (format!("sell/{}.csv", one.of), sheet(&one.rows))),
    );
    texts
}

pub(crate) fn files(world: &World) -> Files {
    let mut files = Files::default();
    for (path, text) in texts(world) {
        files.insert(path, text);
    }
    files
}
