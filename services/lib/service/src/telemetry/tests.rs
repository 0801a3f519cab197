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

/// Renders what a recorder shows before anything was counted.
#[test]
fn a_counter_is_shown_at_zero_for_every_combination_of_its_labels() {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        begin("plain_total", &[]);
        begin("two_total", &[("lane", &["urgent", "bulk"]), ("result", &["a", "b"])]);
        counter!("two_total", "lane" => "bulk", "result" => "b").increment(2);
    });
    let shown = recorder.handle().render();
    let mut lines: Vec<_> = shown
        .lines()
        .filter(|line| line.contains("_total") && !line.starts_with('#'))
        .collect();
    lines.sort_unstable();
    let expected = [
        "plain_total 0",
        "two_total{lane=\"bulk\",result=\"a\"} 0",
        "two_total{lane=\"bulk\",result=\"b\"} 2",
        "two_total{lane=\"urgent\",result=\"a\"} 0",
        "two_total{lane=\"urgent\",result=\"b\"} 0",
    ];
    assert_eq!(lines, expected, "{shown}");
}
