//! `command_status` by name and number (3.4 §5.1.3, 5.0 §4.7.6).

use std::fmt;
use std::str::FromStr;

/// What a response says of its request; 0 is success.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u32);

/// A status written in a way that is neither a known name nor a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no command status: give a name such as RTHROTTLED, or a number such as 0x58 or 88")]
pub struct UnknownStatus(pub String);

macro_rules! statuses {
    ($($name:ident = $code:literal, $doc:literal;)*) => {
        impl Status {
            $(#[doc = $doc] pub const $name: Self = Self($code);)*
        }
        const NAMES: &[(&str, Status)] = &[$((stringify!($name), Status::$name),)*];
    };
}

statuses! {
    ROK = 0x00, "No error.";
    RINVMSGLEN = 0x01, "The content is too long.";
    RINVCMDLEN = 0x02, "The PDU has a wrong length.";
    RINVCMDID = 0x03, "The command is unknown.";
    RINVBNDSTS = 0x04, "Not bound for this command.";
    RALYBND = 0x05, "Already bound.";
    RINVPRTFLG = 0x06, "Invalid priority.";
    RINVREGDLVFLG = 0x07, "Invalid registered delivery.";
    RSYSERR = 0x08, "System error.";
    RINVSRCADR = 0x0A, "Invalid source address.";
    RINVDSTADR = 0x0B, "Invalid destination address.";
    RINVMSGID = 0x0C, "Invalid message id.";
    RBINDFAIL = 0x0D, "Bind failed.";
    RINVPASWD = 0x0E, "Wrong password.";
    RINVSYSID = 0x0F, "Unknown system id.";
    RCANCELFAIL = 0x11, "Cancel failed.";
    RREPLACEFAIL = 0x13, "Replace failed.";
    RMSGQFUL = 0x14, "The queue is full.";
    RINVSERTYP = 0x15, "Invalid service type.";
    RINVNUMDESTS = 0x33, "Invalid number of destinations.";
    RINVDLNAME = 0x34, "Invalid distribution list.";
    RINVDESTFLAG = 0x40, "Invalid destination flag.";
    RINVSUBREP = 0x42, "Replacing by submit is not possible.";
    RINVESMCLASS = 0x43, "Invalid esm_class.";
    RCNTSUBDL = 0x44, "Cannot submit to a distribution list.";
    RSUBMITFAIL = 0x45, "Submit failed.";
    RINVSRCTON = 0x48, "Invalid source type of number.";
    RINVSRCNPI = 0x49, "Invalid source numbering plan.";
    RINVDSTTON = 0x50, "Invalid destination type of number.";
    RINVDSTNPI = 0x51, "Invalid destination numbering plan.";
    RINVSYSTYP = 0x53, "Invalid system type.";
    RINVREPFLAG = 0x54, "Invalid replace flag.";
    RINVNUMMSGS = 0x55, "Invalid number of messages.";
    RTHROTTLED = 0x58, "Too fast; 88 in decimal.";
    RINVSCHED = 0x61, "Invalid schedule.";
    RINVEXPIRY = 0x62, "Invalid validity.";
    RINVDFTMSGID = 0x63, "Invalid canned message.";
    RX_T_APPN = 0x64, "Temporary error of the receiving application.";
    RX_P_APPN = 0x65, "Permanent error of the receiving application.";
    RX_R_APPN = 0x66, "Refused by the receiving application.";
    RQUERYFAIL = 0x67, "Query failed.";
    RINVOPTPARSTREAM = 0xC0, "The TLVs cannot be read.";
    ROPTPARNOTALLWD = 0xC1, "A TLV is not allowed.";
    RINVPARLEN = 0xC2, "A TLV has a wrong length.";
    RMISSINGOPTPARAM = 0xC3, "A TLV is missing.";
    RINVOPTPARAMVAL = 0xC4, "A TLV has a wrong value.";
    RDELIVERYFAILURE = 0xFE, "Delivery failed.";
    RUNKNOWNERR = 0xFF, "Unknown error.";
    RSERTYPUNAUTH = 0x100, "Service type not allowed (5.0).";
    RPROHIBITED = 0x101, "Operation prohibited (5.0).";
    RSERTYPUNAVAIL = 0x102, "Service type not available (5.0).";
    RSERTYPDENIED = 0x103, "Service type denied (5.0).";
    RINVDCS = 0x104, "Invalid data coding (5.0).";
    RINVSRCADDRSUBUNIT = 0x105, "Invalid source sub-unit (5.0).";
    RINVDSTADDRSUBUNIT = 0x106, "Invalid destination sub-unit (5.0).";
    RINVBCASTFREQINT = 0x107, "Invalid broadcast interval (5.0).";
    RINVBCASTALIAS_NAME = 0x108, "Invalid broadcast alias (5.0).";
    RINVBCASTAREAFMT = 0x109, "Invalid format of a broadcast area (5.0).";
    RINVNUMBCAST_AREAS = 0x10A, "Invalid number of broadcast areas (5.0).";
    RINVBCASTCNTTYPE = 0x10B, "Invalid broadcast content type (5.0).";
    RINVBCASTMSGCLASS = 0x10C, "Invalid broadcast message class (5.0).";
    RBCASTFAIL = 0x10D, "Broadcast failed (5.0).";
    RBCASTQUERYFAIL = 0x10E, "Query of a broadcast failed (5.0).";
    RBCASTCANCELFAIL = 0x10F, "Cancelling a broadcast failed (5.0).";
    RINVBCAST_REP = 0x110, "Invalid number of broadcasts (5.0).";
    RINVBCASTSRVGRP = 0x111, "Invalid broadcast service group (5.0).";
    RINVBCASTCHANIND = 0x112, "Invalid broadcast channel (5.0).";
}

/// What 5.0 calls the statuses that it renamed.
const RENAMED: [(&str, Status); 5] = [
    ("RINVTLVSTREAM", Status::RINVOPTPARSTREAM),
    ("RTLVNOTALLWD", Status::ROPTPARNOTALLWD),
    ("RINVTLVLEN", Status::RINVPARLEN),
    ("RMISSINGTLV", Status::RMISSINGOPTPARAM),
    ("RINVTLVVAL", Status::RINVOPTPARAMVAL),
];

impl Status {
    /// Whether the request succeeded.
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Name of the specification, without `ESME_`; absent for vendor codes.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(_, status)| *status == self).map(|(name, _)| *name)
    }

    /// Every status that has a name, by number.
    pub fn named() -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.iter().copied()
    }
}

impl fmt::Display for Status {
    /// Writes the name, or the number in hexadecimal where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:X}", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    /// Reads a name of 3.4 or 5.0 (with or without `ESME_`, any case), `0x` and hexadecimal digits, or decimal digits.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let upper = text.trim().to_ascii_uppercase();
        let name = upper.strip_prefix("ESME_").unwrap_or(&upper);
        if let Some((_, status)) = NAMES.iter().chain(&RENAMED).find(|(known, _)| *known == name) {
            return Ok(*status);
        }
        let number = match upper.strip_prefix("0X") {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => upper.parse(),
        };
        number.map(Self).map_err(|_| UnknownStatus(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
