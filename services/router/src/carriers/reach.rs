//! Makes the topics of the carriers that tables bring, beside the loops: a carrier whose topics cannot be made gets no
//! orders, and keeps nobody else waiting.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bus::{PublishError, TopicSpec};
use service::{Seldom, Stop, time};
use signalbox_proto::topics;
use sms::CarrierName;
use table::Table;
use tracing::warn;

use crate::{Error, desk::Desk, metrics};

/// Longest wait for the topics before the first decision.
const START_LIMIT: Duration = Duration::from_secs(10);
/// How often the table in force is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Wait before topics that could not be made are tried again.
const RETRY: Duration = Duration::from_secs(2);

/// What cannot be made is found out at every try.
static TOLD: Seldom = Seldom::new();

/// Makes the topics of all carriers of the table in force that can be made within a moment; [`keep`] goes on with the
/// others.
pub(crate) async fn begin(desk: &Arc<Desk>) {
    let table = desk.table.snapshot();
    if time::timeout(START_LIMIT, make(desk, &table)).await.is_none() {
        warn!("the topics of the carriers were not made in time, starting without");
    }
}

/// Makes what carriers of the table in force lack, whenever there is another one, until `stop`.
pub(crate) async fn keep(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let keeping = async {
        loop {
            let table = desk.table.snapshot();
            let mut left = match make(&desk, &table).await {
                true => None,
                false => Some(RETRY),
            };
            while Arc::ptr_eq(&table, &desk.table.snapshot()) && left != Some(Duration::ZERO) {
                time::sleep(LOOK).await;
                left = left.map(|left| left.saturating_sub(LOOK));
            }
        }
    };
    tokio::select! {
        biased;
        () = stop.requested() => Ok(()),
        () = keeping => Ok(()),
    }
}

/// Makes what carriers of `table` lack. True = nothing is missing any more.
async fn make(desk: &Arc<Desk>, table: &Table) -> bool {
    let names = table.carriers().iter().map(|carrier| carrier.name());
    let new = desk.carriers.without_topics(names);
    if new.is_empty() {
        return true;
    }
    for carrier in &new {
        metrics::begin_carrier(carrier.as_str());
    }
    let partitions = desk.config.partitions;
    let specs = |carrier: &CarrierName| topics::of_carrier(carrier, partitions);
    let all: Vec<TopicSpec> = new.iter().flat_map(specs).collect();
    if desk.bus().ensure(&all).await.is_ok() {
        desk.carriers.have_topics(&new);
        return true;
    }
    // One by one, so that one that is refused does not hold the others back.
    let mut failed: BTreeMap<String, PublishError> = BTreeMap::new();
    for carrier in new {
        match desk.bus().ensure(&specs(&carrier)).await {
            Ok(()) => desk.carriers.have_topics(&[carrier]),
            Err(error) => {
                failed.insert(carrier.to_string(), error);
            }
        }
    }
    let Some((_, error)) = failed.first_key_value() else {
        return true;
    };
    if TOLD.is_due("topics") {
        let carriers = failed.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        warn!(%carriers, %error, "cannot make the topics of these carriers: they get no orders until it works, trying again");
    }
    false
}
