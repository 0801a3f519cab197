//! `signalbox dead`: records that were put aside, as a running router has them, and putting them back.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use service::Clock;
use signalbox_proto::pb::signalbox::routing::v1::{
    self as pb, dead_service_client::DeadServiceClient, show_dead_response::Reading,
};
use tonic::{Code, Status, transport::Channel};

use crate::{
    cli::{Dead, DeadFilter, RouterServer},
    client::{self, explain},
    exit,
    terminal::plain,
};

/// Heads of the columns; the reason follows them.
const HEADS: [&str; 6] = ["ID", "SET ASIDE", "TOPIC", "FAULT", "OCTETS", "REPLAYED"];

/// The fault of a receipt of no message.
const ORPHAN: &str = "orphan";

type Client = DeadServiceClient<Channel>;

/// Does what is asked. Exit code 1 where nothing of it could be done for want of such records.
///
/// # Errors
/// The router cannot be reached, or refuses what is asked.
pub(crate) fn main(command: Dead) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let is_done = runtime.block_on(async {
        match command {
            Dead::List { router, filter, json } => list(&router, &filter, json).await,
            Dead::Show { router, id, octets } => show(&router, id, octets).await,
            Dead::Replay {
                router,
                ids,
                all: _,
                filter,
                again,
            } => replay(&router, ids, &filter, again).await,
        }
    })?;
    Ok(ExitCode::from(if is_done { 0 } else { exit::NEGATIVE }))
}

async fn connect(router: &RouterServer) -> anyhow::Result<Client> {
    let channel = client::channel(&router.url, router.tls.of_client()).await?;
    Ok(DeadServiceClient::new(channel).max_decoding_message_size(router::RESPONSE_OCTETS_MAX))
}

/// The first page of what `filter` names.
fn first_page(filter: &DeadFilter) -> anyhow::Result<pb::ListDeadRequest> {
    Ok(pb::ListDeadRequest {
        topic: filter.topic.clone().unwrap_or_default(),
        fault: filter.reason.clone().unwrap_or_default(),
        since: filter.since.as_deref().map(since).transpose()?,
        page_size: u32::try_from(router::PAGE_MAX)?,
        page_token: String::new(),
    })
}

/// An instant, or one so long ago.
fn since(text: &str) -> anyhow::Result<prost_types::Timestamp> {
    let at = match source::duration(text) {
        Ok(ago) => Timestamp::from_millisecond(i64::try_from((Clock::wall().now() - ago).0)?)?,
        Err(_) => text.parse().with_context(|| {
            format!("--since: \"{text}\" is no instant such as 2026-11-21T12:00:00Z, and no span such as 4h")
        })?,
    };
    Ok(prost_types::Timestamp {
        seconds: at.as_second(),
        nanos: at.subsec_nanosecond(),
    })
}

async fn list(router: &RouterServer, filter: &DeadFilter, json: bool) -> anyhow::Result<bool> {
    let mut request = first_page(filter)?;
    let mut client = connect(router).await?;
    let mut is_first = true;
    loop {
        let page = client.list_dead(request.clone()).await;
        let page = page.map_err(|status| explain(&status))?.into_inner();
        let is_last = page.next_page_token.is_empty();
        if json {
            page.records.iter().for_each(|record| println!("{}", object(record)));
        } else if !page.records.is_empty() {
            print!("{}", table(&page.records, is_first));
        } else if is_first && is_last {
            eprintln!("nothing was put aside");
        }
        // A page may be empty though another follows: so much was looked at in vain.
        is_first &= page.records.is_empty();
        if page.next_page_token.is_empty() {
            return Ok(true);
        }
        request.page_token = page.next_page_token;
    }
}

async fn show(router: &RouterServer, id: String, with_octets: bool) -> anyhow::Result<bool> {
    let mut client = connect(router).await?;
    match client.show_dead(pb::ShowDeadRequest { id, with_octets }).await {
        Ok(shown) => {
            print!("{}", sheet(&shown.into_inner(), with_octets));
            Ok(true)
        }
        Err(status) => not_found(&status),
    }
}

/// Says that there is no such record, if that is what `status` says.
fn not_found(status: &Status) -> anyhow::Result<bool> {
    if status.code() != Code::NotFound {
        return Err(explain(status));
    }
    eprintln!("signalbox: {}", status.message());
    Ok(false)
}

async fn replay(router: &RouterServer, ids: Vec<String>, filter: &DeadFilter, again: bool) -> anyhow::Result<bool> {
    let is_filtered = filter.topic.is_some() || filter.reason.is_some() || filter.since.is_some();
    ensure!(
        ids.is_empty() || !is_filtered,
        "--topic, --reason and --since go with --all: records named by their ids are put back whatever they are"
    );
    let request = first_page(filter)?;
    let mut client = connect(router).await?;
    let is_all = ids.is_empty();
    let ids = if is_all {
        all(&mut client, request, again).await?
    } else {
        ids
    };
    let mut total = Replayed::default();
    for some in ids.chunks(router::REPLAYS_MAX) {
        total.add(put_back(&mut client, some.to_vec(), again).await?);
    }
    if is_all {
        println!("{} put back, {} not", total.done, total.refused);
    }
    Ok(total.is_whole())
}

/// Ids of all that `request` names, before any of them is put back: one that nobody can use is put aside anew, under
/// another id. For the same reason receipts of no message are left out unless they are named.
async fn all(client: &mut Client, mut request: pb::ListDeadRequest, again: bool) -> anyhow::Result<Vec<String>> {
    let has_orphans = request.fault == ORPHAN;
    let mut ids = Vec::new();
    loop {
        let page = client.list_dead(request.clone()).await;
        let page = page.map_err(|status| explain(&status))?.into_inner();
        let is_wanted = |record: &pb::DeadRecord| {
            (again || record.replayed_at.is_none()) && (has_orphans || record.fault != ORPHAN)
        };
        ids.extend(page.records.into_iter().filter(is_wanted).map(|record| record.id));
        if page.next_page_token.is_empty() {
            return Ok(ids);
        }
        request.page_token = page.next_page_token;
    }
}

/// How many records are back, and how many are not.
#[derive(Clone, Copy, Debug, Default)]
struct Replayed {
    done: usize,
    refused: usize,
}

impl Replayed {
    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.refused += other.refused;
    }

    const fn is_whole(self) -> bool {
        self.refused == 0 && self.done > 0
    }
}

async fn put_back(client: &mut Client, ids: Vec<String>, again: bool) -> anyhow::Result<Replayed> {
    let response = client.replay_dead(pb::ReplayDeadRequest { ids, again }).await;
    let mut replayed = Replayed::default();
    for replay in response.map_err(|status| explain(&status))?.into_inner().replays {
        let word = match replay.result() {
            pb::ReplayResult::Replayed => "put back",
            pb::ReplayResult::DoneBefore => "not put back once more without --again",
            pb::ReplayResult::NotFound => "not found",
            pb::ReplayResult::Refused | pb::ReplayResult::Unspecified => "not put back",
        };
        if replay.result() == pb::ReplayResult::Replayed {
            replayed.done += 1;
            println!("{}  {word}", replay.id);
        } else {
            replayed.refused += 1;
            println!("{}  {word}: {}", replay.id, replay.reason);
        }
    }
    Ok(replayed)
}

/// The records as a table, each a line.
fn table(records: &[pb::DeadRecord], with_heads: bool) -> String {
    let row = |record: &pb::DeadRecord| {
        [
            record.id.clone(),
            instant(record.set_aside_at.as_ref()),
            record.topic.clone(),
            record.fault.clone(),
            record.size.to_string(),
            instant(record.replayed_at.as_ref()),
        ]
    };
    let heads = with_heads.then(|| (HEADS.map(str::to_owned), "REASON"));
    let rows = records.iter().map(|record| (row(record), record.reason.as_str()));
    let lines: Vec<_> = heads.into_iter().chain(rows).collect();
    let widths: [usize; HEADS.len()] = std::array::from_fn(|at| {
        let widths = lines.iter().map(|(cells, _)| cells[at].chars().count());
        widths.max().unwrap_or(0)
    });
    let mut text = String::new();
    for (cells, reason) in &lines {
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", plain(reason));
    }
    text
}

/// One record in full.
fn sheet(shown: &pb::ShowDeadResponse, with_octets: bool) -> String {
    let record = shown.record.clone().unwrap_or_default();
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:10}  {}", plain(value));
        }
    };
    let missing = match record.omitted {
        0 => String::new(),
        omitted => format!(", the last {omitted} of them not kept"),
    };
    line("id", &record.id);
    line("set aside", &instant(record.set_aside_at.as_ref()));
    line("topic", &record.topic);
    line("stored", &instant(record.stored_at.as_ref()));
    line("key", &format!("{:016x}", record.key));
    line("octets", &format!("{}{missing}", record.size));
    line("fault", &record.fault);
    line("reason", &record.reason);
    line("replayed", &instant(record.replayed_at.as_ref()));
    match &shown.reading {
        Some(Reading::Readable(reading)) => {
            line("now", &format!("readable: {}", reading.kind));
            line("message", &reading.message_id);
            line("account", &reading.account);
            line("carrier", &reading.carrier);
        }
        Some(Reading::Unreadable(why)) => line("now", &format!("not readable: {why}")),
        None => {}
    }
    if with_octets {
        for (at, octets) in shown.octets.chunks(32).enumerate() {
            let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let _ = writeln!(text, "{:08x}    {hex}", at * 32);
        }
    }
    text
}

fn object(record: &pb::DeadRecord) -> serde_json::Value {
    let or_null = |at: &Option<prost_types::Timestamp>| at.as_ref().map(|at| instant(Some(at)));
    serde_json::json!({
        "id": record.id,
        "set_aside_at": or_null(&record.set_aside_at),
        "topic": record.topic,
        "fault": record.fault,
        "reason": record.reason,
        "octets": record.size,
        "omitted": record.omitted,
        "stored_at": or_null(&record.stored_at),
        "key": format!("{:016x}", record.key),
        "replayed_at": or_null(&record.replayed_at),
    })
}

fn instant(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
        .map_or_else(String::new, |at| format!("{at:.3}"))
}

#[cfg(test)]
mod tests;
