//! Asks the table and the reference the same, and compares.

use std::{fmt, time::Duration};

use serde_json::Value;
use sms::{CarrierName, Class, UnixMs};
use table::{Asked, Decision, Figures, Lookup, Network, OnUnknown, Query, Request, Served, Source, Standing, Table};

use crate::{
    answer::{Answer, ServedBy, answer, money, told},
    counts::Counts,
    offer::Terms,
    render,
    world::{Ask, Live, World},
};

/// One explanation in so many is compared as the JSON it is written as, all the others field by field: writing JSON takes
/// most of the time in a debug build.
const WRITTEN_EVERY: u64 = 8;

/// What differs: its name, what the reference says, what the table says.
pub(crate) type Difference = (String, String, String);

pub(crate) fn build(world: &World) -> Result<Table, String> {
    match table::build(&render::files(world)) {
        Ok((table, _)) => Ok(table),
        Err(problems) => Err(format!("{problems}\n{}", files(world))),
    }
}

pub(crate) fn files(world: &World) -> String {
    let texts = render::texts(world).into_iter();
    texts.map(|(path, text)| format!("=== {path}\n{text}")).collect()
}

pub(crate) fn asked(ask: &Ask) -> Asked {
    let network = ask.network.map(|(mcc, mnc)| format!("{mcc}{mnc}"));
    let has_text = ask.text.is_some();
    let request = Request {
        to: ask.to.clone(),
        from: Some(ask.from.to_owned()),
        account: Some(ask.account.to_owned()),
        class: Some(ask.class.to_owned()),
        text: ask.text.clone(),
        segments: (!has_text).then_some(ask.segments),
        encoding: (!has_text).then(|| ask.encoding.to_owned()),
        at: Some(render::instant(ask.at)),
        network,
        ported: ask.ported,
        roll: Some(ask.roll),
    };
    request.resolve(UnixMs(0)).unwrap()
}

pub(crate) fn standing(live: &Live, carrier: &str) -> Standing {
    let wait = live.waits.iter().find(|(name, _)| name == carrier);
    Standing {
        circuit_open: live.down.iter().any(|name| name == carrier),
        expected_wait: wait.map(|(_, ms)| Duration::from_millis(*ms)),
    }
}

fn figures(live: &Live, carrier: &str, network: Network) -> Option<Figures> {
    let is_it = |(mcc, mnc)| Network::parse(mcc, mnc) == Ok(network);
    let row = live
        .figures
        .iter()
        .find(|row| row.carrier == carrier && is_it(row.net))?;
    Some(Figures {
        attempts: row.attempts,
        delivered: row.delivered,
        p95: row.p95.map(Duration::from_millis),
    })
}

/// Whether table and reference agree on `ask`, in every field of every answer.
///
/// `decided` is the answer to whatever was asked before: nothing of it may be left.
pub(crate) fn judge<'t>(
    world: &World,
    table: &'t Table,
    ask: &Ask,
    decided: &mut Decision<'t>,
    counts: &mut Counts,
) -> Result<(), Difference> {
    let asked = asked(ask);
    let live = ask.live.clone().unwrap_or_default();
    let tried: Vec<CarrierName> = live.tried.iter().map(|name| CarrierName::new(name).unwrap()).collect();
    let standings = |carrier: &CarrierName, _: Class| standing(&live, carrier.as_str());
    let counted = |carrier: &CarrierName, network: Network| figures(&live, carrier.as_str(), network);
    let mut query = asked.query();
    if ask.is_hlr {
        query.network = query.network.map(|served| Served {
            source: Source::Hlr,
            ..served
        });
    }
    if ask.live.is_some() {
        query = Query {
            tried: &tried,
            standings: Some(&standings),
            figures: Some(&counted),
            accepted_at: live.accepted_at.map(|at| UnixMs(at as u64)),
            ttl: live.ttl.map(Duration::from_millis),
            ..query
        };
    }
    let wanted = answer(world, ask, table.version(), counts);
    let is_written = counts.asks.is_multiple_of(WRITTEN_EVERY);
    counts.asks += 1;
    explanation(&wanted, table, &query, is_written)?;
    if is_written && ask.live.is_none() && !ask.is_hlr {
        line(&wanted, table, ask)?;
    }
    table.decide(&query, decided);
    decision(&wanted, decided, &query)?;
    quote(&wanted, table, &query)
}

fn same(name: &str, wanted: impl fmt::Debug, found: impl fmt::Debug) -> Result<(), Difference> {
    let (wanted, found) = (format!("{wanted:?}"), format!("{found:?}"));
    if wanted == found {
        Ok(())
    } else {
        Err((name.to_owned(), wanted, found))
    }
}

fn explanation(wanted: &Answer, table: &Table, query: &Query<'_>, is_written: bool) -> Result<(), Difference> {
    let mut found = table.explain(query);
    // What a look-up could change is compared apart.
    found.lookup = None;
    if !is_written && wanted == &found {
        return Ok(());
    }
    let found = serde_json::to_string(&found).unwrap();
    let wanted = serde_json::to_string(wanted).unwrap();
    if wanted == found {
        return Ok(());
    }
    let [ours, theirs] = [&wanted, &found].map(|text| serde_json::from_str::<Value>(text).unwrap());
    let keys = ours.as_object().unwrap().keys();
    let differ: Vec<&String> = keys.filter(|key| ours[*key] != theirs[*key]).collect();
    Err((format!("explanation: {differ:?}"), wanted, found))
}

/// The same as a line of a batch.
fn line(wanted: &Answer, table: &Table, ask: &Ask) -> Result<(), Difference> {
    let mut query = serde_json::Map::new();
    let mut add = |key: &str, value: Value| query.insert(key.to_owned(), value);
    // What has the value that stands for an absent field is left out every other time.
    let is_terse = ask.roll.is_multiple_of(2);
    add("to", ask.to.as_str().into());
    add("at", render::instant(ask.at).into());
    let texts = [
        ("from", ask.from, ""),
        ("account", ask.account, ""),
        ("class", ask.class, "transactional"),
    ];
    for (key, value, absent) in texts {
        if !is_terse || value != absent {
            add(key, value.into());
        }
    }
    match &ask.text {
        Some(text) => _ = add("text", text.as_str().into()),
        None => {
            if !is_terse || ask.segments != 1 {
                add("segments", ask.segments.into());
            }
            if !is_terse || ask.encoding != "gsm7" {
                add("encoding", ask.encoding.into());
            }
        }
    }
    if let Some((mcc, mnc)) = ask.network {
        add("network", format!("{mcc}{mnc}").into());
    }
    if let Some(ported) = ask.ported {
        add("ported", ported.into());
    }
    if !is_terse || ask.roll != 0 {
        add("roll", ask.roll.into());
    }
    let mut found = Vec::new();
    table::batch::explain(
        table,
        Value::Object(query).to_string().as_bytes(),
        &mut found,
        UnixMs(0),
    )
    .unwrap();
    let wanted = serde_json::to_string(wanted).unwrap();
    let found = String::from_utf8(found).unwrap();
    // What a look-up could change is compared apart.
    let found = match found.split_once(r#","lookup":"#) {
        Some((before, _)) => format!("{before}}}"),
        None => found,
    };
    if found.trim_end() == wanted {
        Ok(())
    } else {
        Err(("batch".to_owned(), wanted, found))
    }
}

fn decision(wanted: &Answer, found: &Decision<'_>, query: &Query<'_>) -> Result<(), Difference> {
    let reason = wanted.reason.as_deref().filter(|_| wanted.action == "reject");
    same(
        "decision: action, policy, reason",
        (wanted.action, wanted.policy.as_deref(), reason),
        (found.action.as_str(), found.policy, found.reason),
    )?;
    let set = &wanted.rewritten;
    same(
        "decision: tags, copies, to, from, text, encoding, segments",
        (
            &wanted.tags,
            &wanted.copies,
            &set.to,
            &set.from,
            &set.text,
            wanted.encoding,
            wanted.segments,
        ),
        (
            &found.tags,
            &found.copies,
            &found.to,
            &found.from,
            &found.text,
            found.encoding.as_str(),
            found.segments,
        ),
    )?;
    let left: Vec<String> = wanted
        .left()
        .map(|one| {
            let (price, cost) = (money(one.price.unwrap()), money(one.cost.unwrap()));
            format!(
                "{} {price} {} {cost} {:?} {}",
                one.carrier, one.currency, one.from, one.receipts
            )
        })
        .collect();
    let candidates: Vec<String> = found
        .candidates
        .iter()
        .map(|one| {
            let from = one.from.unwrap_or(query.from);
            format!(
                "{} {} {} {} {from:?} {}",
                one.carrier, one.unit, one.currency, one.cost, one.receipts
            )
        })
        .collect();
    same("decision: candidates", left, candidates)?;
    if wanted.action == "wait" {
        let count = |why: &str| wanted.offers.iter().filter(|offer| offer.refused == Some(why)).count() as u32;
        let held = found.held_back;
        same(
            "decision: circuit_open, saturated, already_tried",
            [count("circuit_open"), count("saturated"), count("already_tried")],
            [held.circuit_open, held.saturated, held.already_tried],
        )?;
    }
    if wanted.action == "reject" {
        Ok(())
    } else {
        terms(&wanted.terms, &found.terms)
    }
}

fn terms(wanted: &Terms, found: &table::Terms) -> Result<(), Difference> {
    let on_unknown = match found.on_unknown {
        OnUnknown::Resend => "resend",
        OnUnknown::Wait => "wait",
        OnUnknown::Fail => "fail",
    };
    let lookup = match found.lookup {
        Lookup::Never => "never",
        Lookup::WhenItMatters => "when_it_matters",
        Lookup::Always => "always",
    };
    let ms = |duration: Option<Duration>| duration.map(|duration| duration.as_millis() as u64);
    same(
        "decision: attempts, deadline, receipt_within, spill_after, on_unknown, lookup",
        (
            wanted.attempts,
            Some(wanted.deadline),
            wanted.receipt_within,
            wanted.spill_after,
            wanted.on_unknown,
            wanted.lookup,
        ),
        (
            found.attempts,
            ms(Some(found.deadline)),
            ms(found.receipt_within),
            ms(found.spill_after),
            on_unknown,
            lookup,
        ),
    )
}

fn quote(wanted: &Answer, table: &Table, query: &Query<'_>) -> Result<(), Difference> {
    let found = table.quote(query);
    same(
        "quote: action, policy, reason, encoding, segments",
        (
            wanted.action,
            wanted.policy.as_deref(),
            &wanted.reason,
            wanted.encoding,
            wanted.segments,
        ),
        (
            found.action.as_str(),
            found.policy,
            &found.reason,
            found.encoding.as_str(),
            found.segments,
        ),
    )?;
    if wanted.network.as_ref().map(ServedBy::fields) != found.network.as_ref().map(told) {
        return same("quote: network", &wanted.network, &found.network);
    }
    let first = wanted.left().next();
    let margin = first.and_then(|one| Some(wanted.sell? * i128::from(wanted.segments) - one.cost?));
    let selected = found
        .selected
        .as_ref()
        .map(|one| (one.carrier.as_str(), one.cost.to_string()));
    same(
        "quote: selected, fallbacks, sell, margin",
        (
            first.map(|one| (one.carrier.as_str(), money(one.cost.unwrap()))),
            wanted.left().count().saturating_sub(1),
            wanted.sell.map(money),
            margin.map(money),
        ),
        (
            selected,
            found.fallbacks,
            found.sell.map(|sell| sell.to_string()),
            found.margin.map(|margin| margin.to_string()),
        ),
    )?;
    let is_told = |why: &str| first.is_none() || matches!(why, "circuit_open" | "saturated" | "already_tried");
    let refused = wanted
        .offers
        .iter()
        .filter_map(|one| Some((one.carrier.as_str(), one.refused?)));
    let told: Vec<_> = found
        .refused
        .iter()
        .map(|(name, why)| (name.as_str(), why.as_str()))
        .collect();
    same(
        "quote: refused",
        refused.filter(|(_, why)| is_told(why)).collect::<Vec<_>>(),
        told,
    )
}
