//! What is known of a number, as it stands in the store.

use bytes::Bytes;

use super::{
    invalid::Invalid,
    message::unknown,
    seal::{self, Kind},
};
use crate::pb::signalbox::bus::v1 as pb;

/// What is known of one number: networks and flags, nothing else of its subscriber. The value under
/// [`keys::looked_up`](crate::keys::looked_up).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookedUp {
    /// The network that serves it, MCC and MNC together; empty = not known.
    pub network: String,
    /// Whether it was ported; `None` = not known.
    pub ported: Option<bool>,
    /// Whether its handset could be reached.
    pub reach: HandsetReach,
    /// Whether its handset was abroad; `None` = not known.
    pub roaming: Option<bool>,
    /// The provider that said so; empty = nobody knew.
    pub provider: String,
    /// When it was asked, in seconds since the epoch.
    pub asked_at: u32,
    /// When it is too old, likewise.
    pub expires_at: u32,
    /// Until when `reach` and `roaming` hold, likewise.
    pub reach_until: u32,
}

/// Whether a handset could be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HandsetReach {
    /// Nobody said.
    #[default]
    Unknown,
    /// It was reached.
    Connected,
    /// It was off or out of reach.
    Absent,
    /// No network serves the number.
    Dead,
}

impl LookedUp {
    /// Its octets.
    pub fn to_bytes(&self) -> Bytes {
        let reach = match self.reach {
            HandsetReach::Unknown => pb::HandsetReach::Unspecified,
            HandsetReach::Connected => pb::HandsetReach::Connected,
            HandsetReach::Absent => pb::HandsetReach::Absent,
            HandsetReach::Dead => pb::HandsetReach::Dead,
        };
        let body = pb::LookedUp {
            network: self.network.clone(),
            ported: self.ported,
            reach: reach.into(),
            roaming: self.roaming,
            provider: self.provider.clone(),
            asked_at: self.asked_at,
            expires_at: self.expires_at,
            reach_until: self.reach_until,
        };
        seal::seal(Kind::LookedUp, &body)
    }

    /// What `octets` say.
    ///
    /// # Errors
    /// They are damaged, of a later version, or say nothing that is understood.
    pub fn from_bytes(octets: &Bytes) -> Result<Self, Invalid> {
        let body: pb::LookedUp = seal::open(Kind::LookedUp, octets)?;
        let reach = match pb::HandsetReach::try_from(body.reach) {
            Ok(pb::HandsetReach::Unspecified) => HandsetReach::Unknown,
            Ok(pb::HandsetReach::Connected) => HandsetReach::Connected,
            Ok(pb::HandsetReach::Absent) => HandsetReach::Absent,
            Ok(pb::HandsetReach::Dead) => HandsetReach::Dead,
            Err(_) => return Err(unknown("reach", body.reach)),
        };
        Ok(Self {
            network: body.network,
            ported: body.ported,
            reach,
            roaming: body.roaming,
            provider: body.provider,
            asked_at: body.asked_at,
            expires_at: body.expires_at,
            reach_until: body.reach_until,
        })
    }
}
