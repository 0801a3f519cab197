//! Messages over one link of the connector to a carrier on the loopback, as fast as they are answered.

use anyhow::{Context as _, Result, ensure};
use connector::probe;
use serde::Serialize;

use super::{Args, carrier::Carrier, messages};
use crate::decide::clock::median;

/// What one link does.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Flow {
    /// Messages that may be unanswered.
    pub(crate) window: u32,
    /// Messages in a round.
    pub(crate) messages: u64,
    /// Messages answered a second: the median over the rounds.
    pub(crate) per_second: f64,
    /// The slowest and the fastest round.
    pub(crate) slowest: f64,
    pub(crate) fastest: f64,
}

/// Submits the messages, each round over a connection of its own.
///
/// # Errors
/// The link does not come up, or loses a message.
pub(super) fn flow(args: &Args) -> Result<Flow> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rates = runtime.block_on(rounds(args))?;
    Ok(Flow {
        window: args.window,
        messages: args.messages,
        slowest: rates.iter().copied().fold(f64::INFINITY, f64::min),
        fastest: rates.iter().copied().fold(0.0, f64::max),
        per_second: median(rates),
    })
}

async fn rounds(args: &Args) -> Result<Vec<f64>> {
    let carrier = Carrier::start().await?;
    let orders = messages::orders()?;
    let mut rates = Vec::new();
    for _ in 0..args.rounds {
        let flood = probe::flood(carrier.address.to_string(), args.window, args.messages, orders.clone()).await;
        ensure!(
            flood.taken == args.messages,
            "{} of {} messages were taken, {} lost",
            flood.taken,
            args.messages,
            flood.lost
        );
        let took = flood.took.context("the link did not come up")?;
        rates.push(args.messages as f64 / took.as_secs_f64());
    }
    Ok(rates)
}
