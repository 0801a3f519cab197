//! Where a carrier hands over receipts and inbound messages, as values: the address it is told, how its calls are proved, and
//! where things stand in them.

use std::{net::SocketAddr, time::Duration};

use smpp::IdFormats;
use source::Secret;

use super::{proof::Proof, when::TimeFormat};
use crate::inbound::InboundRules;

/// A link's webhook. Shows no secret in Debug.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HookConfig {
    /// Where we listen; links may share it.
    pub(crate) listen: SocketAddr,
    /// What the carrier is told, or was; it may hold a secret in its path or behind it.
    pub(crate) url: Secret,
    /// The path it comes at, where somebody on the way rewrites that of `url`; absent = that of `url`.
    pub(crate) path: Option<Secret>,
    /// All of these have to hold; none = whoever knows the path is believed.
    pub(crate) proofs: Vec<Proof>,
    /// How long one call may wait until all of it is safe.
    pub(crate) answer_within: Duration,
    /// Where the receipts are; absent = none are told here.
    pub(crate) receipts: Option<ReceiptShape>,
    /// Where the inbound messages are; absent = none are told here.
    pub(crate) inbound: Option<InboundShape>,
}

/// How the fields of a call are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// As `Content-Type` says: a form, or else JSON; a GET's in its query.
    #[default]
    Any,
    /// JSON.
    Json,
    /// A form.
    Form,
    /// In the query.
    Query,
}

/// Which calls are meant where one path hears of more than one thing: those whose field holds one of these words; none = all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Only {
    pub(crate) field: Field,
    pub(crate) words: Vec<String>,
}

/// A place in JSON, or the name of a field of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field {
    /// Nowhere.
    #[default]
    None,
    /// A JSON pointer.
    Pointer(String),
    /// A name.
    Name(String),
}

/// Where receipts are in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptShape {
    pub(crate) format: Format,
    /// The list that holds one of each; absent = the call is one, or a list of them.
    pub(crate) each: Option<String>,
    pub(crate) only: Only,
    pub(crate) id: Field,
    pub(crate) status: Field,
    pub(crate) error: Field,
    pub(crate) done_at: Field,
    pub(crate) times: TimeFormat,
    pub(crate) ids: IdFormats,
}

/// Where messages from handsets are in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InboundShape {
    pub(crate) format: Format,
    pub(crate) each: Option<String>,
    pub(crate) only: Only,
    pub(crate) from: Field,
    pub(crate) to: Field,
    pub(crate) text: Field,
    /// What the carrier calls the message.
    pub(crate) id: Field,
    pub(crate) rules: InboundRules,
}

impl HookConfig {
    /// The address the carrier is told.
    pub(super) fn told_url(&self) -> String {
        self.url.reveal().to_owned()
    }

    /// The path that its calls come at.
    pub(crate) fn path(&self) -> &str {
        let told = self.url.reveal();
        let behind = |text: &'_ str| text.find("://").map_or(0, |at| at + 3);
        let of_url = || {
            let host = behind(told);
            let from = told[host..].find('/').map_or(told.len(), |at| host + at);
            told[from..].split(['?', '#']).next().unwrap_or_default()
        };
        match self.path.as_ref().map_or_else(of_url, |path| path.reveal()) {
            "" => "/",
            path => path,
        }
    }
}
