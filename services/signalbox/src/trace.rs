//! `signalbox trace`: the life of one message.

use std::{fmt::Write as _, process::ExitCode};

use jiff::Timestamp;
use signalbox_proto::pb::signalbox::ingest::v1::{Attempt, Charge, GetMessageRequest, GetMessageResponse, LookedUp};
use tonic::Code;

use crate::{
    cli::Trace,
    client::{self, explain},
    exit,
    send::state_word,
};

/// Prints what is known of the message. Exit code 1 if it is not known.
///
/// # Errors
/// The server refuses the call.
pub(crate) fn main(trace: Trace) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut client = client::connect(&trace.server).await?;
        match client
            .get_message(GetMessageRequest {
                message_id: trace.id.clone(),
            })
            .await
        {
            Ok(response) => {
                print!("{}", life(&response.into_inner()));
                Ok(ExitCode::SUCCESS)
            }
            Err(status) if status.code() == Code::NotFound => {
                eprintln!(
                    "signalbox: {} is no message of this account, or it is no longer kept",
                    trace.id
                );
                Ok(ExitCode::from(exit::NEGATIVE))
            }
            Err(status) => Err(explain(&status)),
        }
    })
}

/// The message's life as lines of text, times in UTC.
pub(crate) fn life(message: &GetMessageResponse) -> String {
    let mut text = String::new();
    let mut line = |words: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{words}");
    };
    let accepted = message.accepted_at.as_ref();
    let class = message
        .class()
        .as_str_name()
        .trim_start_matches("MESSAGE_CLASS_")
        .to_lowercase();
    let encoding = message
        .encoding()
        .as_str_name()
        .trim_start_matches("ENCODING_")
        .to_lowercase();
    let segments = message.segments;
    line(format_args!(
        "{}  {class}, {encoding}, segments: {segments}",
        message.message_id
    ));
    line(format_args!("  {}  accepted", instant(accepted)));
    for attempt in &message.attempts {
        line(format_args!("{}", attempt_lines(attempt, accepted)));
    }
    let state = state_word(message.state());
    let reason = message
        .reason
        .as_ref()
        .map(|reason| format!(": {}", reason_words(&reason.code, &reason.detail)));
    match message.ended_at.as_ref() {
        Some(ended) => {
            let after = after(accepted, Some(ended));
            line(format_args!(
                "  {}  {state}{}{after}",
                instant(Some(ended)),
                reason.unwrap_or_default()
            ));
        }
        None => line(format_args!(
            "  now                       {state}{}",
            reason.unwrap_or_default()
        )),
    }
    text
}

/// Where the network of an order came from.
fn looked_up_line(attempt: &Attempt, looked_up: &LookedUp) -> String {
    let network = if attempt.network.is_empty() {
        "no network"
    } else {
        &attempt.network
    };
    let who = match (&*looked_up.source, &*looked_up.provider) {
        ("plan", _) => "by the number's prefix, as nobody knew".to_owned(),
        (source, "") => format!("by {source}"),
        (source, provider) => format!("by {provider} ({source})"),
    };
    let ported = match looked_up.ported {
        Some(true) => ", ported",
        Some(false) => ", not ported",
        None => "",
    };
    let asked = looked_up.asked_at.as_ref();
    let age = after(asked, attempt.issued_at.as_ref());
    format!(
        "  {}  network {network} {who}{ported}, cost {}; used{age}",
        instant(asked),
        looked_up.cost
    )
}

fn attempt_lines(attempt: &Attempt, accepted: Option<&prost_types::Timestamp>) -> String {
    let price = match &attempt.price {
        Some(price) => format!("{} {} a segment, cost {}", price.unit, price.currency, price.cost),
        None => "price not known".to_owned(),
    };
    let policy = if attempt.policy.is_empty() {
        "the defaults"
    } else {
        &attempt.policy
    };
    let asked = attempt.issued_at.as_ref();
    let mut text = format!(
        "  {}  order {} to {}: {price}; by {policy}, table {}{}",
        instant(asked),
        attempt.order_number,
        attempt.carrier,
        attempt.table_version,
        after(accepted, asked),
    );
    if let Some(looked_up) = &attempt.looked_up {
        let _ = write!(text, "\n{}", looked_up_line(attempt, looked_up));
    }
    if !attempt.outcome.is_empty() {
        let answered = attempt.answered_at.as_ref();
        let reason = attempt
            .reason
            .as_ref()
            .map(|reason| format!(": {}", reason_words(&reason.code, &reason.detail)));
        let (outcome, reason) = (&attempt.outcome, reason.unwrap_or_default());
        let charge = attempt.charge.as_ref().map(charge_words).unwrap_or_default();
        let _ = write!(
            text,
            "\n  {}  {} answered {outcome}{reason}{}{charge}",
            instant(answered),
            attempt.carrier,
            after(asked, answered)
        );
    }
    text
}

/// What the carrier charges, as it says.
fn charge_words(charge: &Charge) -> String {
    let segments = match charge.segments {
        0 => None,
        1 => Some("1 segment".to_owned()),
        segments => Some(format!("{segments} segments")),
    };
    let cost = (!charge.cost.is_empty()).then(|| format!("{} {}", charge.cost, charge.currency));
    let network = (!charge.network.is_empty()).then(|| format!("network {}", charge.network));
    let said: Vec<_> = [segments, cost, network].into_iter().flatten().collect();
    match said.is_empty() {
        true => String::new(),
        false => format!("; it charges {}", said.join(", ")),
    }
}

fn reason_words(code: &str, detail: &str) -> String {
    if detail.is_empty() {
        code.to_owned()
    } else {
        format!("{code} ({detail})")
    }
}

fn instant(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
        .map_or_else(|| " ".repeat(24), |at| format!("{at:.3}"))
}

fn after(from: Option<&prost_types::Timestamp>, to: Option<&prost_types::Timestamp>) -> String {
    let millis = |at: &prost_types::Timestamp| at.seconds * 1_000 + i64::from(at.nanos / 1_000_000);
    match (from, to) {
        (Some(from), Some(to)) => format!(" (+{} ms)", millis(to) - millis(from)),
        _ => String::new(),
    }
}
