//! A log tells nothing of people: no full number, no text, no secret, though everything that can go wrong with messages does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use service::time;
use signalbox_loadtest::{
    smsc::{Behaviour, inbound},
    stage::{API_KEY, Courier, Ground},
    world::Letter,
};
use signalbox_proto::pb::signalbox::{
    ingest::v1::Submission,
    sms::v1::{Content, MessageClass, content::Body},
};
use sms::{Reference, Sender};

use crate::{
    load,
    rig::{LINK_PASSWORD, NUMBER_SECRET, Rig, edit},
};

/// Messages of each run.
const MESSAGES: usize = 10_000;
/// Time to live of every message: no stall of this machine may end many.
const TTL: Duration = Duration::from_secs(600);
/// Messages that may be open at the end: a cut leaves as many in doubt as windows hold, and those wait until their grace is over.
const OPEN_MAX: usize = 200;
/// A piece of a text of so many characters gives it away; words of ours are shorter.
const PIECE: usize = 16;
/// A test that waits longer for a line has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);
/// A key that no account has.
const WRONG_KEY: &str = "key-that-nobody-has-4711";
/// What a handset writes, who, and to whom.
const HANDSET: (&str, &str, &str) = (
    "99990555012345",
    "447700900999",
    "Please call me back about the contract",
);

/// What may not be found, by length in octets.
#[derive(Default)]
pub(crate) struct Forbidden(BTreeMap<usize, BTreeSet<Vec<u8>>>);

impl Forbidden {
    pub(crate) fn add(&mut self, words: &str) {
        let words = words.as_bytes().to_vec();
        self.0.entry(words.len()).or_default().insert(words);
    }

    /// Every piece of `text`, as it is and as JSON writes it.
    pub(crate) fn add_text(&mut self, text: &str) {
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks_exact(PIECE) {
            let piece: String = piece.iter().collect();
            self.add(&piece);
            self.add(serde_json::to_string(&piece).unwrap().trim_matches('"'));
        }
    }

    /// All of it that stands in `log`.
    pub(crate) fn found(&self, log: impl AsRef<[u8]>) -> BTreeSet<String> {
        let windows = |length: usize| log.as_ref().windows(length);
        let found = self.0.iter().flat_map(|(length, words)| {
            let hits = windows(*length).filter(|window| words.contains(*window));
            hits.map(|window| String::from_utf8_lossy(window).into_owned())
        });
        found.collect()
    }
}

#[test]
fn a_number_a_piece_of_a_text_and_a_secret_are_found_wherever_they_stand() {
    let mut forbidden = Forbidden::default();
    forbidden.add("999901234567");
    forbidden.add_text("Your \"code\" for the bank is 481516, tell nobody");
    let found = |log: &str| forbidden.found(log).len();
    assert_eq!(found("to=+9999*****67 a message went to 99990123456"), 0);
    assert_eq!(found("{\"to\":\"+999901234567\"}"), 1);
    assert_eq!(found("said=Your \"code\" for the bank"), 1);
    assert_eq!(found(r#"{"said":"Your \"code\" for the bank"}"#), 1);
}

/// Messages that each have a number as their sender.
fn letters(networks: usize) -> Vec<Letter> {
    let numbered = |(place, letter): (usize, Letter)| Letter {
        from: Sender::new(&format!("+4477{place:08}")).unwrap(),
        ..letter
    };
    load::letters(MESSAGES, networks)
        .into_iter()
        .enumerate()
        .map(numbered)
        .collect()
}

/// Messages with one mistake each.
fn mistakes() -> Vec<Submission> {
    let submission = |to: &str, from: &str, text: &str| Submission {
        to: to.to_owned(),
        from: from.to_owned(),
        content: Some(Content {
            body: Some(Body::Text(text.to_owned())),
        }),
        class: MessageClass::Otp.into(),
        ..Submission::default()
    };
    let text = "A secret that nobody may ever read in a log";
    vec![
        submission("99990123456789012345", "+447700900111", text),
        submission("9999012345678x", "+447700900112", text),
        submission("99990123456781", "+44770090011344770090011344", text),
        submission("99990123456782", "+447700900114", ""),
    ]
}

fn forbidden(letters: &[Letter], mistakes: &[Submission]) -> Forbidden {
    let mut forbidden = Forbidden::default();
    for letter in letters {
        forbidden.add(letter.to.digits());
        forbidden.add(letter.from.as_str().trim_start_matches('+'));
        forbidden.add_text(&letter.text);
    }
    for mistake in mistakes {
        forbidden.add(&mistake.to);
        forbidden.add(mistake.from.trim_start_matches('+'));
        if let Some(Content {
            body: Some(Body::Text(text)),
        }) = &mistake.content
        {
            forbidden.add_text(text);
        }
    }
    let (from, to, text) = HANDSET;
    forbidden.add_text(text);
    for words in [from, to, API_KEY, WRONG_KEY, LINK_PASSWORD, NUMBER_SECRET] {
        forbidden.add(words);
    }
    forbidden
}

/// A carrier that refuses now and then, and cannot deliver everything, also for a reason that no map knows.
fn moody() -> Behaviour {
    Behaviour {
        error_rate: 0.02,
        throttle_rate: 0.01,
        receipts: "DELIVRD=90,UNDELIV/011=5,UNDELIV/777=5".parse().unwrap(),
        ..Behaviour::default()
    }
}

/// What processes in `folder` logged.
pub(crate) fn logs(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let logs = files.filter(|file| file.extension().is_some_and(|extension| extension == "log"));
    logs.map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// Waits until a process logged `words`: what went wrong shall be in what is searched.
async fn until_said(rig: &Rig, words: &str) {
    let said = async {
        while rig.cast.said(words).is_empty() {
            time::sleep(LOOK).await;
        }
    };
    let is_said = time::timeout(PATIENCE, said).await.is_some();
    assert!(is_said, "it never said {words:?}\n{}", logs(rig.folder.path()));
}

/// Runs 10,000 messages with everything that goes wrong on the way; the log.
async fn run(telemetry: &str) -> String {
    let mut rig = Rig::start(&Ground::Embedded, vec![moody(), Behaviour::default()], telemetry).await;
    let (letters, mistakes) = (letters(2), mistakes());
    let (from, to, text) = HANDSET;
    let rates = rig.folder.path().join("table/rates/carrier-0.csv");
    let midway = || {
        rig.carriers.iter().for_each(|carrier| carrier.cut());
        rig.carriers[0].deliver(inbound(from, to, text, Reference::Short(7)));
        edit(&rates, "0.01", "a lot");
    };
    let outcome = load::run(rig.target(), (&letters, TTL), mistakes.clone(), OPEN_MAX, midway).await;
    assert_eq!((outcome.accepted, outcome.refused), (MESSAGES, mistakes.len()));
    let stranger = Courier::connect(rig.target(), WRONG_KEY, None).await;
    assert!(stranger.is_err(), "a wrong key is refused");
    for trouble in ["a bind is down", "the table on disk is refused", "no account owns"] {
        until_said(&rig, trouble).await;
    }
    rig.cast.stop_all().await.unwrap();
    let log = logs(rig.folder.path());
    let found = forbidden(&letters, &mistakes).found(&log);
    assert!(found.is_empty(), "in the log: {found:#?}\n{log}");
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_leave_no_number_text_or_secret_in_a_log_of_text() {
    let log = run("").await;
    assert!(log.lines().all(|line| !line.starts_with('{')), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_leave_no_number_text_or_secret_in_a_log_of_json() {
    let log = run("log = \"json\"\n").await;
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}
