//! Topics: which there are, and making those that are missing.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    config::{FromClientConfig, FromClientConfigAndContext},
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code},
    metadata::Metadata,
};

use super::{
    KafkaConfig,
    ear::{Consumer, Ear},
    settings,
    trouble::Trouble,
};
use crate::{PublishError, Topic, TopicSpec};

/// How long brokers may take to answer a question.
pub(super) const ANSWER_MAX: Duration = Duration::from_secs(5);
/// How long they get at first, before it is looked at whether they can be reached at all.
const FIRST_ANSWER: Duration = Duration::from_millis(500);
/// How long they may take to make topics and choose their leaders.
const CREATE_MAX: Duration = Duration::from_secs(20);
/// How often it is looked whether topics that were made are offered.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The topics of the brokers as last seen, and a client to ask about them.
pub(super) struct Topics {
    config: KafkaConfig,
    trouble: Arc<Trouble>,
    asker: Consumer,
    known: RwLock<BTreeMap<Topic, Known>>,
}

/// A topic of the brokers.
#[derive(Clone, Copy)]
struct Known {
    partitions: u32,
    /// Whether this process reads or writes it.
    is_used: bool,
    /// Whether the last answer had it. A broker that lags behind misses topics for a while, so they are not forgotten.
    is_seen: bool,
}

impl Topics {
    /// Knows nothing yet; no broker is asked.
    pub(super) fn new(config: &KafkaConfig, trouble: &Arc<Trouble>) -> Result<Self, PublishError> {
        // Without a group a consumer does nothing but ask.
        let asker = BaseConsumer::from_config_and_context(&config.client(), Ear::new(trouble))
            .map_err(|error| PublishError::Away(trouble.unmade(&error)))?;
        Ok(Self {
            config: config.clone(),
            trouble: trouble.clone(),
            asker,
            known: RwLock::default(),
        })
    }

    /// Partitions of `topic` as last seen.
    pub(super) fn partitions(&self, topic: &Topic) -> Option<u32> {
        let known = self.known.read().expect("no holder panics");
        known.get(topic).map(|known| known.partitions)
    }

    /// Partitions of `topic` as last seen; from now on [`Topics::refresh`] minds whether it is served.
    pub(super) fn used(&self, topic: &Topic) -> Option<u32> {
        let known = self.known.read().expect("no holder panics").get(topic).copied()?;
        if !known.is_used
            && let Some(known) = self.known.write().expect("no holder panics").get_mut(topic)
        {
            known.is_used = true;
        }
        Some(known.partitions)
    }

    /// Asks which topics there are, and whether each partition of those in use has a leader; blocks up to `limit`.
    pub(super) fn refresh(&self, limit: Duration) -> Result<(), PublishError> {
        let metadata = self.ask(limit).map_err(|error| self.away(&error))?;
        let leaderless = self.learn(&metadata);
        match leaderless {
            Some((topic, partition)) => Err(PublishError::Away(format!(
                "partition {partition} of {topic} has no leader: start the brokers that hold it ({})",
                self.config.brokers
            ))),
            None => {
                self.trouble.clear();
                Ok(())
            }
        }
    }

    /// Asks for all topics; gives up early where it is known why no broker answers.
    fn ask(&self, limit: Duration) -> KafkaResult<Metadata> {
        let (mut left, mut wait) = (limit, FIRST_ANSWER);
        loop {
            let asked = self.asker.fetch_metadata(None, wait.min(left));
            // What is wrong is among what the client has to say.
            self.asker.context().drain(&self.asker);
            left = left.saturating_sub(wait);
            if asked.is_ok() || left.is_zero() || self.trouble.known().is_some() {
                return asked;
            }
            wait *= 2;
        }
    }

    /// Creates what is missing of `specs`; blocks.
    pub(super) fn ensure(&self, specs: &[TopicSpec]) -> Result<(), PublishError> {
        self.refresh(ANSWER_MAX)?;
        let missing = self.missing(specs)?;
        if missing.len() < specs.len() {
            let is_there = |spec: &&TopicSpec| missing.iter().all(|missing| missing.topic != spec.topic);
            self.look_over(&specs.iter().filter(is_there).collect::<Vec<_>>());
        }
        if missing.is_empty() {
            return Ok(());
        }
        self.create(&missing)?;
        self.wait_offered(specs)
    }

    /// Waits until the brokers offer all of `specs`, which are made; blocks, up to [`CREATE_MAX`] in all.
    #[expect(
        clippy::disallowed_methods,
        reason = "brokers learn of a topic one after the other, in real time"
    )]
    fn wait_offered(&self, specs: &[TopicSpec]) -> Result<(), PublishError> {
        let end = Instant::now() + CREATE_MAX;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let refreshed = self.refresh(left.clamp(LOOK_EVERY, ANSWER_MAX));
            let missing = self.missing(specs)?;
            if missing.is_empty() && refreshed.is_ok() {
                return Ok(());
            }
            if left.is_zero() {
                refreshed?;
                let (brokers, topic) = (&self.config.brokers, &missing[0].topic);
                let words = format!("{brokers} made topic {topic} but do not offer it yet");
                return Err(PublishError::Away(words));
            }
            std::thread::sleep(LOOK_EVERY.min(left));
        }
    }

    fn is_seen(&self, topic: &Topic) -> bool {
        let known = self.known.read().expect("no holder panics");
        known.get(topic).is_some_and(|known| known.is_seen)
    }

    /// Those of `specs` that the last answer did not have.
    fn missing(&self, specs: &[TopicSpec]) -> Result<Vec<TopicSpec>, PublishError> {
        let mut missing = Vec::new();
        for spec in specs {
            match self.used(&spec.topic).filter(|_| self.is_seen(&spec.topic)) {
                Some(there) if there != spec.partitions.max(1) => {
                    let (topic, wanted) = (spec.topic.clone(), spec.partitions);
                    return Err(PublishError::Partitions { topic, there, wanted });
                }
                Some(_) => {}
                None => missing.push(spec.clone()),
            }
        }
        Ok(missing)
    }

    fn create(&self, specs: &[TopicSpec]) -> Result<(), PublishError> {
        let settings: Vec<_> = specs
            .iter()
            .map(|spec| settings::wanted(spec, self.config.replication))
            .collect();
        let replication = self.config.replication.map_or(-1, i32::from);
        let topics: Vec<_> = specs
            .iter()
            .zip(&settings)
            .map(|(spec, settings)| {
                let partitions = spec.partitions.max(1) as i32;
                let topic = NewTopic::new(spec.topic.as_str(), partitions, TopicReplication::Fixed(replication));
                settings
                    .iter()
                    .fold(topic, |topic, (name, value)| topic.set(name, value))
            })
            .collect();
        let client = AdminClient::from_config(&self.config.client()).map_err(|error| self.away(&error))?;
        let options = AdminOptions::new()
            .request_timeout(Some(CREATE_MAX))
            .operation_timeout(Some(CREATE_MAX));
        let made = futures::executor::block_on(client.create_topics(&topics, &options));
        for result in made.map_err(|error| self.away(&error))? {
            match result {
                // Another process was faster; its partition count is looked at next.
                Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(self.not_made(&topic, code)),
            }
        }
        Ok(())
    }

    /// Says which of the topics that are there keep less than they should. They may have been made by hand, and belong to
    /// whoever did: nothing is changed.
    fn look_over(&self, specs: &[&TopicSpec]) {
        let Ok(client) = AdminClient::from_config(&self.config.client()) else {
            return;
        };
        let topics: Vec<_> = specs
            .iter()
            .map(|spec| ResourceSpecifier::Topic(spec.topic.as_str()))
            .collect();
        let options = AdminOptions::new().request_timeout(Some(ANSWER_MAX));
        let Ok(found) = futures::executor::block_on(client.describe_configs(&topics, &options)) else {
            tracing::debug!("the settings of topics cannot be asked for");
            return;
        };
        for (spec, found) in specs.iter().zip(found) {
            let Ok(found) = found else { continue };
            let setting = |name| {
                found
                    .get(name)
                    .and_then(|setting| setting.value.as_deref())
                    .unwrap_or_default()
            };
            for problem in settings::problems(spec, setting) {
                tracing::warn!(topic = %spec.topic, problem, "a topic is not as it should be");
            }
        }
    }

    fn not_made(&self, topic: &str, code: Code) -> PublishError {
        let brokers = &self.config.brokers;
        let help = match code {
            Code::InvalidReplicationFactor => "set [bus] replication to at most the number of brokers",
            Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed => "allow its user to create topics",
            Code::PolicyViolation => "the brokers have a rule against it",
            _ => "see the log of the brokers",
        };
        PublishError::Away(format!("{brokers} do not make topic {topic}: {code}; {help}"))
    }

    /// Takes over what there is; gives a partition in use that nobody serves.
    fn learn<'a>(&self, metadata: &'a Metadata) -> Option<(&'a str, i32)> {
        let mut known = self.known.write().expect("no holder panics");
        known.values_mut().for_each(|known| known.is_seen = false);
        let mut leaderless = None;
        for there in metadata.topics() {
            if there.error().is_some() || there.partitions().is_empty() {
                continue;
            }
            let topic = Topic::new(there.name());
            let is_used = known.get(&topic).is_some_and(|known| known.is_used);
            if is_used && leaderless.is_none() {
                let partition = there.partitions().iter().find(|partition| partition.leader() < 0);
                leaderless = partition.map(|partition| (there.name(), partition.id()));
            }
            let partitions = there.partitions().len() as u32;
            let seen = Known {
                partitions,
                is_used,
                is_seen: true,
            };
            known.insert(topic, seen);
        }
        leaderless
    }

    fn away(&self, error: &KafkaError) -> PublishError {
        PublishError::Away(self.trouble.explain(error))
    }
}
