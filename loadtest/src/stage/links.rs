//! Waits until the connectors say that their links are up, as routers hear it.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context as _;
use bus::{Bus as _, KafkaBus, KafkaConfig, Position};
use journey::{CarrierWord, LinkState};
use service::time;
use signalbox_proto::{record, topics};
use sms::{CarrierName, UnixMs};

/// Longest wait for all of them.
const LINKS_TIMEOUT: Duration = Duration::from_secs(60);
/// By then routers have heard what was just said here.
const HEARD: Duration = Duration::from_secs(1);
/// Words taken at once.
const RECORDS_MAX: usize = 1_000;

/// Waits until the link of each of `carriers` was said to be up since `began`.
///
/// A connector is ready before it has its lease and its links. Until routers hear of a link, a carrier whose connector left
/// the log at the end of an earlier run is one to pass while another is up, and messages go where nobody expects them.
pub async fn wait(brokers: &str, carriers: BTreeSet<CarrierName>, began: UnixMs) -> anyhow::Result<()> {
    time::timeout(LINKS_TIMEOUT, all_up(brokers, carriers, began))
        .await
        .context("a link did not come up")??;
    time::sleep(HEARD).await;
    Ok(())
}

async fn all_up(brokers: &str, mut carriers: BTreeSet<CarrierName>, began: UnixMs) -> anyhow::Result<()> {
    let log = KafkaBus::new(KafkaConfig {
        brokers: brokers.to_owned(),
        client_id: "signalbox-links".to_owned(),
        ..KafkaConfig::default()
    })?;
    let mut words = log.read(&topics::carriers(), Position::Start).await?;
    while !carriers.is_empty() {
        for stored in words.next(RECORDS_MAX).await? {
            let word =
                record::carrier_word_from_bytes(&stored.value).context("a word about a carrier cannot be read")?;
            let CarrierWord::Link(word) = word else { continue };
            if word.state == LinkState::Up && word.said_at >= began {
                carriers.remove(&word.carrier);
            }
        }
    }
    Ok(())
}
