//! The configuration as `--print-config` shows it: what is in force, secrets masked.

use std::fmt::Write as _;

use super::{Config, Engine};

/// The configuration in force as TOML; secrets are shown as `***`.
pub(crate) fn shown(config: &Config) -> String {
    let mut text = String::new();
    let mut line = |words: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{words}");
    };
    line(format_args!(
        "[bus]\n{}\npartitions = {}",
        engine(&config.bus),
        config.partitions
    ));
    line(format_args!("[store]\n{}", engine(&config.store)));
    if let Some(path) = &config.table {
        line(format_args!("[table]\npath = {path:?}"));
    }
    if let Some(ingest) = &config.ingest {
        line(format_args!(
            "[ingest]\ngrpc = \"{}\"\naccounts = {:?}",
            ingest.grpc, ingest.accounts
        ));
        if ingest.key_secret.is_some() {
            line(format_args!("key_secret = \"***\""));
        }
        if let Some(tls) = &ingest.tls {
            line(format_args!(
                "tls = {{ certificate = {:?}, key = {:?} }}",
                tls.certificate, tls.key
            ));
        }
    }
    if let Some(path) = &config.links {
        line(format_args!("[connector]\nlinks = {path:?}"));
    }
    let log = if config.log_json { "json" } else { "text" };
    line(format_args!("[telemetry]\nlog = \"{log}\""));
    if let Some(address) = config.probes {
        line(format_args!("http = \"{address}\""));
    }
    line(format_args!(
        "[service]\ndrain = \"{}\"",
        source::duration_text(config.drain_limit)
    ));
    text
}

fn engine(engine: &Engine) -> String {
    match engine {
        Engine::Embedded { path } => format!("kind = \"embedded\"\npath = {path:?}"),
        Engine::Memory => "kind = \"memory\"".to_owned(),
    }
}
