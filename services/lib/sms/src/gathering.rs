//! How the parts of a long inbound message are gathered, and how repeats of a carrier are told: pure, for whoever keeps it.
//!
//! A message that stands alone is gathered from one part. Whoever writes a [`Gathering`] does so by compare-and-swap: of two
//! that fold different parts at once, one folds again.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use crate::{Carriers, Inbound, InboundPart, MessageId, UnixMs};

/// How long whoever publishes a message is left alone with it; then it counts as dead, and another publishes it under the
/// same id.
pub const GATHER_SETTLES: Duration = Duration::from_secs(10);
/// Octets gathered for one message: what makes a value that every store takes.
pub const GATHER_OCTETS_MAX: usize = 56 * 1024;

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatherStage {
    /// Parts are awaited.
    Open,
    /// Somebody publishes it.
    Publishing,
    /// It is on the log.
    Done,
}

/// For how long parts and repeats are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatherRules {
    /// What comes again within this time after it was published is a repeat.
    pub repeats: Duration,
    /// A message whose parts are not all there this long after the first is published without them.
    pub within: Duration,
}

/// What is known of one inbound message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathering {
    /// The id it is or will be published under.
    pub id: MessageId,
    /// The carriers whose link it came over.
    pub carriers: Carriers,
    /// What the part that came first says beside its content, which is not kept here.
    pub first: InboundPart,
    /// Parts it was sent in.
    pub total: u8,
    /// When its first part came.
    pub began_at: UnixMs,
    /// How far it has come.
    pub stage: GatherStage,
    /// Since when.
    pub since: UnixMs,
    /// For how long parts and repeats are told.
    pub rules: GatherRules,
    /// Digest of every part that came, by number.
    pub digests: BTreeMap<u8, u64>,
    /// Content of the parts, by number; none of a message that stands alone, as its carrier keeps that until it was published,
    /// and none once it is done.
    pub parts: BTreeMap<u8, Bytes>,
}

/// What a part makes of what is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatherStep {
    /// It is safe once this is written.
    Keep(Gathering),
    /// It is there already, and safe once what is known is.
    Repeat,
    /// Once this is written the message is to be published, and it is safe when that is.
    Publish(Gathering, Box<Inbound>),
    /// Somebody is about to publish it: it shall come again.
    Busy,
    /// It is of another message, which names itself alike: what is known is to be published first.
    Clash,
}

/// A part that is told apart from others.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The carriers whose link it came over.
    pub carriers: &'a Carriers,
    /// The part.
    pub part: &'a InboundPart,
    /// Whether no others are waited for, as it stands alone or is too large to be kept.
    pub is_alone: bool,
    /// Digest of its content.
    pub digest: u64,
    /// For how long parts and repeats are told.
    pub rules: GatherRules,
}

impl Told<'_> {
    /// Number of the part and how many there are.
    fn place(&self) -> (u8, u8) {
        self.part.place.map_or((1, 1), |place| (place.part, place.total))
    }
}

impl Gathering {
    /// What `told` makes of what is `known`. A message that begins here gets the id that `new_id` makes.
    pub fn step(known: Option<&Self>, told: Told<'_>, now: UnixMs, new_id: impl FnOnce() -> MessageId) -> GatherStep {
        let (number, _) = told.place();
        match known {
            None => Self::begin(told, new_id(), now),
            Some(known) if known.digests.get(&number) == Some(&told.digest) => known.again(told, now),
            Some(known) => match known.stage {
                GatherStage::Open if known.has_room_for(number, told.part) => known.clone().add(told, now),
                GatherStage::Open => GatherStep::Clash,
                GatherStage::Publishing => GatherStep::Busy,
                GatherStage::Done => Self::begin(told, new_id(), now),
            },
        }
    }

    fn begin(told: Told<'_>, id: MessageId, now: UnixMs) -> GatherStep {
        let first = InboundPart {
            octets: Bytes::new(),
            place: None,
            ..told.part.clone()
        };
        let gathering = Self {
            id,
            carriers: told.carriers.clone(),
            first,
            total: told.place().1,
            began_at: now,
            stage: GatherStage::Open,
            since: now,
            rules: told.rules,
            digests: BTreeMap::new(),
            parts: BTreeMap::new(),
        };
        gathering.add(told, now)
    }

    fn add(mut self, told: Told<'_>, now: UnixMs) -> GatherStep {
        let (number, total) = told.place();
        self.digests.insert(number, told.digest);
        if told.is_alone {
            (self.stage, self.since) = (GatherStage::Publishing, now);
            let inbound = self.alone(told);
            return GatherStep::Publish(self, inbound);
        }
        self.parts.insert(number, told.part.octets.clone());
        if self.parts.len() < usize::from(total) {
            return GatherStep::Keep(self);
        }
        let (gathering, inbound) = self.published(now);
        GatherStep::Publish(gathering, inbound)
    }

    /// The part is there already.
    fn again(&self, told: Told<'_>, now: UnixMs) -> GatherStep {
        // What stands alone is kept by nobody but its carrier until it is published; parts are kept here.
        if self.stage != GatherStage::Publishing || !told.is_alone {
            return GatherStep::Repeat;
        }
        if now.since(self.since) < GATHER_SETTLES {
            return GatherStep::Busy;
        }
        let again = Self {
            since: now,
            ..self.clone()
        };
        let inbound = again.alone(told);
        GatherStep::Publish(again, inbound)
    }

    fn alone(&self, told: Told<'_>) -> Box<Inbound> {
        let (number, total) = told.place();
        let parts = BTreeMap::from([(number, told.part.octets.clone())]);
        let who = (self.id, self.carriers.clone(), self.began_at);
        Box::new(Inbound::join(who, told.part, total, &parts))
    }

    fn published(mut self, now: UnixMs) -> (Self, Box<Inbound>) {
        (self.stage, self.since) = (GatherStage::Publishing, now);
        let who = (self.id, self.carriers.clone(), self.began_at);
        let inbound = Inbound::join(who, &self.first, self.total, &self.parts);
        (self, Box::new(inbound))
    }

    /// The message with the parts that are there, for whoever is to publish it now; `None` = it stands alone, somebody is at it,
    /// or it is done.
    pub fn close(&self, now: UnixMs) -> Option<(Self, Box<Inbound>)> {
        let is_left = match self.stage {
            GatherStage::Open => true,
            GatherStage::Publishing => now.since(self.since) >= GATHER_SETTLES,
            GatherStage::Done => false,
        };
        (is_left && !self.parts.is_empty()).then(|| self.clone().published(now))
    }

    /// The same once it is on the log.
    #[must_use]
    pub fn done(mut self, now: UnixMs) -> Self {
        (self.stage, self.since) = (GatherStage::Done, now);
        self.parts.clear();
        self
    }

    /// Octets of the parts that are kept.
    pub fn octets(&self) -> usize {
        self.parts.values().map(Bytes::len).sum()
    }

    /// When somebody is to look at it again; `None` = never.
    pub fn due_at(&self) -> Option<UnixMs> {
        match self.stage {
            GatherStage::Open => Some(self.began_at + self.rules.within),
            GatherStage::Publishing if !self.parts.is_empty() => Some(self.since + GATHER_SETTLES),
            GatherStage::Publishing | GatherStage::Done => None,
        }
    }

    fn has_room_for(&self, number: u8, part: &InboundPart) -> bool {
        !self.digests.contains_key(&number) && self.octets() + part.octets.len() <= GATHER_OCTETS_MAX
    }
}

#[cfg(test)]
mod tests;
