//! What stands for each place.

use std::{path::Path, sync::Arc, time::Duration};

use serde_json::json;
use sms::{Msisdn, Sender};

use super::*;
use crate::{
    Concatenation, LinkKind,
    fixture::{START, order},
    link::Tag,
    parts::Ready,
    read_links,
};

fn config(keys: &str) -> HttpConfig {
    let head = "[[link]]\nname = \"a\"\nkind = \"http\"\ncarriers = [\"a\"]\n";
    let links = read_links("links.toml", &format!("{head}{keys}"), Path::new("."));
    let links = links.unwrap_or_else(|problems| panic!("{problems}"));
    let LinkKind::Http(http) = &links[0].kind else {
        panic!("HTTP")
    };
    (**http).clone()
}

fn job(order: Order) -> Job {
    Job {
        tag: Tag { flight: 1, part: 0 },
        valid_for: Duration::from_secs(600),
        answer_timeout: Duration::from_secs(10),
        ready: Arc::new(Ready::cut(order, Concatenation::Payload)),
    }
}

fn body(keys: &str, order: Order) -> Value {
    let request = request(&config(keys), &job(order)).unwrap();
    serde_json::from_slice(&request.body).unwrap()
}

const EVERYTHING: &str = r#"
url = "http://127.0.0.1/send"
receipt_words = { wanted = "per_recipient", unwanted = 0 }
encoding_words = { gsm7 = 1, ucs2 = "unicode" }
validity_max = "5m"
[link.json]
fixed = [1, 1.5, true, "x", [], {}]
list = ["{to}", { of = "{from} {from_e164}" }]
text = "{text}"
ids = "{id} {attempt}"
spans = ["{validity}", "{validity_minutes}", "{validity_ms}", "for {validity} s"]
deadline = "{deadline}"
words = ["{receipt}", "{encoding}", "{segments}", "{class}"]
"#;

#[test]
fn every_place_is_filled_with_what_it_stands_for() {
    let filled = body(EVERYTHING, order(1));
    let id = "00000000-0000-0000-0000-000000000001";
    let wanted = json!({
        "fixed": [1, 1.5, true, "x", [], {}],
        "list": ["33639980001", { "of": "ACME ACME" }],
        "text": "message 1",
        "ids": format!("{id} {id}-1"),
        "spans": [300, 5, 300_000, "for 300 s"],
        "deadline": "2026-01-01T00:05:00.000Z",
        "words": ["per_recipient", 1, 1, "transactional"],
    });
    assert_eq!(filled, wanted);
    assert_eq!(START.0, 1_767_225_600_000, "from where the deadline is five minutes");
}

#[test]
fn senders_are_written_as_what_they_are() {
    let of = |sender: &str| {
        let mut order = order(1);
        order.message.from = Sender::new(sender).unwrap();
        body(EVERYTHING, order)["list"][1]["of"].clone()
    };
    assert_eq!(of("+447700900123"), "447700900123 +447700900123");
    assert_eq!(of("447700900123"), "447700900123 +447700900123");
    assert_eq!(of("70001"), "70001 70001");
    assert_eq!(of("O'Neil & Co"), "O'Neil & Co O'Neil & Co");
}

#[test]
fn no_wish_for_a_receipt_and_other_alphabets_have_their_words() {
    let mut silent = order(1);
    silent.receipt = false;
    silent.message.content = Content::Text("Łódź".to_owned());
    silent.message.encoding = Encoding::Ucs2;
    assert_eq!(
        body(EVERYTHING, silent)["words"],
        json!([0, "unicode", 1, "transactional"])
    );
}

/// The content holds everything that has a meaning somewhere.
#[test]
fn what_a_message_says_stays_where_it_belongs() {
    let said = "a&to=1#{to}\r\nx: y \"\\ %00 +€😀";
    let mut order = order(1);
    order.message.content = Content::Text(said.to_owned());
    order.message.to = Msisdn::new("447700900123").unwrap();
    let get = config("url = \"http://127.0.0.1/send?to={to}&text={text}\"\nmethod = \"GET\"\n");
    let asked = request(&get, &job(order.clone())).unwrap();
    let query = asked.url.split_once('?').unwrap().1;
    let fields = super::super::fields::form(query.as_bytes()).unwrap();
    assert_eq!(
        fields,
        [
            ("to".to_owned(), "447700900123".to_owned()),
            ("text".to_owned(), said.to_owned())
        ]
    );
    let form = config("url = \"http://127.0.0.1/send\"\nform = { to = \"{to}\", text = \"{text}\" }\n");
    let asked = request(&form, &job(order.clone())).unwrap();
    assert_eq!(super::super::fields::form(&asked.body).unwrap().len(), 2);
    let header = config("url = \"http://127.0.0.1/{to}?{text}\"\nheaders = { x-text = \"{text}\" }\n");
    let error = request(&header, &job(order)).unwrap_err();
    assert_eq!(error, "header x-text has a value that is none");
}
