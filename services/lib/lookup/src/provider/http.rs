//! A provider that answers JSON over HTTP, described by configuration.

mod shape;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use serde_json::Value;
use sms::Msisdn;
use source::Secret;
use web::{
    Answer, Broken, Client, HeaderName, HeaderValue, Method, Request, RootCertStore, StatusCode, Template, discreet,
    header::{ACCEPT, USER_AGENT},
    roots,
};

use self::shape::Asked;
pub(in crate::provider) use self::shape::{Meaning, Shape};
use super::{BuildError, Failure, Provider, ProviderConfig, Reply, Terms};
use crate::RETRY_AFTER_MAX;

/// What the place for the number is called; its digits go there, without a plus.
pub(in crate::provider) const NUMBER: &str = "msisdn";

/// How to ask, and how to read the answer. Shows no secret in Debug.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    pub(in crate::provider) method: Method,
    pub(in crate::provider) url: Template,
    pub(in crate::provider) headers: Vec<(HeaderName, Template)>,
    pub(in crate::provider) body: Option<Template>,
    pub(in crate::provider) codes: BTreeMap<u16, Meaning>,
    pub(in crate::provider) shape: Shape,
    /// Everything that must not be repeated.
    pub(in crate::provider) secrets: Vec<Secret>,
    pub(in crate::provider) ca: Option<PathBuf>,
}

/// A provider that answers JSON over HTTP, one number a call.
#[derive(Debug)]
pub struct HttpProvider {
    terms: Terms,
    config: HttpConfig,
    client: Client,
}

impl HttpProvider {
    /// A provider as `http` says; connects when it is asked.
    ///
    /// # Errors
    /// No certificates of authorities.
    pub fn new(config: &ProviderConfig, http: &HttpConfig) -> Result<Self, BuildError> {
        // A machine without authorities may still ask a gateway beside it.
        let roots = match http.url.fill(&[""]).starts_with("http:") {
            true => RootCertStore::empty(),
            false => roots(http.ca.as_deref()).map_err(|why| BuildError {
                name: config.name.clone(),
                why,
            })?,
        };
        let client = Client::new(roots, usize::try_from(config.calls_max).expect("the limit fits"));
        Ok(Self {
            terms: Terms::of(config, 1),
            config: http.clone(),
            client,
        })
    }

    async fn ask_one(&self, number: &Msisdn) -> Result<Reply, Failure> {
        let request = self.request(number)?;
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|failure| self.failed(failure))?;
        self.read(answer, number)
    }

    fn request(&self, number: &Msisdn) -> Result<Request, Failure> {
        let values = [number.digits()];
        let mut headers = vec![
            (ACCEPT, HeaderValue::from_static("application/json")),
            (USER_AGENT, HeaderValue::from_static("signalbox")),
        ];
        for (name, value) in &self.config.headers {
            let value = HeaderValue::from_str(&value.fill(&values));
            let mut value = value.map_err(|_| Failure::Refused(format!("header {name} has a value that is none")))?;
            // Keeps it out of the tables of HTTP/2 and of Debug.
            value.set_sensitive(true);
            headers.push((name.clone(), value));
        }
        let body = self.config.body.as_ref().map(|body| body.fill(&values));
        Ok(Request {
            method: self.config.method.clone(),
            url: self.config.url.fill(&values),
            headers,
            body: body.unwrap_or_default().into(),
        })
    }

    fn read(&self, answer: Answer, number: &Msisdn) -> Result<Reply, Failure> {
        let (status, retry_after) = (
            answer.status,
            answer.retry_after.map(|pause| pause.min(RETRY_AFTER_MAX)),
        );
        let body = answer.body.map_err(|broken| match broken {
            Broken::Length => Failure::Garbled(broken.to_string()),
            Broken::Off(_) => Failure::Away(discreet(&broken.to_string(), &self.config.secrets)),
        })?;
        let by_code = self.config.codes.get(&status.as_u16());
        let why = || format!("it answered HTTP {}", status.as_u16());
        if let Some(answered) = by_code.and_then(|meaning| meaning.answer(why, retry_after)) {
            return answered;
        }
        if status.is_redirection() {
            // Where it leads is nobody's business: what is sent may hold a secret.
            let why = "it redirects (HTTP {}), which is not followed: write the address that it means";
            return Err(Failure::Refused(why.replace("{}", status.as_str())));
        }
        let asked = Asked {
            number,
            secrets: &self.config.secrets,
        };
        let body = serde_json::from_slice::<Value>(&body);
        if status.is_success() || by_code.is_some() {
            let body = body.map_err(|error| Failure::Garbled(format!("its answer is no JSON: {error}")))?;
            return self.config.shape.reply(&body, &asked);
        }
        // What the body says is worth more than the code, where it is known to mean something.
        let told = body.ok().and_then(|body| self.config.shape.error_of(&body, &asked));
        match told {
            Some(told) if !matches!(told, Err(Failure::Garbled(_))) => told,
            Some(Err(failure)) => Err(by_status(status, retry_after, &failure.to_string())),
            _ => Err(by_status(status, retry_after, "")),
        }
    }

    fn failed(&self, failure: web::Failure) -> Failure {
        match failure {
            // The error would repeat the address with what is secret in it.
            web::Failure::Request => Failure::Refused("its url is none once number and secrets are in it".to_owned()),
            web::Failure::Connect(why) | web::Failure::Lost(why) => Failure::Away(discreet(&why, &self.config.secrets)),
        }
    }
}

/// What a status code means that the configuration does not name. `told` is what the body says, fit for a log.
fn by_status(status: StatusCode, retry_after: Option<Duration>, told: &str) -> Failure {
    let mut why = format!("it answered HTTP {}", status.as_u16());
    if !told.is_empty() {
        why = format!("{why}, {told}");
    }
    match status.as_u16() {
        // As a rule it is this number that it will not hear of, and others fare better.
        400 | 404 | 410 | 422 => Failure::Undecided(why),
        408 | 425 | 429 => Failure::Busy { why, retry_after },
        500.. => Failure::Away(why),
        _ => Failure::Refused(why),
    }
}

impl Provider for HttpProvider {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        futures::future::join_all(numbers.iter().map(|number| self.ask_one(number))).boxed()
    }
}
