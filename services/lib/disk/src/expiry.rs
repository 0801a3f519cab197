//! Drops what has expired while tables are merged, which costs no read or write of its own.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fjall::compaction::filter::{CompactionFilter, CompactionFilterResult, Context, Factory, ItemAccessor, Verdict};

use crate::Layout;

/// The instant up to which values may be dropped; only rises.
#[derive(Debug, Default)]
pub(crate) struct Expiry {
    now_ms: AtomicU64,
}

impl Expiry {
    pub(crate) fn advance(&self, now_ms: u64) {
        self.now_ms.fetch_max(now_ms, Ordering::Relaxed);
    }
}

/// Finds the factory of filters for a space by its name.
type Assigner = Arc<dyn Fn(&str) -> Option<Arc<dyn Factory>> + Send + Sync>;

/// Gives expiring spaces their filter, and no other.
pub(crate) fn assigner(expiry: &Arc<Expiry>) -> Assigner {
    let factory = Arc::new(Expired(expiry.clone()));
    Arc::new(move |name| {
        Layout::Expiring
            .own_name(name)
            .map(|_| factory.clone() as Arc<dyn Factory>)
    })
}

struct Expired(Arc<Expiry>);

impl Factory for Expired {
    fn name(&self) -> &str {
        "expired"
    }

    fn make_filter(&self, _: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Filter {
            now_ms: self.0.now_ms.load(Ordering::Relaxed),
        })
    }
}

struct Filter {
    now_ms: u64,
}

impl CompactionFilter for Filter {
    fn filter_item(&mut self, item: ItemAccessor<'_>, _: &Context) -> CompactionFilterResult {
        let value = item.value()?;
        // A value too short to hold its expiry was not written by us; keeping it harms nobody.
        let expires_at_ms = value
            .first_chunk()
            .map_or(u64::MAX, |octets| u64::from_be_bytes(*octets));
        Ok(if expires_at_ms <= self.now_ms {
            Verdict::Remove
        } else {
            Verdict::Keep
        })
    }
}
