//! `signalbox table …`: check, question, test and publish a routing table.

use std::{
    fs::File,
    io::{self, Read, Write as _},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;
use lookup::{Curiosity, Offer, Rates, matters};
use service::Clock;
use sms::UnixMs;
use table::{
    Explanation, Micros, Request, batch,
    command::{self, DiffForm, Output},
};

use crate::{
    ask::{self, At, Form, Router},
    cli::{Explain, Table},
};

mod published;

/// Queries of a batch that a router is asked at once.
const AT_ONCE: usize = 20;
const _: () = assert!(AT_ONCE <= router::QUERIES_MAX, "a router answers them");

/// Runs the command; its exit code is the finding.
///
/// # Errors
/// Input or output failed, or the router that is asked is away or refuses to answer.
pub(crate) fn main(command: Table) -> anyhow::Result<ExitCode> {
    let output = match command {
        Table::Publish(publish) => return published::publish(*publish),
        Table::Confirm(confirm) => return published::confirm(confirm),
        Table::Undo(undo) => return published::undo(*undo),
        Table::History(history) => return published::history(history),
        Table::Status(status) => return published::status(status),
        Table::Check {
            explain: Some(code), ..
        } => command::explain_code(&code),
        Table::Check { dir, json, .. } => command::check(&dir.unwrap_or_default(), json),
        Table::Explain(explain) => self::explain(*explain)?,
        Table::Diff {
            old,
            new,
            all,
            json,
            exit_code,
        } => command::diff(&old, &new, DiffForm { json, all, exit_code }),
        Table::Test { dir, fail_under, json } => command::test(&dir, fail_under, json),
    };
    // A reader that went away, such as `head`, is no failure of ours.
    let _ = io::stdout().write_all(output.stdout.as_bytes());
    let _ = io::stderr().write_all(output.stderr.as_bytes());
    Ok(ExitCode::from(output.code))
}

fn explain(explain: Explain) -> anyhow::Result<Output> {
    let now = Clock::wall().now();
    let router = explain.router.as_ref().map(|url| Router::connect(url, &explain.tls));
    let dir = explain.dir.clone().unwrap_or_default();
    match (router.transpose()?, explain.batch.clone()) {
        (None, None) => {
            let (json, price) = (explain.json, explain.query_price);
            let judged = |explanation: &mut Explanation| judge(explanation, price);
            Ok(command::explain_with(&dir, request(explain), json, now, judged))
        }
        (None, Some(file)) => {
            let done = command::explain_batch(&dir, open(&file)?, io::BufWriter::new(io::stdout().lock()), now);
            done.or_else(|error| closed(error.into()))
        }
        (Some(mut router), None) => explain_live(&mut router, explain, now),
        (Some(mut router), Some(file)) => {
            let output = io::BufWriter::new(io::stdout().lock());
            let done = batch::answer(open(&file)?, output, now, AT_ONCE, |asked| {
                let queries = asked.iter().map(|asked| ask::query(asked, At::Named));
                router.explain(queries.collect(), Form::Json)
            });
            done.map(command::answered).or_else(closed)
        }
    }
}

/// Says whether a look-up at `price` would be worth it to a router that learnt nothing yet.
fn judge(explanation: &mut Explanation, price: Option<Micros>) {
    if let (Some(lookup), Some(price)) = (&mut explanation.lookup, price) {
        let offer = Offer { price, ends_dead: true };
        let never = Curiosity { one_in: 0 };
        let verdict = matters(lookup.stake, Rates::default(), Some(offer), never, 0);
        lookup.verdict = Some(verdict.report());
    }
}

/// One query, to a running router.
fn explain_live(router: &mut Router, explain: Explain, now: UnixMs) -> anyhow::Result<Output> {
    let form = if explain.json { Form::Json } else { Form::Tree };
    let at = if explain.at.is_some() { At::Named } else { At::Now };
    let asked = match request(explain).resolve(now) {
        Ok(asked) => asked,
        Err(error) => return Ok(command::no_query(&error)),
    };
    let mut stdout = router.explain(vec![ask::query(&asked, at)], form)?.concat();
    stdout.push('\n');
    Ok(Output {
        stdout,
        ..Output::default()
    })
}

fn open(file: &Path) -> anyhow::Result<Box<dyn Read>> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    // A directory opens like a file, and reading it fails without its name.
    anyhow::ensure!(!file.is_dir(), "{}: is a directory, no file of queries", file.display());
    Ok(Box::new(opened))
}

/// A reader of ours that went away is no failure.
fn closed(error: anyhow::Error) -> anyhow::Result<Output> {
    let found = error.downcast_ref::<io::Error>();
    if found.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return Ok(Output::default());
    }
    Err(error)
}

fn request(explain: Explain) -> Request {
    Request {
        to: explain.to.unwrap_or_default(),
        from: explain.from,
        account: explain.account,
        class: explain.class,
        text: explain.text,
        segments: explain.segments,
        encoding: explain.encoding,
        at: explain.at,
        network: explain.network,
        ported: explain.ported,
        roll: explain.roll,
    }
}
