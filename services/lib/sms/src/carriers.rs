//! The carriers of one link.

use std::sync::Arc;

use crate::CarrierName;

/// Carriers that share a link, in the order in which it names them: which of them a message from a handset came over, nobody
/// says. Never empty. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Carriers(Arc<[CarrierName]>);

impl Carriers {
    /// `None` = there is none.
    pub fn new(names: impl IntoIterator<Item = CarrierName>) -> Option<Self> {
        let names: Arc<[CarrierName]> = names.into_iter().collect();
        (!names.is_empty()).then_some(Self(names))
    }

    /// The one that stands for all where one must: in keys, metrics and logs.
    pub fn first(&self) -> &CarrierName {
        &self.0[0]
    }

    /// The others.
    pub fn others(&self) -> &[CarrierName] {
        &self.0[1..]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &CarrierName> {
        self.0.iter()
    }
}

impl From<CarrierName> for Carriers {
    fn from(name: CarrierName) -> Self {
        Self([name].into())
    }
}
