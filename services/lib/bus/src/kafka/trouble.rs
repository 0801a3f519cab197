//! What is wrong between us and the brokers, in words that say which setting to look at.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode as Code},
};

use super::{KafkaConfig, lock};
use crate::Topic;

/// The trouble there is, shared by all clients of one log.
pub(super) struct Trouble {
    brokers: String,
    user: Option<String>,
    has_tls: bool,
    is_there: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Words>,
    /// Why the last broker could not be reached.
    reason: Option<String>,
}

/// What was said last.
struct Words {
    text: String,
    /// Says more than that no broker is there, which always follows.
    is_cause: bool,
}

impl Trouble {
    pub(super) fn new(config: &KafkaConfig) -> Self {
        Self {
            brokers: config.brokers.clone(),
            user: config.sasl.as_ref().map(|sasl| sasl.user.clone()),
            has_tls: config.tls.is_some(),
            is_there: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Takes down what a client reports; true if nothing goes on until it is mended.
    pub(super) fn report(&self, error: &KafkaError, reason: &str) -> bool {
        let code = error.rdkafka_error_code();
        let mut state = lock(&self.state);
        let is_cause = matches!(code, Some(Code::Authentication | Code::SSL | Code::Resolve));
        let text = match code {
            // One broker of several may be gone without harm; it is told should all of them be.
            Some(Code::BrokerTransportFailure) => {
                tracing::debug!(reason, "a broker cannot be reached");
                state.reason = Some(reason.to_owned());
                return false;
            }
            Some(Code::AllBrokersDown) => self.words(code, state.reason.as_deref().unwrap_or(reason)),
            code => self.words(code, reason),
        };
        let is_refused = matches!(
            code,
            Some(Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed)
        );
        let is_down = is_cause || is_refused || code == Some(Code::AllBrokersDown);
        if is_cause || !state.current.as_ref().is_some_and(|words| words.is_cause) {
            if state.current.as_ref().is_none_or(|words| words.text != text) {
                tracing::warn!(error = text, "the log is in trouble");
            }
            state.current = Some(Words { text, is_cause });
            self.is_there.store(true, Ordering::Relaxed);
        }
        is_down
    }

    /// Forgets it: the brokers answer. Costs next to nothing if there is none.
    pub(super) fn clear(&self) {
        if self.is_there.load(Ordering::Relaxed) {
            self.is_there.store(false, Ordering::Relaxed);
            *lock(&self.state) = State::default();
            tracing::info!("the log is back");
        }
    }

    /// What is wrong, as far as known.
    pub(super) fn known(&self) -> Option<String> {
        lock(&self.state).current.as_ref().map(|words| words.text.clone())
    }

    /// What to say of a client that could not be made.
    pub(super) fn unmade(&self, error: &KafkaError) -> String {
        format!(
            "no client for {} can be made: {error}; check [bus] brokers, tls and sasl",
            self.brokers
        )
    }

    /// What to say of a call that failed with `error`: the cause if one is known, since calls themselves only time out.
    pub(super) fn explain(&self, error: &KafkaError) -> String {
        let code = error.rdkafka_error_code();
        let is_effect = matches!(
            code,
            None | Some(
                Code::OperationTimedOut
                    | Code::MessageTimedOut
                    | Code::AllBrokersDown
                    | Code::BrokerTransportFailure
                    | Code::WaitingForCoordinator
                    | Code::TimedOutQueue
            )
        );
        match self.known() {
            Some(known) if is_effect => known,
            _ => self.words(code, &error.to_string()),
        }
    }

    /// What to say of records of `topic` that no broker acknowledges.
    pub(super) fn late(&self, topic: &Topic, waited: Duration) -> String {
        let reason = format!("records of {topic} wait since {} s", waited.as_secs());
        self.known()
            .unwrap_or_else(|| self.words(Some(Code::MessageTimedOut), &reason))
    }

    fn words(&self, code: Option<Code>, reason: &str) -> String {
        let brokers = &self.brokers;
        match (code, &self.user) {
            (Some(Code::Authentication | Code::SaslAuthenticationFailed), Some(user)) => {
                format!("{brokers} refuse user {user}: {reason}; check user, password and mechanism of [bus] sasl")
            }
            (Some(Code::Authentication | Code::SaslAuthenticationFailed), None) => {
                format!("{brokers} want to know who we are: {reason}; give [bus] sasl or a certificate in [bus] tls")
            }
            // Brokers that refuse our certificate hang up in words of TLS.
            (Some(Code::SSL), _) | (Some(Code::AllBrokersDown), _)
                if code == Some(Code::SSL) || self.has_tls && reason.contains("SSL") =>
            {
                format!("no TLS with {brokers}: {reason}; check ca, certificate and key of [bus] tls")
            }
            (Some(Code::Resolve), _) => {
                format!("no address for {brokers}: {reason}; check the names in [bus] brokers")
            }
            (
                Some(
                    Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed | Code::ClusterAuthorizationFailed,
                ),
                _,
            ) => {
                let user = self.user.as_deref().unwrap_or("this client");
                format!("{brokers} do not allow it to {user}: {reason}; give it rights on topics and groups")
            }
            (Some(Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend), _) => {
                format!(
                    "too few copies of a partition are alive at {brokers}: {reason}; start the brokers that are missing"
                )
            }
            (Some(Code::AllBrokersDown | Code::BrokerTransportFailure | Code::OperationTimedOut), _) => {
                let tls = if self.has_tls {
                    ""
                } else {
                    ", and that they do not want TLS ([bus] tls)"
                };
                format!("no broker answers at {brokers}: {reason}; check [bus] brokers, that Kafka runs there{tls}")
            }
            (Some(Code::MessageTimedOut), _) => {
                format!(
                    "{brokers} answer, but do not keep what is published: {reason}; start the brokers that are missing (a \
                     topic wants min.insync.replicas of them), and see their log"
                )
            }
            _ => format!("{reason} ({brokers})"),
        }
    }

    /// What the library says on the side; what matters of it comes as an error too.
    pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, message, "kafka client");
            }
            _ => tracing::debug!(facility, message, "kafka client"),
        }
    }
}
