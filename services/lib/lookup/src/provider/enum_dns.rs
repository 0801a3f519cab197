//! A provider that answers by DNS: carrier ENUM (RFC 6116, RFC 4769).

mod rule;
mod tel;

use std::{
    net::SocketAddr,
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::future::{self, BoxFuture, Either, FutureExt, join_all};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig},
    lookup::Lookup,
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, Record, RecordType},
    },
};
use service::time;
use sms::Msisdn;
use web::plain;

use self::rule::Rule;
use super::{BuildError, Failure, Provider, ProviderConfig, Reply, TTL_MAX, Terms};

/// Largest datagram that an answer comes in, in octets: one that no link cuts up. Longer ones come over TCP.
const DATAGRAM_OCTETS_MAX: u16 = 1_232;

/// After that a question is asked again: a datagram may be lost, and a password's budget is three times as long.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Which servers to ask, and under which name numbers stand there.
#[derive(Clone, Debug)]
pub struct EnumConfig {
    /// The servers: one is asked until it does not answer, then the one after it. Each has its share of the timeout.
    pub servers: Vec<SocketAddr>,
    /// What stands behind the digits: `e164.arpa`, or a domain of the carrier's own.
    pub suffix: Name,
    /// Whether every question goes over TCP; else only those whose answer no datagram holds.
    pub tcp_only: bool,
}

/// A provider that answers by DNS, one number a question.
pub struct EnumProvider {
    terms: Terms,
    suffix: Name,
    tcp_only: bool,
    /// For each server one that asks and one that asks again, since a resolver has only one question about a name under way.
    resolvers: Vec<[TokioResolver; 2]>,
    /// Which server is asked first.
    first: AtomicUsize,
}

/// A server that is asked. Dropped before it answered, by a timeout of its own or of whoever asks, the next is asked first
/// from then on.
struct Turn<'a> {
    first: &'a AtomicUsize,
    at: usize,
    next: usize,
    has_answered: bool,
}

impl EnumProvider {
    /// A provider as `dns` says.
    ///
    /// # Errors
    /// The resolver cannot be made.
    pub fn new(config: &ProviderConfig, dns: &EnumConfig) -> Result<Self, BuildError> {
        let resolver = |address| resolver(address, config, dns);
        let pairs = dns
            .servers
            .iter()
            .map(|address| Ok([resolver(*address)?, resolver(*address)?]));
        let resolvers = pairs.collect::<Result<_, _>>().map_err(|error: NetError| BuildError {
            name: config.name.clone(),
            why: error.to_string(),
        })?;
        Ok(Self {
            terms: Terms::of(config, 1),
            suffix: dns.suffix.clone(),
            tcp_only: dns.tcp_only,
            resolvers,
            first: AtomicUsize::new(0),
        })
    }

    async fn ask_one(&self, number: &Msisdn) -> Result<Reply, Failure> {
        let Some(name) = name(number, &self.suffix) else {
            return Err(Failure::Refused("the suffix leaves no room for a number".to_owned()));
        };
        let mut failure = None;
        let (first, count) = (self.first.load(Ordering::Relaxed), self.resolvers.len());
        for at in (0..count).map(|step| (first + step) % count) {
            let mut turn = Turn {
                first: &self.first,
                at,
                next: (at + 1) % count,
                has_answered: false,
            };
            match self.ask_at(at, name.clone(), number).await {
                Err(away @ (Failure::Away(_) | Failure::Refused(_))) => {
                    failure.get_or_insert(away);
                }
                answer => {
                    turn.has_answered = true;
                    return answer;
                }
            }
        }
        Err(failure.expect("there is a server"))
    }

    /// Asks, and asks once more where a datagram may have been lost, for whoever has little time: the resolver does so too late.
    async fn question(&self, at: usize, name: Name) -> Result<Lookup, NetError> {
        let [first, second] = &self.resolvers[at];
        let asked = first.lookup(name.clone(), RecordType::NAPTR);
        if self.tcp_only {
            return asked.await;
        }
        let again = async {
            time::sleep(AGAIN_AFTER).await;
            second.lookup(name, RecordType::NAPTR).await
        };
        match future::select(pin!(asked), pin!(again)).await {
            Either::Left((answer, _)) | Either::Right((answer, _)) => answer,
        }
    }

    async fn ask_at(&self, at: usize, name: Name, number: &Msisdn) -> Result<Reply, Failure> {
        match self.question(at, name).await {
            Ok(found) => read(found.answers(), number),
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => nothing(&none),
            Err(NetError::Dns(DnsError::ResponseCode(code))) => Err(refusal(code)),
            Err(error) => Err(trouble(&error)),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.has_answered {
            // Of many that wait for one server the first to give up moves on.
            let _ = self
                .first
                .compare_exchange(self.at, self.next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

/// One that asks the server at `address` alone. No cache, since the chain has one; what is lost is sent again.
fn resolver(address: SocketAddr, config: &ProviderConfig, dns: &EnumConfig) -> Result<TokioResolver, NetError> {
    let (udp, tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    let mut connections = if dns.tcp_only { vec![tcp] } else { vec![udp, tcp] };
    for connection in &mut connections {
        connection.port = address.port();
    }
    let servers = vec![NameServerConfig::new(address.ip(), true, connections)];
    let servers = ResolverConfig::from_name_servers(servers);
    let mut builder = TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.timeout = config.timeout / u32::try_from(dns.servers.len()).expect("there are few");
    options.attempts = 0;
    options.cache_size = 0;
    options.positive_max_ttl = Some(TTL_MAX);
    options.negative_max_ttl = Some(TTL_MAX);
    options.max_active_requests = usize::try_from(config.calls_max).expect("the limit fits");
    options.edns0 = true;
    options.edns_payload_len = DATAGRAM_OCTETS_MAX;
    builder.build()
}

/// The domain of a number: its digits from the last to the first, then the suffix.
fn name(number: &Msisdn, suffix: &Name) -> Option<Name> {
    let digits = number.digits().as_bytes();
    let labels = digits.rchunks(1);
    let mut name = Name::from_labels(labels).ok()?.append_domain(suffix).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// What the answer says: the first record that does by order and preference, and for how long.
fn read(answers: &[Record], number: &Msisdn) -> Result<Reply, Failure> {
    let ttl = answers.iter().map(|record| record.ttl).min();
    let mut rules: Vec<_> = answers
        .iter()
        .filter_map(rule_of)
        .filter(Rule::is_of_networks)
        .collect();
    rules.sort_by_key(|rule| (rule.order, rule.preference));
    let mut first_failure = None;
    for rule in rules {
        let uri = rule
            .uri(number.digits())
            .map_err(|why| Failure::Garbled(why.to_owned()));
        let said = match uri {
            Ok(None) => continue,
            Ok(Some(uri)) => tel::read(&uri, number),
            Err(failure) => Err(failure),
        };
        match said {
            Ok(reply) => {
                return Ok(Reply {
                    ttl: ttl.map(|ttl| Duration::from_secs(ttl.into())),
                    ..reply
                });
            }
            Err(failure) => {
                first_failure.get_or_insert(failure);
            }
        }
    }
    // Records of other services say nothing of networks, which is no failure.
    first_failure.map_or_else(|| Ok(unknown(ttl)), Err)
}

fn rule_of(record: &Record) -> Option<Rule<'_>> {
    match &record.data {
        RData::NAPTR(naptr) => Some(Rule {
            order: naptr.order,
            preference: naptr.preference,
            flags: &naptr.flags,
            services: &naptr.services,
            regexp: &naptr.regexp,
        }),
        _ => None,
    }
}

fn unknown(ttl: Option<u32>) -> Reply {
    Reply {
        ttl: ttl.map(|ttl| Duration::from_secs(ttl.into())),
        ..Reply::default()
    }
}

/// No records: the number is not known there, or the server said something else without any.
fn nothing(none: &NoRecords) -> Result<Reply, Failure> {
    match none.response_code {
        ResponseCode::NXDomain | ResponseCode::NoError => Ok(unknown(none.negative_ttl)),
        code => Err(refusal(code)),
    }
}

fn refusal(code: ResponseCode) -> Failure {
    let why = format!("it answered {}", code.to_str());
    match code {
        ResponseCode::Refused | ResponseCode::NotAuth | ResponseCode::NotZone => {
            Failure::Refused(format!("{why}: does it know our address, and the suffix?"))
        }
        ResponseCode::FormErr | ResponseCode::NotImp => Failure::Refused(why),
        _ => Failure::Away(why),
    }
}

fn trouble(error: &NetError) -> Failure {
    match error {
        NetError::Timeout => Failure::Away("it gave no answer in time".to_owned()),
        NetError::NoConnections => Failure::Away("no server could be asked".to_owned()),
        NetError::Busy => Failure::Busy {
            why: "as many questions are under way as `calls_max` allows".to_owned(),
            retry_after: None,
        },
        NetError::Proto(_) => Failure::Garbled("its answer cannot be read".to_owned()),
        // It may name the domain, which is the number.
        other => Failure::Away(plain(&other.to_string(), &[])),
    }
}

impl Provider for EnumProvider {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        join_all(numbers.iter().map(|number| self.ask_one(number))).boxed()
    }
}
