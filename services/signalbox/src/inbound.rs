//! `signalbox inbound`: messages that handsets send to the account's numbers.

use std::{
    collections::VecDeque,
    io::{self, Write as _},
    process::ExitCode,
};

use jiff::Timestamp;
use serde_json::json;
use signalbox_proto::pb::signalbox::ingest::v1::{InboundMessage, WatchInboundRequest, WatchInboundResponse};

use crate::{
    cli::{Inbound, WatchInbound},
    client::{self, Away, explain},
};

/// Ids remembered, so that what comes again is printed once.
const IDS_MAX: usize = 1_000;

/// Prints messages as they come.
///
/// # Errors
/// The server cannot be reached, refuses the call, or ends the stream.
pub(crate) fn main(command: Inbound) -> anyhow::Result<ExitCode> {
    let Inbound::Watch(watch) = command;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(&watch))
}

async fn run(watch: &WatchInbound) -> anyhow::Result<ExitCode> {
    let mut client = client::connect(&watch.server).await?;
    let request = WatchInboundRequest {
        token: watch.token.clone().unwrap_or_default(),
        since: watch.since.map(|since| prost_types::Timestamp {
            seconds: since.as_second(),
            nanos: since.subsec_nanosecond(),
        }),
    };
    let opened = client.watch_inbound(request).await.map_err(|status| explain(&status))?;
    let mut responses = opened.into_inner();
    let (mut known, mut left) = (Known::default(), watch.count);
    while left != Some(0) {
        let response = responses.message().await.map_err(|status| explain(&status))?;
        let Some(mut response) = response else {
            return Err(Away("the server closed the stream".to_owned()).into());
        };
        response.messages.retain(|message| known.is_new(&message.inbound_id));
        if let Some(left) = &mut left {
            *left = left.saturating_sub(response.messages.len() as u64);
        }
        let text = if watch.json {
            objects(&response)
        } else {
            lines(&response)
        };
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The last messages that were printed.
#[derive(Default)]
struct Known(VecDeque<String>);

impl Known {
    fn is_new(&mut self, id: &str) -> bool {
        if self.0.iter().any(|known| known == id) {
            return false;
        }
        self.0.push_back(id.to_owned());
        if self.0.len() > IDS_MAX {
            self.0.pop_front();
        }
        true
    }
}

fn objects(response: &WatchInboundResponse) -> String {
    let mut text = String::new();
    for message in &response.messages {
        let object = json!({
            "inbound_id": message.inbound_id,
            "from": message.from,
            "to": message.to,
            "text": message.text,
            "data": hex(&message.data),
            "data_coding": message.data_coding,
            "header": hex(&message.header),
            "parts": message.parts,
            "missing_parts": message.missing_parts,
            "carrier": message.carrier,
            "received_at": received_at(message),
        });
        text.push_str(&format!("{object}\n"));
    }
    text.push_str(&format!("{}\n", json!({ "token": response.token })));
    text
}

fn lines(response: &WatchInboundResponse) -> String {
    response.messages.iter().map(line).collect()
}

fn line(message: &InboundMessage) -> String {
    let (at, from, to) = (received_at(message), &message.from, &message.to);
    let said = match &message.text {
        Some(text) => text.escape_debug().to_string(),
        None => format!("octets {}, data_coding {}", hex(&message.data), message.data_coding),
    };
    let missing = match &message.missing_parts[..] {
        [] => String::new(),
        missing => {
            let numbers: Vec<String> = missing.iter().map(u32::to_string).collect();
            format!("  (parts {} of {} are missing)", numbers.join(", "), message.parts)
        }
    };
    format!("{at}  {from} -> {to} over {}: {said}{missing}\n", message.carrier)
}

fn received_at(message: &InboundMessage) -> String {
    let at = message.received_at.as_ref();
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
        .map_or_else(String::new, |at| at.to_string())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
