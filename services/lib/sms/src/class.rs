//! What a message is for, and the lane it travels in.

use std::{fmt, str::FromStr, time::Duration};

/// What a message is for. It sets the lane, the default deadline, and what an unanswered submission means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A one-time password: worthless after a minute or two, harmless when it arrives twice.
    Otp,
    /// A message somebody waits for: a parcel notice, an appointment.
    #[default]
    Transactional,
    /// Marketing: never sent twice.
    Promotional,
}

/// One of the three queues a message waits in at every hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Passwords.
    Urgent,
    /// Transactional messages.
    Normal,
    /// Campaigns.
    Bulk,
}

impl Class {
    /// Every class, in lane order.
    pub const ALL: [Self; 3] = [Self::Otp, Self::Transactional, Self::Promotional];

    /// The lane this class travels in.
    pub const fn lane(self) -> Lane {
        match self {
            Self::Otp => Lane::Urgent,
            Self::Transactional => Lane::Normal,
            Self::Promotional => Lane::Bulk,
        }
    }

    /// The deadline of a message whose request and route name none, counted from acceptance.
    pub const fn deadline_default(self) -> Duration {
        match self {
            Self::Otp => Duration::from_secs(120),
            Self::Transactional => Duration::from_secs(4 * 3_600),
            Self::Promotional => Duration::from_secs(24 * 3_600),
        }
    }

    /// How long after the deadline a final receipt is still waited for.
    pub const fn grace(self) -> Duration {
        match self {
            Self::Otp => Duration::from_secs(60),
            Self::Transactional | Self::Promotional => Duration::from_secs(600),
        }
    }

    /// Longest wait for a carrier's answer, counted from the write of the last byte.
    pub const fn answer_timeout(self) -> Duration {
        match self {
            Self::Otp => Duration::from_secs(2),
            Self::Transactional | Self::Promotional => Duration::from_secs(30),
        }
    }

    /// The word used in tables, queries and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Transactional => "transactional",
            Self::Promotional => "promotional",
        }
    }
}

impl Lane {
    /// Every lane, most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Bulk];

    /// The word used in topic names and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Normal => "normal",
            Self::Bulk => "bulk",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|class| class.as_str() == s)
            .ok_or_else(|| format!("class is \"{s}\", known are otp, transactional and promotional"))
    }
}
