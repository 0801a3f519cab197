//! What reaches the log.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use super::*;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The resolver names the domain of a question that was answered wrongly, and the domain is a number.
#[test]
fn names_asked_of_dns_are_never_logged() {
    for wanted in ["trace", "info,hickory_net::udp=trace", LOGS_DEFAULT] {
        let written = Written::default();
        let writer = written.clone();
        let lines = fmt::layer().with_writer(move || writer.clone());
        let subscriber = registry().with(lines.with_filter(permitted(EnvFilter::new(wanted))));
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "hickory_net::udp::udp_client_stream", "3.2.1.0.0.9.0.0.7.7.4.4.e164.arpa.");
            tracing::error!(target: "hickory_resolver::lookup", "3.2.1.0.0.9.0.0.7.7.4.4.e164.arpa.");
            tracing::error!("something else");
        });
        let text = String::from_utf8(written.0.lock().expect("nobody panicked").clone()).expect("logs are text");
        assert!(
            text.contains("something else") && !text.contains("e164"),
            "{wanted}: {text}"
        );
    }
}
