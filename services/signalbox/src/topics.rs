//! `signalbox topics`: which topics an installation has on Apache Kafka, and making those that are missing before anything starts.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use bus::{Bus, KafkaBus, PublishError, Retention, TopicSpec};
use service::{time, time::Instant};
use signalbox_proto::topics;
use sms::CarrierName;

use crate::{
    cli::{Topics, TopicsOf},
    client::Away,
    config::{self, Config, Engine},
    roles,
};

/// What brokers call the process.
const CLIENT_ID: &str = "signalbox-topics";
/// How often brokers that are away are asked again.
const ASK_PERIOD: Duration = Duration::from_secs(1);

/// The topics of an installation, as its configuration states them.
#[derive(Debug)]
struct Plan {
    specs: Vec<TopicSpec>,
    /// Copies of each record; `None` = the brokers' default.
    replication: Option<u16>,
}

/// Does what is asked.
///
/// # Errors
/// The configuration is wrong, a topic has another partition count, or the brokers stay away ([`Away`]).
pub(crate) fn main(command: Topics) -> anyhow::Result<ExitCode> {
    match command {
        Topics::Create { of, within } => {
            let config = config::load(&of.config)?;
            let plan = Plan::new(&config, &of)?;
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            println!("{}", runtime.block_on(create(&config, &plan, within))?);
            // What is known by now is all there is to do: no thread of a client is waited for.
            runtime.shutdown_background();
        }
        Topics::List { of, json } => {
            let plan = Plan::new(&config::load(&of.config)?, &of)?;
            print!("{}", if json { plan.objects() } else { plan.table() });
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Plan {
    /// The topics that are there whatever the carriers, and those of every carrier that is named or has a link in `config`.
    fn new(config: &Config, of: &TopicsOf) -> anyhow::Result<Self> {
        let Engine::Apart { kafka, .. } = &config.engine else {
            bail!("[bus] kind is not kafka: an embedded log makes its topics by itself");
        };
        let mut carriers: BTreeSet<CarrierName> = of.carrier.iter().cloned().collect();
        if let Some(file) = &config.links {
            carriers.extend(roles::links(file)?.into_iter().flat_map(|link| link.carriers));
        }
        let mut specs = topics::fixed(config.partitions);
        let of_carriers = carriers
            .iter()
            .flat_map(|carrier| topics::of_carrier(carrier, config.partitions));
        specs.extend(of_carriers);
        Ok(Self {
            specs,
            replication: kafka.replication,
        })
    }

    /// For people.
    fn table(&self) -> String {
        let width = self
            .specs
            .iter()
            .map(|spec| spec.topic.as_str().len())
            .max()
            .unwrap_or_default();
        let mut text = format!("{:width$}  PARTITIONS  COPIES  KEEPS\n", "TOPIC");
        for spec in &self.specs {
            let (topic, keeps) = (spec.topic.as_str(), keeps(spec.retention));
            let copies = self.replication.map_or("-".to_owned(), |copies| copies.to_string());
            text += &format!("{topic:width$}  {:<10}  {copies:<6}  {keeps}\n", spec.partitions);
        }
        text
    }

    /// For programs: one JSON object a line.
    fn objects(&self) -> String {
        let object = |spec: &TopicSpec| {
            let retention_ms = match spec.retention {
                Retention::Time(kept) => Some(kept.as_millis() as u64),
                Retention::Compacted => None,
            };
            let object = serde_json::json!({
                "topic": spec.topic.as_str(),
                "partitions": spec.partitions,
                "replication": self.replication,
                "cleanup": if retention_ms.is_some() { "delete" } else { "compact" },
                "retention_ms": retention_ms,
            });
            format!("{object}\n")
        };
        self.specs.iter().map(object).collect()
    }
}

fn keeps(retention: Retention) -> String {
    match retention {
        Retention::Time(kept) => format!("{} h", kept.as_secs() / 3_600),
        Retention::Compacted => "the last of each key".to_owned(),
    }
}

/// Makes what is missing, asking brokers that are away again until `limit` has passed; says what was made.
async fn create(config: &Config, plan: &Plan, limit: Duration) -> anyhow::Result<String> {
    let Engine::Apart { kafka, .. } = &config.engine else {
        bail!("a plan stands for topics on Kafka");
    };
    let kafka = roles::kafka(kafka, CLIENT_ID, &config.folder)?;
    let bus = KafkaBus::new(kafka).context("[bus]")?;
    let end = time::now() + limit;
    asked(end, async || bus.check().await).await?;
    let is_new = |spec: &&TopicSpec| bus.partitions(&spec.topic).is_none();
    let new: Vec<_> = plan.specs.iter().filter(is_new).cloned().collect();
    asked(end, async || bus.ensure(&plan.specs).await).await?;
    let made: String = new.iter().map(|spec| format!("made {}\n", spec.topic)).collect();
    let (all, new) = (plan.specs.len(), new.len());
    Ok(format!("{made}{all} topics are there, {new} of them new"))
}

/// Asks until there is an answer, or it is `end`.
async fn asked(end: Instant, mut ask: impl AsyncFnMut() -> Result<(), PublishError>) -> anyhow::Result<()> {
    loop {
        match ask().await {
            Ok(()) => return Ok(()),
            Err(error @ PublishError::Away(_)) if time::now() >= end => bail!(Away(error.to_string())),
            Err(error @ PublishError::Away(_)) => eprintln!("signalbox: trying again: {error}"),
            Err(error) => return Err(error.into()),
        }
        time::sleep(ASK_PERIOD).await;
    }
}
