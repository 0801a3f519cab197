//! `links.toml`: what is read, and what is refused where.

mod http;

use std::time::Duration;

use ::smpp::{IdFormat, Status, Tlv};
use sms::ReceiptFault;

use super::*;
use crate::Action;

fn read(text: &str) -> Result<Vec<LinkConfig>, String> {
    read_links("links.toml", text, Path::new(".")).map_err(|problems| problems.to_string())
}

const FULL: &str = r#"
[[link]]
name = "atlas"
kind = "smpp"
carriers = ["atlas-otp", "atlas-bulk"]
address = "smpp.example.net:2775"
system_id = "signalbox"
password = "secret"
system_type = "SMPP"
window = 50
binds = { transceiver = 1, transmitter = 2, receiver = 1 }
rate = 100
enquire_link = "20s"
reconnect_min = "2s"
reconnect_max = "30s"
credentials_pause = "10m"
tlvs = "always"
source = { alphanumeric = "5/0", short_code = "6/0", long_code = "1/1" }
destination = "1/1"
destination_prefix = "00"
default_alphabet = "latin1"
data_coding = { gsm7 = 1 }
priority = { urgent = 3, normal = 1 }
validity = "absolute"
validity_max = "24h"
extra_tlvs = { 0x1400 = "1101", 0x1401 = "hex:00fF" }
receipt_zone = "-03:30"
receipt_keys = { id = ["msgid=", "message id: "], stat = "state=" }
concatenation = "udh16"
id_format = { resp = "hex", dlr = "dec" }
outcomes = { ESME_RTHROTTLED = "hold 1 then next", 0x421 = "link_down" }
receipt_errors = { "001" = "number", 021 = "route" }
map = "wholesale"

[map.wholesale]
codes = { no_credit = 0x422, unsubscribed = 0x423 }
outcomes = { no_credit = "link_down as no_credit", unsubscribed = "fail", ESME_RTHROTTLED = "next" }
receipt_states = { SENT = "enroute", Spam = "rejected blames recipient" }
receipt_errors = { "007" = "recipient", "1" = "handset" }

[[link]]
name = "sim"
kind = "simulator"
carriers = "cirrus"
seed = 7
latency = "20ms"
error_rate = 0.01
receipts = { delay = "2s", failed_rate = 0.1 }
"#;

#[test]
fn every_key_is_read() {
    let links = read(FULL).unwrap();
    let [atlas, sim] = &links[..] else { panic!("two links") };
    assert_eq!(
        (atlas.window, atlas.rate, atlas.concatenation),
        (50, Some(100), Concatenation::Udh16)
    );
    assert_eq!(atlas.carriers.len(), 2);
    assert_eq!(
        atlas.outcomes.smpp.rule(Status::RTHROTTLED).action.to_string(),
        "hold 1 then next"
    );
    assert_eq!(atlas.outcomes.smpp.rule(Status(0x421)).action, Action::LinkDown);
    assert_eq!(
        atlas.faults.fault(sms::ReceiptState::Undeliverable, "1", None),
        ReceiptFault::Number
    );
    let wholesale = atlas.outcomes.smpp.rule(Status(0x422));
    assert_eq!((wholesale.action, wholesale.code), (Action::LinkDown, "no_credit"));
    assert_eq!(atlas.outcomes.smpp.name(Status(0x422)), "no_credit");
    assert_eq!(atlas.outcomes.smpp.rule(Status(0x423)).code, "mapped");
    assert_eq!(
        atlas.faults.fault(sms::ReceiptState::Undeliverable, "7", None),
        ReceiptFault::Recipient
    );
    assert_eq!(
        atlas.faults.word("SPAM"),
        Some((sms::ReceiptState::Rejected, Some(ReceiptFault::Recipient)))
    );
    assert_eq!(sim.outcomes, crate::Outcomes::default());
    let LinkKind::Smpp(smpp) = &atlas.kind else {
        panic!("smpp")
    };
    assert_eq!(smpp.address, "smpp.example.net:2775");
    assert_eq!(smpp.reconnect, Duration::from_secs(2)..=Duration::from_secs(30));
    assert_eq!((smpp.numbering.short_code, smpp.data_coding), ((6, 0), [1, 8, 4]));
    assert_eq!((smpp.binds.submitting(), smpp.binds.all()), (3, 4));
    assert_eq!((smpp.alphabet, smpp.priority), (crate::Alphabet::Latin1, [3, 1, 0]));
    assert_eq!(
        (smpp.validity, smpp.validity_max),
        (crate::Validity::Absolute, Duration::from_secs(86_400))
    );
    assert_eq!(
        smpp.extra_tlvs,
        [Tlv::new(0x1400, &b"1101"[..]), Tlv::new(0x1401, &[0, 255][..])]
    );
    let receipt = smpp
        .receipts
        .read_text(b"message id: 7 state=DELIVRD done date:2601010000");
    assert_eq!((receipt.id.as_deref(), receipt.stat.as_str()), (Some("7"), "DELIVRD"));
    assert_eq!(receipt.done_at, Some(sms::UnixMs(1_767_225_600_000 + 12_600_000)));
    assert_eq!((smpp.ids.response, smpp.ids.receipt), (IdFormat::Hex, IdFormat::Dec));
    let LinkKind::Simulator(simulator) = &sim.kind else {
        panic!("simulator")
    };
    assert_eq!((simulator.seed, simulator.receipts.failed), (Some(7), 0.1));
    assert!(!format!("{atlas:?}").contains("secret"), "the password is masked");
}

#[test]
fn every_problem_is_told_at_once_with_its_line() {
    let text = r#"
[[link]]
name = "atlas"
kind = "smpp"
carriers = ["Atlas"]
address = "nowhere"
system_id = "a-name-beyond-15-characters"
password = "too-long-for-smpp"
window = 0
rate = 1000000
enquire_link = "1ms"
concatenation = "sarr"
default_alphabet = "utf8"
wndow = 3
destination = "9/9"
outcomes = { ESME_RBOGUS = "next", ESME_RSYSERR = "drop" }
receipt_errors = { 1 = "weather" }
[[link]]
name = "atlas"
kind = "http"
carriers = ["cirrus"]
[[link]]
name = "third"
kind = "simulator"
carriers = ["cirrus"]
error_rate = 0.7
drop_rate = 0.7
map = "whole"
[map.retail]
codes = { "no credit" = 0x422, ESME_RSYSERR = 7, huge = 0x1FFFFFFFF }
outcomes = { ROK = "next", no_credit = "fail", RSYSERR = "fail as weather" }
receipt_states = { SENT = "underway", SPAM = "rejected blames weather" }
wrong = 1
[[link]]
name = "fourth"
kind = "smpp"
carriers = ["delta"]
address = "127.0.0.1:1"
system_id = "a"
password = "b"
binds = { transmitter = 30, receiver = 3, both = 1 }
priority = { urgent = 4 }
validity = "forever"
validity_max = "1s"
extra_tlvs = { 0x0424 = "no", 0x1400 = "hex:0", 0x1401 = "é" }
receipt_zone = "Europe/Paris"
receipt_keys = { id = "id", state = "state=" }
id_format = { resp = "octal" }
"#;
    let problems = read(text).unwrap_err();
    for (line, word) in [
        (5, "carriers"),
        (6, "host:port"),
        (7, "system_id"),
        (8, "password"),
        (9, "window"),
        (10, "rate"),
        (11, "enquire_link"),
        (12, "udh8, udh16, sar, payload"),
        (13, "gsm7, gsm7-packed, latin1, ascii"),
        (14, "wndow"),
        (15, "type of number"),
        (16, "command status"),
        (16, "no action"),
        (17, "weather"),
        (19, "like the link in line 3"),
        (18, "url"),
        (25, "which link atlas serves"),
        (26, "more than 1"),
        (28, "names a map that is not there"),
        (30, "is no name of a code"),
        (30, "the protocol's own"),
        (30, "0x1FFFFFFFF"),
        (31, "is success"),
        (31, "command status"),
        (31, "no cause"),
        (32, "underway"),
        (32, "weather"),
        (41, "are 33, a link has at most 32"),
        (41, "unknown key \"link.binds.both\""),
        (42, "allowed are 0 to 3"),
        (43, "relative, absolute, none"),
        (44, "allowed are 1m"),
        (45, "no tag of a vendor"),
        (45, "pairs of hexadecimal digits"),
        (45, "not ASCII"),
        (46, "no distance from UTC"),
        (47, "no text before a value"),
        (47, "unknown key \"link.receipt_keys.state\""),
        (48, "opaque, hex, dec, exact"),
        (33, "unknown key \"map.retail.wrong\""),
    ] {
        let lines: Vec<&str> = problems.lines().collect();
        let found = (0..lines.len()).any(|at| {
            lines[at].starts_with(&format!("links.toml:{line}:"))
                && lines[at..].iter().take(3).any(|line| line.contains(word))
        });
        assert!(found, "line {line} {word} in\n{problems}");
    }
    assert!(!problems.contains("too-long-for-smpp"), "a password is not repeated");
}

#[test]
fn a_password_comes_from_a_file_beside_the_links() {
    let dir = std::env::temp_dir().join(format!("signalbox-links-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("word"), "hunter2\n").unwrap();
    let text = FULL.replace("\"secret\"", "{ file = \"word\" }");
    let links = read_links("links.toml", &text, &dir).unwrap();
    let LinkKind::Smpp(smpp) = &links[0].kind else {
        panic!("smpp")
    };
    assert_eq!(smpp.password.reveal(), "hunter2");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_slow_link_has_no_more_on_its_way_than_two_seconds_of_its_rate() {
    let mut links = read(FULL).unwrap();
    links[0].rate = Some(5);
    assert_eq!(links[0].window_in_effect(), 10);
    links[0].rate = None;
    assert_eq!((links[0].window_in_effect(), links[0].window), (150, 50));
}

#[test]
fn tls_needs_files_that_are_there_and_go_together() {
    let link = |tls: &str| {
        format!(
            "[[link]]\nname = \"a\"\nkind = \"smpp\"\ncarriers = [\"a\"]\naddress = \"h:1\"\nsystem_id = \"a\"\n\
             password = \"b\"\ntls = {tls}\n"
        )
    };
    let folder = tempfile::tempdir().unwrap();
    let signed = rcgen::generate_simple_self_signed(vec!["h".to_owned()]).unwrap();
    std::fs::write(folder.path().join("us.pem"), signed.cert.pem()).unwrap();
    std::fs::write(folder.path().join("us.key"), signed.signing_key.serialize_pem()).unwrap();
    let read = |tls: &str| read_links("links.toml", &link(tls), folder.path()).map_err(|problems| problems.to_string());
    let whole = "{ ca = \"us.pem\", certificate = \"us.pem\", key = \"us.key\", server_name = \"smpp.example\" }";
    let links = read(whole).unwrap();
    let LinkKind::Smpp(smpp) = &links[0].kind else {
        panic!("an SMPP link")
    };
    let tls = smpp.tls.as_ref().unwrap();
    assert_eq!(tls.ca, Some(folder.path().join("us.pem")));
    assert_eq!(tls.server_name.as_deref(), Some("smpp.example"));
    for (tls, word) in [
        ("{ ca = \"gone.pem\" }", "gone.pem"),
        ("{ ca = \"us.key\" }", "no certificate"),
        ("{ ca = \"us.pem\", certificate = \"us.pem\" }", "nothing without a key"),
        ("{ ca = \"us.pem\", key = \"us.key\" }", "nothing without a certificate"),
        (
            "{ ca = \"us.pem\", certificate = \"us.pem\", key = \"us.pem\" }",
            "us.pem",
        ),
        ("{ ca = \"us.pem\", server_name = \"two words\" }", "no name"),
        ("{ ca = \"us.pem\", verify = false }", "unknown key"),
    ] {
        let problems = read(tls).unwrap_err();
        assert!(
            problems.contains("links.toml:8") && problems.contains(word),
            "{tls}: {problems}"
        );
    }
}

#[test]
fn links_of_one_account_agree_on_its_rate() {
    let text = |rate: u32| {
        let link = |name: &str, rate: u32| {
            format!(
                "[[link]]\nname = \"{name}\"\nkind = \"simulator\"\ncarriers = [\"{name}\"]\naccount = \"us\"\nrate = {rate}\n"
            )
        };
        link("a", 10) + &link("b", rate)
    };
    assert_eq!(read(&text(10)).unwrap()[1].account.as_deref(), Some("us"));
    let problems = read(&text(20)).unwrap_err();
    assert!(
        problems.contains("links.toml:11") && problems.contains("link a gives another rate"),
        "{problems}"
    );
}
