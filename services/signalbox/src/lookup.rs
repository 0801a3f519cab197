//! `signalbox lookup`: who serves a number, as a running router finds it out, or as a configuration says.

use std::{fmt::Write as _, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use service::{Clock, Deps, Dice};
use signalbox_proto::pb::signalbox::routing::v1 as pb;
use sms::Msisdn;
use table::LiveTable;

use crate::{
    ask::Router,
    cli::Lookup,
    config::{self, TableFrom},
    exit, roles,
};

/// Looks the number up and prints each step. Exit code 0 if somebody knows.
///
/// # Errors
/// The router cannot be reached, has nobody to ask or refuses the number; or the configuration is wrong.
pub(crate) fn main(lookup: Lookup) -> anyhow::Result<ExitCode> {
    let found = match &lookup.config {
        Some(file) => by_config(&lookup, file)?,
        None => Router::connect(&lookup.router.url, &lookup.router.tls)?.look_up(&lookup.number, lookup.budget)?,
    };
    if lookup.json {
        println!("{}", as_json(&found));
    } else {
        print!("{}", text(&found));
    }
    let is_known = found.answer.as_ref().is_some_and(|answer| answer.sure);
    Ok(ExitCode::from(if is_known { 0 } else { exit::NEGATIVE }))
}

/// As the configuration in `file` says, in this process.
fn by_config(lookup: &Lookup, file: &Path) -> anyhow::Result<pb::LookUpResponse> {
    let config = config::load(file)?;
    let section = config.lookup.as_ref().context("there is no [lookup] section")?;
    let Some(TableFrom::Directory(dir)) = &config.table else {
        bail!("there is no [table] path, whose numbering and ported numbers would be asked");
    };
    let digits = lookup.number.strip_prefix('+').unwrap_or(&lookup.number);
    let number = Msisdn::new(digits).with_context(|| format!("{} is no number", lookup.number))?;
    let files = table::files::read(dir).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let (table, _) = table::build(&files).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let live = Arc::new(LiveTable::new(table));
    let clock = Clock::wall();
    // The router's own are its own: a database is opened by one process.
    let deps = Deps {
        bus: Arc::new(bus::MemoryBus::new(clock.as_millis_fn())),
        store: Arc::new(store::MemoryStore::new(clock.as_millis_fn())),
        clock,
        dice: Dice::from_system(),
        tracer: service::Tracer::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let section = config::LookUp {
            secret: None,
            ..section.clone()
        };
        let lookups = roles::look_ups(&section, &config.folder, &deps, &live)?;
        let budget = lookup.budget.unwrap_or(lookups.budget);
        Ok(router::looked_up(&lookups.chain.trace(&number, budget).await))
    })
}

/// One line for each step, and one for what a message would be told.
fn text(found: &pb::LookUpResponse) -> String {
    let mut text = String::new();
    for step in &found.steps {
        let who = if step.provider.is_empty() {
            &step.source
        } else {
            &step.provider
        };
        let said = match &step.answer {
            Some(answer) if step.result == "stale" => format!("{}, too old: asked anew behind", known(answer)),
            Some(answer) => known(answer),
            None if step.detail.is_empty() => step.result.clone(),
            None => format!("{}: {}", step.result, step.detail),
        };
        let _ = writeln!(text, "{who:<24} {:>10}  {said}", millis(step.took_us));
    }
    if let Some(answer) = &found.answer {
        let _ = writeln!(
            text,
            "{:<24} {:>10}  {}",
            "answer",
            millis(found.took_us),
            known(answer)
        );
        let who = match (&*answer.source, &*answer.provider) {
            ("plan", _) => "nobody knows: the number's prefix speaks".to_owned(),
            (source, "") => format!("by {source}"),
            (source, provider) => format!("by {provider} ({source})"),
        };
        let until = answer.expires_at.as_ref().map(|at| format!(", until {}", instant(at)));
        let asked = answer.asked_at.as_ref().map(|at| format!(", asked {}", instant(at)));
        let (asked, until) = (asked.unwrap_or_default(), until.unwrap_or_default());
        let _ = writeln!(text, "  {who}{asked}{until}, cost {}", answer.cost);
    }
    text
}

fn known(answer: &pb::NumberAnswer) -> String {
    let mut words = vec![match (&*answer.network, &*answer.reach) {
        (_, "dead") => "no network serves it".to_owned(),
        ("", _) => "network not known".to_owned(),
        (network, _) => format!("network {network}"),
    }];
    words.extend(
        answer
            .ported
            .map(|ported| if ported { "ported" } else { "not ported" }.to_owned()),
    );
    if matches!(&*answer.reach, "connected" | "absent") {
        words.push(answer.reach.clone());
    }
    words.extend((answer.roaming == Some(true)).then(|| "abroad".to_owned()));
    words.join(", ")
}

fn millis(micros: u64) -> String {
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}

fn instant(at: &prost_types::Timestamp) -> String {
    Timestamp::new(at.seconds, at.nanos).map_or_else(|_| "?".to_owned(), |at| format!("{at:.3}"))
}

fn as_json(found: &pb::LookUpResponse) -> Value {
    let step = |step: &pb::LookUpStep| {
        json!({
            "source": step.source, "provider": word(&step.provider), "result": step.result,
            "detail": word(&step.detail), "took_us": step.took_us,
            "answer": step.answer.as_ref().map(answer_json),
        })
    };
    json!({
        "steps": found.steps.iter().map(step).collect::<Vec<_>>(),
        "answer": found.answer.as_ref().map(answer_json),
        "took_us": found.took_us,
    })
}

fn answer_json(answer: &pb::NumberAnswer) -> Value {
    json!({
        "network": word(&answer.network), "ported": answer.ported, "reach": answer.reach, "roaming": answer.roaming,
        "source": answer.source, "provider": word(&answer.provider), "cost": word(&answer.cost),
        "asked_at": answer.asked_at.as_ref().map(instant), "expires_at": answer.expires_at.as_ref().map(instant),
        "sure": answer.sure,
    })
}

/// Nothing in place of an empty word.
fn word(word: &str) -> Option<&str> {
    (!word.is_empty()).then_some(word)
}
