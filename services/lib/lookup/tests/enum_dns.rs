//! Carrier ENUM against Knot DNS with a zone written here, over UDP and TCP. Fails where Knot cannot be had, with what to do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    net::SocketAddr,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use backing::{Knot, KnotZone};
use lookup::{Failure, Provider, Reply, read_providers};
use service::Tasks;
use sms::Msisdn;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const SUFFIX: &str = "e164.example";

/// Numbers with their records: the last digits of 4477009001xx, TTL, order, preference, flag, service, expression.
const RECORDS: &str = r#"
01 864000 10 50 u E2U+pstn:tel !^(.*)$!tel:\1;mcc=310;mnc=012!
02 3 10 50 u E2U+pstn:tel !^(.*)$!tel:\1;mcc=234;mnc=10;npdi;rn=+447700900999!
03 60 10 50 u E2U+pstn:tel !^(.*)$!tel:\1;npdi;cic=+1-6789!
04 60 20 10 u E2U+pstn:tel !^(.*)$!tel:\1;mcc=234;mnc=20!
04 60 10 90 u E2U+pstn:tel !^(.*)$!tel:\1;mcc=234;mnc=30!
04 60 10 80 u E2U+pstn:tel !^(.*)$!tel:\1;mcc=234;mnc=33!
04 60 5 10 u E2U+sip !^.*$!sip:someone@example.com!
04 60 5 10 s E2U+pstn:tel !^(.*)$!tel:\1;mcc=234;mnc=01!
04 60 5 20 u E2U+pstn:tel !^\+1(.*)$!tel:+1\1;mcc=310;mnc=260!
05 60 10 50 u E2U+sip !^.*$!sip:someone@example.com!
06 60 10 50 u E2U+pstn:tel !^.*$!tel:+447700900999;mcc=234;mnc=10!
07 60 10 50 u E2U+pstn:tel !^(.*$!tel:\1;mcc=234;mnc=10!
08 60 10 50 u E2U+pstn:tel !^(.*)$!tel:\1;mcc=23;mnc=10!
09 60 10 10 u E2U+pstn:tel !nothing
09 60 10 20 u E2U+pstn:tel !^(.*)$!tel:\1;mcc=234;mnc=15!
"#;

static KNOT: LazyLock<Knot> = LazyLock::new(|| {
    let zone = |name, records| KnotZone { name, records };
    Knot::start(&[zone(SUFFIX, Some(&zone_file())), zone("broken.example", None)])
        .unwrap_or_else(|error| panic!("{error}"))
});

fn number(last: &str) -> String {
    format!("4477009001{last}")
}

fn domain(last: &str) -> String {
    let digits: Vec<_> = number(last).chars().rev().map(String::from).collect();
    format!("{}.{SUFFIX}.", digits.join("."))
}

fn record(last: &str, ttl: &str, order: &str, preference: &str, flag: &str, service: &str, expression: &str) -> String {
    let expression = expression.replace('\\', "\\\\");
    let domain = domain(last);
    format!("{domain} {ttl} IN NAPTR {order} {preference} \"{flag}\" \"{service}\" \"{expression}\" .\n")
}

/// Beside [`RECORDS`]: 20 is an alias of 01, 21 has other types alone, and 22 so many records that no datagram holds them.
fn zone_file() -> String {
    let mut zone = format!(
        "{SUFFIX}. 3600 SOA ns.{SUFFIX}. admin.{SUFFIX}. 1 3600 600 86400 77\n{SUFFIX}. 3600 NS ns.{SUFFIX}.\n"
    );
    for line in RECORDS.lines().filter(|line| !line.is_empty()) {
        let [last, ttl, order, preference, flag, service, expression] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        zone += &record(last, ttl, order, preference, flag, service, expression);
    }
    zone += &format!("{} 30 CNAME {}\n", domain("20"), domain("01"));
    zone += &format!("{} 60 TXT \"no NAPTR\"\n", domain("21"));
    for preference in 1..=60 {
        let service = if preference == 60 {
            "E2U+pstn:tel"
        } else {
            "E2U+voicemsg:tel"
        };
        zone += &record(
            "22",
            "60",
            "10",
            &preference.to_string(),
            "u",
            service,
            r"!^(.*)$!tel:\1;mcc=234;mnc=10!",
        );
    }
    for last in 30..90 {
        let last = last.to_string();
        zone += &record(
            &last,
            "60",
            "10",
            "50",
            "u",
            "E2U+pstn:tel",
            r"!^(.*)$!tel:\1;mcc=234;mnc=10!",
        );
    }
    zone
}

fn provider_at(servers: &[SocketAddr], keys: &str) -> Arc<dyn Provider> {
    let servers: Vec<_> = servers.iter().map(|server| format!("\"{server}\"")).collect();
    let servers = servers.join(", ");
    let suffix = if keys.contains("suffix") {
        String::new()
    } else {
        format!("suffix = \"{SUFFIX}\"\n")
    };
    let text = format!(
        "[[provider]]\nname = \"a\"\nkind = \"enum\"\nprice = \"0.001\"\nservers = [{servers}]\n{suffix}{keys}"
    );
    let configs = read_providers("p.toml", &text, "/".as_ref()).unwrap_or_else(|problems| panic!("{problems}"));
    configs[0].build(&service::Dice::seeded(1)).unwrap()
}

async fn result(provider: &Arc<dyn Provider>, last: &str) -> Result<Reply, Failure> {
    let mut results = provider.ask(&[Msisdn::new(&number(last)).unwrap()]).await;
    assert_eq!(results.len(), 1);
    results.pop().unwrap()
}

/// Network, ported and seconds to live, or the failure, in which no number may stand.
async fn line_of(provider: &Arc<dyn Provider>, last: &str) -> String {
    match result(provider, last).await {
        Ok(reply) => {
            let network = reply
                .network
                .map_or_else(|| "?".to_owned(), |network| network.to_string());
            let ported = reply
                .ported
                .map_or("?", |ported| if ported { "ported" } else { "home" });
            let ttl = reply
                .ttl
                .map_or_else(|| "?".to_owned(), |ttl| ttl.as_secs().to_string());
            format!("{network} {ported} {ttl}")
        }
        Err(failure) => {
            let told = failure.to_string();
            assert!(!told.contains("7700900") && !told.contains("0.0.9.0.0.7"), "{told}");
            told
        }
    }
}

async fn line(last: &str) -> String {
    line_of(&provider_at(&[KNOT.address()], ""), last).await
}

#[tokio::test]
async fn networks_come_with_their_time_to_live() {
    assert_eq!(line("01").await, "310012 ? 864000");
    assert_eq!(line("02").await, "23410 ported 3");
    assert_eq!(line("03").await, "? home 60", "looked up, and the network has no name");
    assert_eq!(
        line("20").await,
        "310012 ? 30",
        "an alias lives as long as its shortest part"
    );
}

#[tokio::test]
async fn order_comes_before_preference() {
    assert_eq!(line("04").await, "23433 ? 60");
    assert_eq!(
        line("09").await,
        "23415 ? 60",
        "a record that cannot be read leaves the next"
    );
}

#[tokio::test]
async fn a_number_that_is_not_there_is_no_failure() {
    assert_eq!(line("99").await, "? ? 77", "NXDOMAIN, for as long as the zone says");
    assert_eq!(line("21").await, "? ? 77", "other types alone");
    assert_eq!(line("05").await, "? ? 60", "other services alone");
}

#[tokio::test]
async fn what_is_no_answer_is_garbled() {
    assert_eq!(line("06").await, "garbled: it answered for another number");
    assert_eq!(line("07").await, "garbled: its expression is none");
    assert_eq!(
        line("08").await,
        "garbled: its network is \"23 10\": an MCC has three digits"
    );
}

#[tokio::test]
async fn a_server_that_refuses_or_fails_is_told_apart() {
    let at = |suffix: &str| provider_at(&[KNOT.address()], &format!("suffix = \"{suffix}\""));
    let refused = line_of(&at("elsewhere.test"), "01").await;
    assert_eq!(
        refused,
        "refused: it answered Query Refused: does it know our address, and the suffix?"
    );
    assert_eq!(
        line_of(&at("broken.example"), "01").await,
        "away: it answered Server Failure"
    );
}

/// Sixty records are some four kilobytes, three times what a datagram may hold.
#[tokio::test]
async fn what_no_datagram_holds_comes_over_tcp() {
    let octets = zone_file()
        .lines()
        .filter(|line| line.starts_with(&domain("22")))
        .map(str::len)
        .sum::<usize>();
    assert!(octets > 4_000, "{octets}");
    assert_eq!(line("22").await, "23410 ? 60");
}

/// Reaches Knot over TCP alone.
async fn tcp_alone() -> (SocketAddr, Tasks) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = Tasks::new();
    tasks.spawn(async move {
        let mut connections = Tasks::new();
        while let Ok((mut near, _)) = listener.accept().await {
            connections.spawn(async move {
                let mut far = TcpStream::connect(KNOT.address()).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, tasks)
}

#[tokio::test]
async fn the_transport_is_as_configured() {
    let (address, _tasks) = tcp_alone().await;
    let tcp = provider_at(&[address], "transport = \"tcp\"");
    assert_eq!(line_of(&tcp, "01").await, "310012 ? 864000");
    let numbers: Vec<_> = (30..90)
        .map(|last| Msisdn::new(&number(&last.to_string())).unwrap())
        .collect();
    assert!(
        tcp.ask(&numbers).await.iter().all(Result::is_ok),
        "many over one connection"
    );
    let udp = provider_at(&[address], "timeout = \"200ms\"");
    assert!(line_of(&udp, "01").await.starts_with("away: "));
}

/// The first server swallows questions.
#[tokio::test]
async fn a_silent_server_leaves_the_next() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let keys = "timeout = \"400ms\"";
    let alone = provider_at(&[silent.local_addr().unwrap()], keys);
    assert_eq!(line_of(&alone, "01").await, "away: it gave no answer in time");
    let both = provider_at(&[silent.local_addr().unwrap(), KNOT.address()], keys);
    assert_eq!(line_of(&both, "01").await, "310012 ? 864000");
    while silent.recv(&mut [0; 512]).is_ok() {}
    assert_eq!(line_of(&both, "02").await, "23410 ported 3");
    assert!(silent.recv(&mut [0; 512]).is_err(), "it is not asked again");
}

/// Nothing else asks again in time: the resolver's own patience is longer than the timeout.
#[tokio::test]
async fn a_datagram_that_is_lost_is_sent_again_for_who_has_little_time() {
    let (address, loses, _tasks) = lossy().await;
    let provider = provider_at(&[address], "timeout = \"330ms\"");
    // A busy machine may need more than one try; where nobody asks again all of them fail.
    for _ in 0..5 {
        loses.store(true, Ordering::Relaxed);
        if line_of(&provider, "01").await == "310012 ? 864000" {
            assert!(!loses.load(Ordering::Relaxed), "one was lost");
            return;
        }
    }
    panic!("what was lost is not sent again");
}

/// Knot behind a wire that loses a datagram when it is told to.
async fn lossy() -> (SocketAddr, Arc<AtomicBool>, Tasks) {
    let wire = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (address, loses) = (wire.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
    let (told, mut tasks) = (Arc::clone(&loses), Tasks::new());
    tasks.spawn(async move {
        let mut octets = [0; 4_096];
        while let Ok((count, from)) = wire.recv_from(&mut octets).await {
            if told.swap(false, Ordering::Relaxed) {
                continue;
            }
            let behind = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            behind.send_to(&octets[..count], KNOT.address()).await.unwrap();
            let count = behind.recv(&mut octets).await.unwrap();
            wire.send_to(&octets[..count], from).await.unwrap();
        }
    });
    (address, loses, tasks)
}

/// A budget that ends before the server's own timeout.
#[tokio::test]
async fn whoever_gives_up_early_leaves_the_next_too() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let both = provider_at(&[silent.local_addr().unwrap(), KNOT.address()], "timeout = \"60s\"");
    let numbers = [Msisdn::new(&number("01")).unwrap()];
    assert_eq!(
        service::time::timeout(Duration::from_millis(50), both.ask(&numbers)).await,
        None
    );
    assert_eq!(line_of(&both, "01").await, "310012 ? 864000");
}

/// Answers with octets that are no message, and with a message about another question.
#[tokio::test]
async fn octets_that_are_no_answer_are_no_answer() {
    let liar = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = liar.local_addr().unwrap();
    let mut tasks = Tasks::new();
    tasks.spawn(async move {
        let mut question = [0; 512];
        for round in 0_usize.. {
            let Ok((count, from)) = liar.recv_from(&mut question).await else {
                return;
            };
            let mut answer = question[..count].to_vec();
            match round % 3 {
                0 => answer.truncate(7),
                1 => answer[12..].fill(0xff),
                _ => answer[0] ^= 1,
            }
            let _ = liar.send_to(&answer, from).await;
        }
    });
    let provider = provider_at(&[address], "timeout = \"200ms\"");
    for _ in 0..3 {
        let told = line_of(&provider, "01").await;
        assert!(told.starts_with("away: ") || told.starts_with("garbled: "), "{told}");
    }
}

#[tokio::test]
async fn many_are_asked_at_a_time() {
    let provider = provider_at(&[KNOT.address()], "");
    let numbers: Vec<_> = (0..5)
        .flat_map(|_| (30..90).map(|last| Msisdn::new(&number(&last.to_string())).unwrap()))
        .collect();
    let results = provider.ask(&numbers).await;
    assert_eq!(results.len(), 300);
    let expected = result(&provider, "30").await.unwrap();
    assert_eq!(expected.ttl, Some(Duration::from_secs(60)));
    for result in results {
        assert_eq!(result, Ok(expected.clone()));
    }
}

#[test]
fn bad_keys_are_named() {
    for (keys, expected) in [
        ("", "\"provider.servers\" is missing"),
        ("servers = []", "names no server"),
        ("servers = \"dns.example.com\"", "\"dns.example.com\" is no address"),
        ("servers = \"10.0.0.1:0\"", "\"10.0.0.1:0\" is no address"),
        ("servers = \"10.0.0.1\"\nsuffix = \"a..b\"", "\"a..b\" is no domain"),
        ("servers = \"10.0.0.1\"\nsuffix = \".\"", "\".\" is no domain"),
        ("servers = \"10.0.0.1\"\ntransport = \"dot\"", "allowed are udp, tcp"),
        (
            "servers = \"10.0.0.1\"\nnumbers_max = 2",
            "unknown key \"provider.numbers_max\"",
        ),
    ] {
        let text = format!("[[provider]]\nname = \"a\"\nkind = \"enum\"\nprice = \"0\"\n{keys}");
        let problems = read_providers("p.toml", &text, "/".as_ref()).unwrap_err().to_string();
        assert!(problems.contains(expected), "{problems}");
    }
    for servers in ["\"10.0.0.1\"", "[\"[2001:db8::53]:5353\", \"2001:db8::54\"]"] {
        let text = format!("[[provider]]\nname = \"a\"\nkind = \"enum\"\nprice = \"0\"\nservers = {servers}");
        assert!(read_providers("p.toml", &text, "/".as_ref()).is_ok());
    }
}
