//! The configuration as `--print-config` shows it: what is in force, secrets masked.

use std::{
    fmt::{Display, Write as _},
    path::PathBuf,
};

use ::lookup::Share;
use ::router::DeadNumbers;
use source::SecretSource;

use signalbox_proto::server::Tls;

use super::{Config, Engine, Kafka, LookUp, Redis, TableFrom, engine::Trust};

/// The configuration in force as TOML; secrets are shown as `***`.
pub(crate) fn shown(config: &Config) -> String {
    let mut page = Page::default();
    let (bus, store) = engine(&config.engine);
    page.section("bus");
    page.0.push_str(&bus);
    page.line("partitions", Some(config.partitions));
    page.section("store");
    page.0.push_str(&store);
    if let Some(table) = &config.table {
        page.section("table");
        match table {
            TableFrom::Directory(path) => page.line("path", Some(quoted(path))),
            TableFrom::Bus => page.line("source", Some("\"bus\"")),
        }
        page.line("last_good", config.last_good.as_ref().map(quoted));
    }
    if let Some(ingest) = &config.ingest {
        page.section("ingest");
        page.line("grpc", Some(format_args!("\"{}\"", ingest.grpc)));
        page.line("accounts", Some(quoted(&ingest.accounts)));
        page.line("key_secret", ingest.key_secret.as_ref().map(secret));
        page.line("tls", ingest.tls.as_ref().map(server));
    }
    if let Some(address) = config.router.grpc {
        page.section("router");
        page.line("grpc", Some(format_args!("\"{address}\"")));
        page.line("tls", config.router.tls.as_ref().map(server));
    }
    if let Some(lookup) = &config.lookup {
        page.section("lookup");
        page.look_up(lookup);
    }
    if let Some(path) = &config.links {
        page.section("connector");
        page.line("links", Some(quoted(path)));
        if let Some(control) = &config.link_control {
            page.line("grpc", Some(format_args!("\"{}\"", control.grpc)));
            page.line("tls", control.tls.as_ref().map(server));
        }
    }
    page.section("telemetry");
    page.line("log", Some(if config.log_json { "\"json\"" } else { "\"text\"" }));
    page.line("http", config.probes.map(|address| format!("\"{address}\"")));
    if let Some(traces) = &config.traces {
        page.line("otlp", Some(format_args!("{:?}", traces.otlp)));
        page.line("sample_ratio", Some(traces.sample_ratio));
    }
    page.section("service");
    page.line(
        "drain",
        Some(format_args!("\"{}\"", source::duration_text(config.drain_limit))),
    );
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn section(&mut self, name: &str) {
        let _ = writeln!(self.0, "[{name}]");
    }

    fn look_up(&mut self, lookup: &LookUp) {
        let LookUp { ttls, .. } = lookup;
        self.line("providers", Some(quoted(&lookup.providers)));
        self.line("secret", lookup.secret.as_ref().map(secret));
        let spans = [
            ("budget_otp", lookup.budget_otp),
            ("budget", lookup.budget),
            ("ttl_network", ttls.network),
            ("ttl_reach", ttls.reach),
            ("ttl_dead", ttls.dead),
            ("ttl_nothing", ttls.nothing),
            ("ttl_failure", ttls.failure),
        ];
        for (key, span) in spans {
            self.line(key, Some(format_args!("\"{}\"", source::duration_text(span))));
        }
        self.line("waiting_max", Some(lookup.waiting_max));
        self.line("numbers_max", Some(lookup.numbers_max));
        self.line("learn_one_in", Some(lookup.learn_one_in));
        let share = |share: Share| f64::from(share.get()) / f64::from(Share::WHOLE.get());
        self.line("assumed_ported", Some(share(lookup.assumed.ported)));
        self.line("assumed_dead", Some(share(lookup.assumed.dead)));
        let dead = match lookup.dead {
            DeadNumbers::Fail => "\"fail\"",
            DeadNumbers::Send => "\"send\"",
        };
        self.line("dead", Some(dead));
    }

    fn line(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            let _ = writeln!(self.0, "{key} = {value}");
        }
    }
}

fn engine(engine: &Engine) -> (String, String) {
    match engine {
        Engine::Embedded { path } => {
            let both = format!("kind = \"embedded\"\npath = {path:?}\n");
            (both.clone(), both)
        }
        Engine::Memory => {
            let both = "kind = \"memory\"\n".to_owned();
            (both.clone(), both)
        }
        Engine::Apart { kafka, redis } => (bus(kafka), store(redis)),
    }
}

fn bus(kafka: &Kafka) -> String {
    let mut page = Page::default();
    page.line("kind", Some("\"kafka\""));
    page.line("brokers", Some(format_args!("{:?}", kafka.brokers)));
    page.line("replication", kafka.replication);
    page.line(
        "instance",
        kafka.instance.as_ref().map(|instance| format!("{instance:?}")),
    );
    page.line("tls", kafka.tls.as_ref().map(trust));
    let sasl = kafka.sasl.as_ref().map(|sasl| {
        let mechanism = sasl.mechanism.as_str();
        let password = secret(&sasl.password);
        format!(
            "{{ mechanism = \"{mechanism}\", user = {:?}, password = {password} }}",
            sasl.user
        )
    });
    page.line("sasl", sasl);
    page.0
}

fn store(redis: &Redis) -> String {
    let mut page = Page::default();
    page.line("kind", Some("\"redis\""));
    page.line("url", Some(url(&redis.url)));
    if redis.tls != Trust::default() {
        page.line("tls", Some(trust(&redis.tls)));
    }
    page.0
}

fn quoted(path: &PathBuf) -> String {
    format!("{path:?}")
}

fn secret(source: &SecretSource) -> String {
    match source {
        SecretSource::Plain(_) => "\"***\"".to_owned(),
        SecretSource::Env(name) => format!("{{ env = {name:?} }}"),
        SecretSource::File(path) => format!("{{ file = {path:?} }}"),
    }
}

/// A URL without what stands between its scheme and its host, and without parameters.
fn url(source: &SecretSource) -> String {
    let SecretSource::Plain(text) = source else {
        return secret(source);
    };
    let Some((scheme, rest)) = text.reveal().split_once("://") else {
        return "\"***\"".to_owned();
    };
    let place = match rest.rsplit_once('@') {
        Some((_, place)) => format!("***@{place}"),
        None => rest.to_owned(),
    };
    let place = place.split(['?', '#']).next().unwrap_or_default();
    format!("{:?}", format!("{scheme}://{place}"))
}

fn server(tls: &Tls) -> String {
    table(&[
        ("certificate", Some(&tls.certificate)),
        ("key", Some(&tls.key)),
        ("client_ca", tls.client_ca.as_ref()),
    ])
}

fn trust(trust: &Trust) -> String {
    table(&[
        ("ca", trust.ca.as_ref()),
        ("certificate", trust.certificate.as_ref()),
        ("key", trust.key.as_ref()),
    ])
}

fn table(files: &[(&str, Option<&PathBuf>)]) -> String {
    let given = files
        .iter()
        .filter_map(|(key, file)| Some(format!("{key} = {:?}", file.as_ref()?)));
    let given: Vec<_> = given.collect();
    if given.is_empty() {
        return "{}".to_owned();
    }
    format!("{{ {} }}", given.join(", "))
}
