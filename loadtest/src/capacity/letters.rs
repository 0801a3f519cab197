//! Messages of one kind: texts as customers write them, of so many segments, to numbers of an invented country.

use anyhow::Context as _;
use signalbox_proto::pb::signalbox::ingest::v1::{ReceiptWish, Submission};

use crate::{
    stage::land::{self, Letters},
    submit::submission,
    world::{Letter, Traffic},
};

/// Most texts put together for one message.
const TEXTS_MAX: usize = 12;

/// What the messages of a round have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// Segments of each.
    pub(super) segments: u32,
    /// Whether a receipt is wanted.
    pub(super) receipt: bool,
    /// Whether each has an idempotency key.
    pub(super) key: bool,
}

/// An endless supply of messages, no two to one number.
pub(super) struct Writer {
    recipients: Letters,
    traffic: Traffic,
    written: u64,
}

impl Writer {
    pub(super) fn new(seed: u64) -> anyhow::Result<Self> {
        Ok(Self {
            recipients: Letters::new(seed, 1)?,
            traffic: Traffic::new(seed)?,
            written: 0,
        })
    }

    /// So many messages of `kind`.
    pub(super) fn write(&mut self, kind: Kind, count: u32) -> anyhow::Result<Vec<Submission>> {
        (0..count).map(|_| self.write_one(kind)).collect()
    }

    fn write_one(&mut self, kind: Kind) -> anyhow::Result<Submission> {
        self.written += 1;
        let letter = Letter {
            to: self.recipients.next().context("there are no more numbers")??.to,
            ..self.text(kind.segments)?
        };
        let receipt = match kind.receipt {
            true => ReceiptWish::Final,
            false => ReceiptWish::None,
        };
        let number = self.written;
        Ok(Submission {
            receipt: receipt.into(),
            // As long as the UUIDs that customers use.
            idempotency_key: if kind.key {
                format!("{number:036}")
            } else {
                String::new()
            },
            ..submission(letter, String::new(), None)
        })
    }

    /// A letter whose text takes `segments`.
    fn text(&mut self, segments: u32) -> anyhow::Result<Letter> {
        loop {
            let mut letter = self.next()?;
            for _ in 0..TEXTS_MAX {
                if land::parts(&letter.text) >= segments {
                    break;
                }
                letter.text = format!("{} {}", letter.text, self.next()?.text);
            }
            if land::parts(&letter.text) == segments {
                return Ok(letter);
            }
        }
    }

    fn next(&mut self) -> anyhow::Result<Letter> {
        self.traffic.next().context("traffic has no end")
    }
}
