//! A client of a running router's questions.

use std::time::Duration;

use prost_types::Timestamp;
use signalbox_proto::pb::signalbox::{
    routing::v1::{self as pb, routing_service_client::RoutingServiceClient},
    sms::v1::{Encoding, MessageClass},
};
use sms::UnixMs;
use table::{Asked, Query};
use tonic::{Status, transport::Channel};

use crate::{
    cli::RouterTls,
    client::{self, explain},
};

/// Asks one router; every call runs to its end before it returns.
pub(crate) struct Router {
    url: String,
    /// Whether it is shown a certificate.
    is_known: bool,
    runtime: tokio::runtime::Runtime,
    client: RoutingServiceClient<Channel>,
}

/// The instant a query is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// The one that stands in it.
    Named,
    /// Now, by the router's clock.
    Now,
}

/// The forms of an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Tree,
}

impl Router {
    /// Connects to the router at `url`.
    ///
    /// # Errors
    /// A malformed address, certificates that are missing or cannot be read, or nobody answers ([`client::Away`]).
    pub(crate) fn connect(url: &str, tls: &RouterTls) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tls = tls.of_client();
        let is_known = tls.identity.is_some();
        let channel = runtime.block_on(client::channel(url, tls))?;
        let client = RoutingServiceClient::new(channel).max_decoding_message_size(router::RESPONSE_OCTETS_MAX);
        Ok(Self {
            url: url.to_owned(),
            is_known,
            runtime,
            client,
        })
    }

    /// The explanation of each of `queries`, in their order.
    ///
    /// # Errors
    /// The router is away or refuses them.
    pub(crate) fn explain(&mut self, queries: Vec<pb::Query>, form: Form) -> anyhow::Result<Vec<String>> {
        let count = queries.len();
        let request = pb::ExplainRequest {
            queries,
            with_json: form == Form::Json,
            with_tree: form == Form::Tree,
        };
        let response = self.runtime.block_on(self.client.explain(request));
        let explanations = response
            .map_err(|status| self.refused(&status))?
            .into_inner()
            .explanations;
        anyhow::ensure!(
            explanations.len() == count,
            "the router answered {} of {count} queries",
            explanations.len()
        );
        let texts = explanations.into_iter().map(|one| match form {
            Form::Json => one.json,
            Form::Tree => one.tree,
        });
        Ok(texts.collect())
    }

    /// What `queries` would cost and earn, in their order.
    ///
    /// # Errors
    /// The router is away or refuses them.
    pub(crate) fn quote(&mut self, queries: Vec<pb::Query>) -> anyhow::Result<pb::QuoteResponse> {
        let count = queries.len();
        let response = self.runtime.block_on(self.client.quote(pb::QuoteRequest { queries }));
        let response = response.map_err(|status| self.refused(&status))?.into_inner();
        anyhow::ensure!(
            response.quotes.len() == count,
            "the router answered {} of {count} queries",
            response.quotes.len()
        );
        Ok(response)
    }

    /// Who serves `number`, step by step, asked for as long as the router says.
    ///
    /// # Errors
    /// The router is away, has nobody to ask, or refuses the number.
    pub(crate) fn look_up(&mut self, number: &str, budget: Option<Duration>) -> anyhow::Result<pb::LookUpResponse> {
        let request = pb::LookUpRequest {
            number: number.to_owned(),
            budget_ms: budget.map(|budget| u32::try_from(budget.as_millis()).unwrap_or(u32::MAX)),
        };
        let response = self.runtime.block_on(self.client.look_up(request));
        Ok(response.map_err(|status| self.refused(&status))?.into_inner())
    }

    /// Why a call failed. What the connection itself says, no router said: a certificate that is missing ends it so, after
    /// it seemed to stand.
    fn refused(&self, status: &Status) -> anyhow::Error {
        let Some(cause) = std::error::Error::source(status) else {
            return explain(status);
        };
        let mut text = format!("{}: the connection failed: {cause}", self.url);
        let mut cause = cause.source();
        while let Some(inner) = cause {
            text.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        if self.url.starts_with("https:") && !self.is_known {
            text.push_str("\n  does the router ask for a certificate? show one with --cert FILE and --key FILE");
        }
        client::Away(text).into()
    }
}

/// A query as it goes over the wire.
pub(crate) fn query(asked: &Asked, at: At) -> pb::Query {
    let query = asked.query();
    let has_text = query.text.is_some();
    pb::Query {
        to: query.to.to_owned(),
        from: query.from.to_owned(),
        account: query.account.to_owned(),
        class: class(&query).into(),
        text: query.text.map(str::to_owned),
        // Both follow from a text.
        segments: (!has_text).then_some(query.segments.into()),
        encoding: if has_text {
            Encoding::Unspecified
        } else {
            encoding(&query)
        }
        .into(),
        at: (at == At::Named).then(|| timestamp(query.at)),
        network: query
            .network
            .map(|served| served.network.to_string())
            .unwrap_or_default(),
        ported: query.ported,
        roll: query.roll,
    }
}

const fn class(query: &Query<'_>) -> MessageClass {
    match query.class {
        sms::Class::Otp => MessageClass::Otp,
        sms::Class::Transactional => MessageClass::Transactional,
        sms::Class::Promotional => MessageClass::Promotional,
    }
}

const fn encoding(query: &Query<'_>) -> Encoding {
    match query.encoding {
        sms::Encoding::Gsm7 => Encoding::Gsm7,
        sms::Encoding::Ucs2 => Encoding::Ucs2,
        sms::Encoding::Binary => Encoding::Binary,
    }
}

fn timestamp(at: UnixMs) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(at.0 % 1_000 * 1_000_000).expect("below a thousand million"),
    }
}
