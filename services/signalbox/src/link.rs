//! `signalbox link`: how the links of running connectors stand, and orders to them.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use anyhow::bail;
use jiff::Timestamp;
use serde_json::{Value, json};
use service::{Clock, time};
use signalbox_proto::pb::signalbox::connector::v1::{self as pb, LinkState, link_service_client::LinkServiceClient};
use tonic::{Code, Status, transport::Channel};

use crate::{
    cli::{Connectors, Link, RateWord},
    client::{self, Away, explain},
    exit,
    terminal::plain,
};

/// How often it is looked whether a link is drained.
const LOOK: Duration = Duration::from_millis(200);
/// Longest wait for that: the longest drain limit of a connector is five minutes.
const DRAIN_PATIENCE: Duration = Duration::from_secs(330);
/// Heads of the columns; what went wrong follows them.
const HEADS: [&str; 14] = [
    "CONNECTOR",
    "LINK",
    "KIND",
    "STATE",
    "SINCE",
    "BINDS",
    "WINDOW",
    "RATE/S",
    "LIMIT/S",
    "QUEUED",
    "FLYING",
    "P50",
    "UNMAPPED",
    "CARRIERS",
];

type Client = LinkServiceClient<Channel>;

/// Does what is asked.
///
/// # Errors
/// A connector cannot be reached, or refuses what is asked.
pub(crate) fn main(command: Link) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .enable_io()
        .build()?;
    let is_done = runtime.block_on(async {
        match command {
            Link::List { connectors, json } => list(&connectors, json).await,
            Link::Pause { connectors, name } => order(&connectors, Order::Pause, &name).await,
            Link::Resume { connectors, name } => order(&connectors, Order::Resume, &name).await,
            Link::Drain {
                connectors,
                name,
                no_wait,
            } => drain(&connectors, &name, no_wait).await,
            Link::Rate { connectors, name, rate } => order(&connectors, Order::Rate(rate), &name).await,
            Link::Test { connectors, name, json } => test(&connectors, &name, json).await,
        }
    })?;
    Ok(ExitCode::from(if is_done { 0 } else { exit::NEGATIVE }))
}

/// What a link is ordered.
#[derive(Clone, Copy)]
enum Order {
    Pause,
    Resume,
    Drain,
    Rate(RateWord),
}

impl Order {
    async fn give(self, client: &mut Client, name: &str) -> Result<pb::Link, Status> {
        let name = name.to_owned();
        let link = match self {
            Self::Pause => {
                client
                    .pause_link(pb::PauseLinkRequest { name })
                    .await?
                    .into_inner()
                    .link
            }
            Self::Resume => {
                client
                    .resume_link(pb::ResumeLinkRequest { name })
                    .await?
                    .into_inner()
                    .link
            }
            Self::Drain => {
                client
                    .drain_link(pb::DrainLinkRequest { name })
                    .await?
                    .into_inner()
                    .link
            }
            Self::Rate(RateWord(parts_per_second)) => {
                let request = pb::SetRateRequest { name, parts_per_second };
                client.set_rate(request).await?.into_inner().link
            }
        };
        link.ok_or_else(|| Status::internal("the connector says nothing of the link"))
    }
}

async fn connect(connectors: &Connectors, url: &str) -> anyhow::Result<Client> {
    let channel = client::channel(url, connectors.tls.of_client()).await?;
    Ok(LinkServiceClient::new(channel))
}

async fn links(connectors: &Connectors, url: &str) -> anyhow::Result<Vec<pb::Link>> {
    let mut client = connect(connectors, url).await?;
    let response = client.list_links(pb::ListLinksRequest {}).await;
    Ok(response.map_err(|status| explain(&status))?.into_inner().links)
}

async fn list(connectors: &Connectors, json: bool) -> anyhow::Result<bool> {
    let (mut found, mut away) = (Vec::new(), None);
    for url in &connectors.urls {
        match links(connectors, url).await {
            Ok(links) => found.extend(links.into_iter().map(|link| (url.as_str(), link))),
            // The others are told of all the same.
            Err(error) if error.is::<Away>() && connectors.urls.len() > 1 => {
                eprintln!("signalbox: {error:#}");
                away = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    if json {
        found.iter().for_each(|(url, link)| println!("{}", object(url, link)));
    } else {
        print!("{}", table(&found, connectors.urls.len() > 1, now()));
    }
    match away {
        Some(_) => bail!(Away("not every connector answered".to_owned())),
        None => Ok(true),
    }
}

/// Has every connector that has the link do so; says how it stands there. False = none of them has it.
async fn order(connectors: &Connectors, order: Order, name: &str) -> anyhow::Result<bool> {
    let mut missing = Vec::new();
    let mut is_done = false;
    for url in &connectors.urls {
        let mut client = connect(connectors, url).await?;
        match order.give(&mut client, name).await {
            Ok(link) => {
                let limit = match order {
                    Order::Rate(_) => format!("; {}", limit(&link)),
                    Order::Pause | Order::Resume | Order::Drain => String::new(),
                };
                println!("{url}: {}{limit}", sentence(&link));
                is_done = true;
            }
            Err(status) if status.code() == Code::NotFound => missing.push(format!("{url}: {}", status.message())),
            Err(status) => return Err(explain(&status)),
        }
    }
    if !is_done {
        missing.iter().for_each(|text| eprintln!("signalbox: {text}"));
    }
    Ok(is_done)
}

/// Drains the link and waits until it is.
async fn drain(connectors: &Connectors, name: &str, no_wait: bool) -> anyhow::Result<bool> {
    if !order(connectors, Order::Drain, name).await? {
        return Ok(false);
    }
    if no_wait {
        return Ok(true);
    }
    let drained = async {
        for url in &connectors.urls {
            loop {
                let links = links(connectors, url).await?;
                match links.iter().find(|link| link.name == name) {
                    Some(link) if link.state() == LinkState::Draining => time::sleep(LOOK).await,
                    Some(link) => {
                        println!("{url}: {}", sentence(link));
                        break;
                    }
                    None => break,
                }
            }
        }
        anyhow::Ok(())
    };
    match time::timeout(DRAIN_PATIENCE, drained).await {
        Some(done) => done.map(|()| true),
        None => {
            eprintln!(
                "signalbox: the link is not drained after {} s",
                DRAIN_PATIENCE.as_secs()
            );
            Ok(false)
        }
    }
}

async fn test(connectors: &Connectors, name: &str, json: bool) -> anyhow::Result<bool> {
    let (mut missing, mut all) = (Vec::new(), Vec::new());
    for url in &connectors.urls {
        let mut client = connect(connectors, url).await?;
        let name = name.to_owned();
        match client.test_link(pb::TestLinkRequest { name }).await {
            Ok(tested) => all.extend(tested.into_inner().binds.into_iter().map(|bind| (url.as_str(), bind))),
            Err(status) if status.code() == Code::NotFound => missing.push(format!("{url}: {}", status.message())),
            Err(status) if status.code() == Code::FailedPrecondition => {
                eprintln!("signalbox: {url}: {}", status.message());
                return Ok(false);
            }
            Err(status) => return Err(explain(&status)),
        }
    }
    if all.is_empty() {
        missing.iter().for_each(|text| eprintln!("signalbox: {text}"));
    }
    for (url, test) in &all {
        let round_trip = test.round_trip.as_ref().map(millis);
        if json {
            let error = Some(&test.error).filter(|error| !error.is_empty());
            let object = json!({
                "connector": url, "link": name, "bind": test.bind, "round_trip_ms": round_trip, "error": error,
            });
            println!("{object}");
        } else {
            let what = match round_trip {
                Some(ms) => format!("the carrier answered after {}", ms_text(ms)),
                None => plain(&test.error),
            };
            println!("{url}: {name}: bind {}: {what}", test.bind);
        }
    }
    Ok(!all.is_empty() && all.iter().all(|(_, test)| test.round_trip.is_some()))
}

/// What became of a link that was ordered something.
fn sentence(link: &pb::Link) -> String {
    let pb::Link {
        name,
        queued,
        in_flight,
        ..
    } = link;
    let stands = match link.state() {
        LinkState::Paused => format!(
            "paused: submits nothing new, {queued} orders are held, {in_flight} are in flight; until: signalbox link resume {name}"
        ),
        LinkState::Draining => format!("draining: {in_flight} orders are in flight, {queued} are to be handed back"),
        LinkState::Drained => {
            format!("drained: disconnected, {queued} orders are to be handed back; until: signalbox link resume {name}")
        }
        state => format!("{}: {queued} orders wait, {in_flight} are in flight", word(state)),
    };
    format!("{name} is {stands}")
}

/// What its account may send.
fn limit(link: &pb::Link) -> String {
    let account = &link.account;
    let configured = link
        .rate_configured
        .map_or_else(|| "no limit".to_owned(), |rate| format!("{rate}/s"));
    match link.rate_ordered {
        Some(ordered) => format!("account {account} is limited to {ordered}/s by order ({configured} configured)"),
        None => format!("account {account} has {configured} as configured"),
    }
}

/// The links as a table, each a line.
fn table(links: &[(&str, pb::Link)], has_several: bool, now: Timestamp) -> String {
    let heads = (HEADS.map(str::to_owned), "LAST ERROR".to_owned());
    let rows = links.iter().map(|(url, link)| row(url, link, now));
    let lines: Vec<_> = std::iter::once(heads).chain(rows).collect();
    let mut text = String::new();
    for (cells, error) in &lines {
        for (column, cell) in cells.iter().enumerate().skip(usize::from(!has_several)) {
            let widths = lines.iter().map(|(cells, _)| cells[column].chars().count());
            let width = widths.max().unwrap_or(0);
            let _ = write!(text, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{error}");
    }
    text
}

fn row(url: &str, link: &pb::Link, now: Timestamp) -> ([String; HEADS.len()], String) {
    let or_dash = |rate: Option<u32>| rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string());
    let limit = match link.rate_ordered {
        Some(ordered) => format!("{ordered} ordered"),
        None => or_dash(link.rate_configured),
    };
    let is_cut_off = link.state() == LinkState::Paused && link.binds_up == 0;
    let cells = [
        url.to_owned(),
        plain(&link.name),
        link.kind.clone(),
        format!("{}{}", word(link.state()), if is_cut_off { " (down)" } else { "" }),
        age(link.since.as_ref(), now),
        format!("{}/{}", link.binds_up, link.binds),
        format!("{}/{}", link.window_used, link.window_slots),
        or_dash(link.rate_in_force),
        limit,
        link.queued.to_string(),
        link.in_flight.to_string(),
        link.round_trip_p50
            .as_ref()
            .map_or_else(|| "-".to_owned(), |span| ms_text(millis(span))),
        link.unmapped_codes.to_string(),
        link.carriers.join(","),
    ];
    let error = match link.error.is_empty() {
        true => "-".to_owned(),
        false => format!("{} ago: {}", age(link.error_at.as_ref(), now), plain(&link.error)),
    };
    (cells, error)
}

fn object(url: &str, link: &pb::Link) -> Value {
    json!({
        "connector": url,
        "name": link.name,
        "kind": link.kind,
        "carriers": link.carriers,
        "state": word(link.state()),
        "since": instant(link.since.as_ref()),
        "binds_up": link.binds_up,
        "binds": link.binds,
        "window_slots": link.window_slots,
        "window_used": link.window_used,
        "account": link.account,
        "rate_configured": link.rate_configured,
        "rate_ordered": link.rate_ordered,
        "rate_in_force": link.rate_in_force,
        "queued": link.queued,
        "in_flight": link.in_flight,
        "parts_taken": link.parts_taken,
        "round_trip_last_ms": link.round_trip_last.as_ref().map(millis),
        "round_trip_p50_ms": link.round_trip_p50.as_ref().map(millis),
        "error": Some(&link.error).filter(|error| !error.is_empty()),
        "error_at": instant(link.error_at.as_ref()),
        "unmapped_codes": link.unmapped_codes,
    })
}

const fn word(state: LinkState) -> &'static str {
    match state {
        LinkState::Unspecified => "unknown",
        LinkState::Up => "up",
        LinkState::Down => "down",
        LinkState::Paused => "paused",
        LinkState::Draining => "draining",
        LinkState::Drained => "drained",
        LinkState::Leaving => "leaving",
    }
}

fn now() -> Timestamp {
    let now = i64::try_from(Clock::wall().now().0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
}

fn at(at: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
}

fn instant(stamp: Option<&prost_types::Timestamp>) -> Option<String> {
    at(stamp).map(|at| format!("{at:.3}"))
}

/// How long ago it was, in its largest unit.
fn age(stamp: Option<&prost_types::Timestamp>, now: Timestamp) -> String {
    let Some(then) = at(stamp) else { return "-".to_owned() };
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn millis(span: &prost_types::Duration) -> f64 {
    span.seconds as f64 * 1e3 + f64::from(span.nanos) / 1e6
}

fn ms_text(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        _ => format!("{ms:.0} ms"),
    }
}

#[cfg(test)]
mod tests;
