//! `signalbox send`: one message, and how it ended.

use std::{process::ExitCode, time::Duration};

use anyhow::Context as _;
use service::time;
use signalbox_proto::pb::signalbox::{
    ingest::v1::{Accepted, MessageState, Receipt, Submission, SubmitRequest, WatchReceiptsRequest},
    sms::v1::{Content, Encoding, MessageClass, content::Body},
};

use crate::{
    cli::{ClassWord, Send},
    client::{self, Client, come_back, explain},
    exit,
};

/// Submits the message, waits for its receipt and says how it ended. Exit code 0 if it was delivered or sent.
///
/// # Errors
/// The server cannot be reached or refuses the message.
pub(crate) fn main(send: Send) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut client = client::connect(&send.server).await?;
        run(&mut client, &send).await
    })
}

async fn run(client: &mut Client, send: &Send) -> anyhow::Result<ExitCode> {
    // The watch begins before the message is submitted, so its receipt cannot slip by.
    let mut receipts = client
        .watch_receipts(WatchReceiptsRequest::default())
        .await
        .map_err(|status| explain(&status))?
        .into_inner();
    let accepted = submit(client, send).await?;
    println!("{}", accepted_line(&accepted));
    if send.no_wait {
        return Ok(ExitCode::SUCCESS);
    }
    while let Some(response) = receipts.message().await.map_err(|status| explain(&status))? {
        let found = response
            .receipts
            .into_iter()
            .find(|receipt| receipt.message_id == accepted.message_id);
        if let Some(receipt) = found {
            println!("{}", receipt_line(&receipt));
            let is_good = matches!(receipt.state(), MessageState::Delivered | MessageState::Sent);
            return Ok(ExitCode::from(if is_good { 0 } else { exit::NEGATIVE }));
        }
    }
    anyhow::bail!(
        "the server closed the stream before the receipt of {} came",
        accepted.message_id
    )
}

/// Submits the message, and comes back as often as the server says within the patience asked for.
async fn submit(client: &mut Client, send: &Send) -> anyhow::Result<Accepted> {
    let request = SubmitRequest {
        message: Some(submission(send)),
    };
    let give_up_at = time::now() + Duration::from_secs(send.patience.into());
    loop {
        let status = match client.submit(request.clone()).await {
            Ok(response) => {
                let accepted = response.into_inner().accepted;
                return accepted.context("the server answered without saying what it accepted");
            }
            Err(status) => status,
        };
        match come_back(&status) {
            Some(stay_away) if time::now() + stay_away <= give_up_at => {
                eprintln!("not now: {}", status.message());
                time::sleep(stay_away).await;
            }
            _ => return Err(explain(&status)),
        }
    }
}

fn submission(send: &Send) -> Submission {
    let class = match send.class {
        ClassWord::Otp => MessageClass::Otp,
        ClassWord::Transactional => MessageClass::Transactional,
        ClassWord::Promotional => MessageClass::Promotional,
    };
    Submission {
        to: send.to.clone(),
        from: send.from.clone(),
        content: Some(Content {
            body: Some(Body::Text(send.text.clone())),
        }),
        class: class.into(),
        ttl: send.ttl.map(|seconds| prost_types::Duration {
            seconds: seconds.into(),
            nanos: 0,
        }),
        ..Submission::default()
    }
}

fn accepted_line(accepted: &Accepted) -> String {
    let encoding = match accepted.encoding() {
        Encoding::Gsm7 => "GSM-7",
        Encoding::Ucs2 => "UCS-2",
        Encoding::Binary => "binary",
        Encoding::Unspecified => "an unnamed encoding",
    };
    let plural = if accepted.segments == 1 { "" } else { "s" };
    format!(
        "{}  accepted: {} segment{plural} in {encoding}",
        accepted.message_id, accepted.segments
    )
}

fn receipt_line(receipt: &Receipt) -> String {
    let (id, state) = (&receipt.message_id, state_word(receipt.state()));
    match &receipt.error {
        Some(reason) if reason.detail.is_empty() => format!("{id}  {state}: {}", reason.code),
        Some(reason) => format!("{id}  {state}: {} ({})", reason.code, reason.detail),
        None => format!("{id}  {state}"),
    }
}

/// The word people use for `state`.
pub(crate) fn state_word(state: MessageState) -> &'static str {
    match state {
        MessageState::Unspecified => "not said",
        MessageState::Accepted => "accepted",
        MessageState::Scheduled => "scheduled",
        MessageState::Routed => "routed",
        MessageState::Submitted => "submitted",
        MessageState::Delivered => "delivered",
        MessageState::Sent => "sent",
        MessageState::Failed => "failed",
        MessageState::Expired => "expired",
        MessageState::Rejected => "rejected",
        MessageState::Unknown => "unknown",
    }
}
