//! A reader without a group, over a consumer that is kept for the next one.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use rdkafka::{Offset, TopicPartitionList, consumer::Consumer as _, error::KafkaResult};

use super::{
    blocking,
    desk::Desk,
    lines::{Line, Lines},
    offsets::{self, Found, Place},
    topics::ANSWER_MAX,
};
use crate::{ConsumeError, Position, Read, Stored, Topic};

/// Wait for records that should be there before it is asked whether they still are.
const OVERDUE: Duration = Duration::from_secs(1);

/// Goes through all partitions of one topic.
pub(super) struct Reader {
    topic: Topic,
    places: Vec<Place>,
    desk: Arc<Desk>,
    /// Taken when dropped.
    line: Option<Line>,
    lines: Arc<Lines>,
}

impl Reader {
    /// Opens a reader; blocks. `desk` is registered by the caller, so that closing reaches it.
    pub(super) fn open(
        lines: &Arc<Lines>,
        topic: &Topic,
        partitions: u32,
        from: &Position,
    ) -> Result<Self, ConsumeError> {
        let line = lines.take(partitions).map_err(|error| lines.away(&error))?;
        let places: Vec<_> = (0..partitions).map(|partition| (topic.clone(), partition)).collect();
        let desk = Arc::new(Desk::with(line.news.clone()));
        let reader = Self {
            topic: topic.clone(),
            places,
            desk,
            line: Some(line),
            lines: lines.clone(),
        };
        let (begins, ends) = reader.locate(from)?;
        reader.assign(&begins, &ends).map_err(|error| lines.away(&error))?;
        Ok(reader)
    }

    /// What closing has to reach.
    pub(super) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Where `from` lies in each partition, and where they end.
    fn locate(&self, from: &Position) -> Result<(Found, Found), ConsumeError> {
        let consumer = &self.line().consumer;
        let ask = |what: KafkaResult<Found>| {
            consumer.context().drain(consumer);
            let found = what.map_err(|error| self.lines.away(&error))?;
            Ok::<_, ConsumeError>(found)
        };
        // The ends first: what comes between the questions is read.
        let ends = ask(offsets::ends(consumer, &self.places, ANSWER_MAX))?;
        if let Some((_, partition)) = self.places.iter().find(|place| !ends.contains_key(place)) {
            let (topic, brokers) = (&self.topic, &self.lines.config.brokers);
            let words = format!("{brokers} do not say where partition {partition} of {topic} ends");
            return Err(ConsumeError::Away(words));
        }
        let begins = match from {
            Position::End => ends.clone(),
            Position::Start => ask(offsets::begins(consumer, &self.places, ANSWER_MAX))?,
            Position::Since(instant_ms) => ask(offsets::since(consumer, &self.places, *instant_ms, ANSWER_MAX))?,
            Position::At(text) => {
                let kept = ask(offsets::begins(consumer, &self.places, ANSWER_MAX))?;
                self.parse(text, &kept, &ends)
                    .ok_or_else(|| ConsumeError::Position(text.clone()))?
            }
        };
        Ok((begins, ends))
    }

    /// Reads back what `position` wrote; `None` if it is none of this topic's or no longer kept.
    fn parse(&self, text: &str, kept: &Found, ends: &Found) -> Option<Found> {
        let (topic, offsets) = text.rsplit_once('/')?;
        let offsets: Vec<i64> = offsets
            .split('.')
            .map(|offset| offset.parse().ok())
            .collect::<Option<_>>()?;
        let is_ours = topic == self.topic.as_str() && offsets.len() == self.places.len();
        let is_kept = |(place, offset): (&Place, &i64)| {
            kept.get(place).is_none_or(|first| first <= offset) && ends.get(place).is_some_and(|end| offset <= end)
        };
        let found = is_ours && self.places.iter().zip(&offsets).all(is_kept);
        found.then(|| self.places.iter().cloned().zip(offsets).collect())
    }

    fn assign(&self, begins: &Found, ends: &Found) -> KafkaResult<()> {
        let consumer = &self.line().consumer;
        let mut list = TopicPartitionList::with_capacity(self.places.len());
        for place in &self.places {
            let (topic, partition) = (&place.0, place.1);
            let next = begins.get(place).or(ends.get(place)).copied();
            self.desk.add(consumer, topic, partition, 0);
            self.desk.one(topic, partition, |held| {
                held.next = next;
                held.end = ends.get(place).copied();
            });
            list.add_partition_offset(topic.as_str(), partition as i32, Offset::Offset(next.unwrap_or(0)))?;
        }
        consumer.assign(&list)
    }

    fn line(&self) -> &Line {
        self.line.as_ref().expect("it is taken by drop alone")
    }

    /// Records if some are there; what is wrong if something is.
    fn take(&self, records_max: usize) -> Result<Vec<Stored>, ConsumeError> {
        let consumer = &self.line().consumer;
        let failed = consumer.context().drain(consumer);
        if let Some(taken) = self.desk.take(records_max)? {
            return Ok(taken.records);
        }
        match failed {
            Some(error) => Err(self.lines.away(&error)),
            None if consumer.context().is_down() => {
                Err(ConsumeError::Away(self.lines.trouble.known().unwrap_or_default()))
            }
            None => Ok(Vec::new()),
        }
    }

    async fn wait_records(&mut self, records_max: usize) -> Result<Vec<Stored>, ConsumeError> {
        loop {
            let records = self.take(records_max)?;
            if !records.is_empty() {
                return Ok(records);
            }
            // A permit given after the look above is kept, so nothing is missed.
            self.desk.news.notified().await;
        }
    }

    async fn poll_records(&mut self, records_max: usize) -> Result<Vec<Stored>, ConsumeError> {
        let mut is_asked = false;
        loop {
            let records = self.take(records_max)?;
            let is_at_end = self
                .desk
                .each(|held| held.next >= held.end)
                .into_iter()
                .all(|is_at_end| is_at_end);
            if !records.is_empty() || is_at_end && is_asked {
                return Ok(records);
            }
            if is_at_end {
                self.ask(false).await?;
                is_asked = true;
                continue;
            }
            #[expect(clippy::disallowed_methods, reason = "a real broker answers in real time")]
            let waited = tokio::time::timeout(OVERDUE, self.desk.news.notified()).await;
            if waited.is_err() {
                self.ask(true).await?;
            }
        }
    }

    /// Asks for the ends, and for the beginnings too if what we wait for may be dropped by now.
    async fn ask(&self, may_be_dropped: bool) -> Result<(), ConsumeError> {
        let (consumer, places) = (self.line().consumer.clone(), self.places.clone());
        let (lines, desk) = (self.lines.clone(), self.desk.clone());
        blocking(move || {
            let found = offsets::ends(&consumer, &places, ANSWER_MAX).and_then(|ends| {
                let begins = may_be_dropped.then(|| offsets::begins(&consumer, &places, ANSWER_MAX));
                Ok((ends, begins.transpose()?.unwrap_or_default()))
            });
            let (ends, begins) = found.map_err(|error| lines.away(&error))?;
            desk.each(|held| {
                let place = (held.topic.clone(), held.partition);
                held.end = held.end.max(ends.get(&place).copied());
                held.next = held.next.max(begins.get(&place).copied());
            });
            Ok(())
        })
        .await
    }
}

impl Read for Reader {
    fn next(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        self.wait_records(records_max).boxed()
    }

    fn poll(&mut self, records_max: usize) -> BoxFuture<'_, Result<Vec<Stored>, ConsumeError>> {
        self.poll_records(records_max).boxed()
    }

    fn position(&self) -> Position {
        let offsets = self.desk.each(|held| held.next.unwrap_or(0).to_string());
        Position::At(format!("{}/{}", self.topic, offsets.join(".")))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        let (desk, lines) = (self.desk.clone(), self.lines.clone());
        // To give up partitions, and to end a consumer, takes a moment.
        super::thread("bus-reader", move || {
            desk.clear();
            lines.give_back(line);
        });
    }
}
