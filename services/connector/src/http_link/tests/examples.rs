//! Every link under `deploy/examples/carriers-http` against answers and calls in the shapes that its carrier documents; numbers,
//! ids and secrets are made up.

use std::{collections::BTreeMap, fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::hmac;
use sms::{ReceiptFault, ReceiptState};

use super::{hooks::Hooked, *};

/// A made-up secret for each file that an example may name.
const SECRETS: [(&str, &str); 13] = [
    ("twilio-account", "AC00112233445566778899aabbccddeeff"),
    ("twilio-token", "twilio-token-7f3a"),
    ("plivo-account", "MAPLIVOACCOUNT000000"),
    ("plivo-token", "plivo-token-19c2"),
    ("vonage-key", "abcd1234"),
    ("vonage-secret", "vonage-secret-55e0"),
    ("vonage-path", "vonage-path-c0ffee"),
    ("infobip-key", "infobip-key-93b1"),
    ("infobip-path", "infobip-path-1dea"),
    ("sinch-plan", "sinchplan0001"),
    ("sinch-token", "sinch-token-4b4b"),
    ("sinch-hook-user", "sinch"),
    ("sinch-hook-password", "sinch-password-8"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples/carriers-http")
}

/// The link of an example, its host played at `address` and its webhook on a port of its own.
fn example(name: &str, address: impl ToString) -> LinkConfig {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("secrets")).unwrap();
    for (name, secret) in SECRETS {
        fs::write(base.path().join("secrets").join(name), format!("{secret}\n")).unwrap();
    }
    let file = format!("{name}.toml");
    let text = fs::read_to_string(folder().join(&file)).unwrap();
    let host = text
        .split_once("\nurl = \"https://")
        .unwrap()
        .1
        .split('/')
        .next()
        .unwrap();
    let here = format!("url = \"http://{}", address.to_string());
    let text = text.replacen(&format!("url = \"https://{host}"), &here, 1);
    let text = text.replace("listen = \"127.0.0.1:8090\"", "listen = \"127.0.0.1:0\"");
    let links = read_links(&file, &text, base.path());
    let mut links = links.unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(links.len(), 1, "{file}");
    links.remove(0)
}

/// What becomes of message 1, and the request for it.
async fn sent(name: &str, status: &str, answer: &'static str) -> (String, String) {
    let answer = json(status, answer);
    let carrier = Carrier::start(move |_| answer.clone()).await;
    let told = Rig::start(&example(name, carrier.address)).await.one().await;
    (told, carrier.requests().remove(0))
}

/// The fields of a form that ends `request`.
fn fields(request: &str) -> BTreeMap<String, String> {
    let body = request.split_once("\r\n\r\n").unwrap().1;
    form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

fn body(request: &str) -> serde_json::Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// What a call says of its message: id, state, fault and the error.
async fn told(name: &str, path: &str, headers: &str, body: &str) -> Vec<(String, ReceiptState, ReceiptFault, String)> {
    let mut hooked = Hooked::of(&example(name, "127.0.0.1:9")).await;
    let status = hooked.call(path, headers, body);
    let arrived = hooked.receipts().await;
    hooked.reply(&arrived, true);
    assert_eq!(status.await.unwrap(), "200");
    let said = arrived.into_iter().map(|arrived| {
        let receipt = arrived.receipt;
        (arrived.remote_id, receipt.state, receipt.fault, receipt.error)
    });
    said.collect()
}

fn signed(algorithm: hmac::Algorithm, key: &str, text: &str) -> String {
    BASE64_STANDARD.encode(hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), text.as_bytes()))
}

#[tokio::test]
async fn twilio() {
    let created = r#"{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued","error_code":null,"error_message":null,"num_segments":"1"}"#;
    let (told_of, request) = sent("twilio", "201 Created", created).await;
    assert_eq!(told_of, "1 taken SM0123456789abcdef0123456789abcdef");
    assert!(
        request.starts_with("POST /2010-04-01/Accounts/AC00112233445566778899aabbccddeeff/Messages.json HTTP/1.1\r\n")
    );
    assert!(request.contains("authorization: Basic ") && !request.contains("idempotency-key"));
    let fields = fields(&request);
    assert_eq!(
        (fields["To"].as_str(), fields["From"].as_str()),
        ("+33639980001", "ACME")
    );
    assert_eq!(
        (fields["ValidityPeriod"].as_str(), fields["StatusCallback"].as_str()),
        ("90", "https://sms.example.com/receipts/twilio")
    );
    let stopped = r#"{"code":21610,"message":"Attempt to send to unsubscribed recipient","more_info":"https://www.twilio.com/docs/errors/21610","status":400}"#;
    let refused = "1 next then fail as opted_out (HTTP 400 stopped: Attempt to send to unsubscribed recipient)";
    assert_eq!(sent("twilio", "400 Bad Request", stopped).await.0, refused);
    let throttled = r#"{"code":20429,"message":"Too Many Requests","status":429}"#;
    assert!(
        sent("twilio", "429 Too Many Requests", throttled)
            .await
            .0
            .starts_with("1 hold as throttled")
    );
}

#[tokio::test]
async fn twilio_calls() {
    let call = async |status: &str, error: &str| {
        let body = format!(
            "SmsSid=SM01&SmsStatus={status}&MessageStatus={status}&To=%2B33639980001&MessageSid=SM01&AccountSid=AC00&From=ACME&ApiVersion=2010-04-01{error}"
        );
        let mut fields: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        fields.sort();
        let fields: String = fields.into_iter().map(|(name, value)| name + &value).collect();
        let text = format!("https://sms.example.com/receipts/twilio{fields}");
        let signature = signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, "twilio-token-7f3a", &text);
        let headers = format!("x-twilio-signature: {signature}\r\ncontent-type: application/x-www-form-urlencoded\r\n");
        told("twilio", "/receipts/twilio", &headers, &body).await.remove(0)
    };
    let none = String::new();
    assert_eq!(call("sent", "").await.1, ReceiptState::Enroute);
    assert_eq!(
        call("delivered", "").await,
        ("SM01".to_owned(), ReceiptState::Delivered, ReceiptFault::Handset, none)
    );
    let undelivered = call("undelivered", "&ErrorCode=30007").await;
    assert_eq!(
        (undelivered.1, undelivered.2),
        (ReceiptState::Undeliverable, ReceiptFault::Route)
    );
    let hooked = Hooked::of(&example("twilio", "127.0.0.1:9")).await;
    assert_eq!(
        hooked
            .call("/receipts/twilio", "", "MessageSid=SM01&MessageStatus=delivered")
            .await
            .unwrap(),
        "403"
    );
}

#[tokio::test]
async fn plivo() {
    let queued = r#"{"message":"message(s) queued","message_uuid":["db3ce55a-7f1d-11e1-8ea7-1231380bc196"],"api_id":"db342550-7f1d-11e1-8ea7-1231380bc196"}"#;
    let (told_of, request) = sent("plivo", "202 Accepted", queued).await;
    assert_eq!(told_of, "1 taken db3ce55a-7f1d-11e1-8ea7-1231380bc196");
    assert!(
        request.starts_with("POST /v1/Account/MAPLIVOACCOUNT000000/Message/ HTTP/1.1\r\n"),
        "{request}"
    );
    let wanted = serde_json::json!({
        "src": "ACME", "dst": "+33639980001", "text": "message 1", "method": "POST",
        "url": "https://sms.example.com/receipts/plivo",
    });
    assert_eq!(body(&request), wanted);
    let refused = sent(
        "plivo",
        "400 Bad Request",
        r#"{"api_id":"x","error":"src and dst cannot be same"}"#,
    )
    .await
    .0;
    assert_eq!(refused, "1 next as refused (HTTP 400: src and dst cannot be same)");
    assert!(
        sent("plivo", "401 Unauthorized", "")
            .await
            .0
            .starts_with("1 link_down as bind_refused")
    );
    let signature = signed(
        hmac::HMAC_SHA256,
        "plivo-token-19c2",
        "https://sms.example.com/receipts/plivo05429567804466091622",
    );
    let headers = format!(
        "x-plivo-signature-v2: {signature}\r\nx-plivo-signature-v2-nonce: 05429567804466091622\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    );
    let form = "MessageUUID=db3ce55a&To=33639980001&From=ACME&Status=delivered&Units=1&ErrorCode=000&DeliveryReportTime=2026-01-01+12%3A00%3A00.000000";
    let said = told("plivo", "/receipts/plivo", &headers, form).await.remove(0);
    assert_eq!((said.0.as_str(), said.1), ("db3ce55a", ReceiptState::Delivered));
}

#[tokio::test]
async fn vonage() {
    let taken = r#"{"message-count":"1","messages":[{"to":"33639980001","message-id":"0C000000217B7F02","status":"0","remaining-balance":"15.53590000","message-price":"0.03330000","network":"20810"}]}"#;
    let (told_of, request) = sent("vonage", "200 OK", taken).await;
    assert_eq!(told_of, "1 taken 0C000000217B7F02");
    let fields = fields(&request);
    assert_eq!(
        (fields["api_key"].as_str(), fields["api_secret"].as_str()),
        ("abcd1234", "vonage-secret-55e0")
    );
    assert_eq!(
        (
            fields["type"].as_str(),
            fields["ttl"].as_str(),
            fields["status-report-req"].as_str()
        ),
        ("text", "90000", "true")
    );
    assert_eq!(
        fields["callback"],
        "https://sms.example.com/receipts/vonage/vonage-path-c0ffee"
    );
    let throttled = r#"{"message-count":"1","messages":[{"status":"1","error-text":"Throughput Rate Exceeded"}]}"#;
    let refused = sent("vonage", "200 OK", throttled).await.0;
    assert_eq!(
        refused,
        "1 hold as throttled (HTTP 200 body 1: Throughput Rate Exceeded)"
    );
    let credentials =
        r#"{"message-count":"1","messages":[{"status":"4","error-text":"Bad Credentials vonage-secret-55e0"}]}"#;
    let refused = sent("vonage", "200 OK", credentials).await.0;
    assert_eq!(
        refused,
        "1 link_down as bind_refused (HTTP 200 body 4: a text that repeats a secret)"
    );
    let receipt = r#"{"msisdn":"33639980001","to":"ACME","network-code":"20810","messageId":"0C000000217B7F02","price":"0.03330000","status":"failed","scts":"2601011200","err-code":"3","api-key":"abcd1234","message-timestamp":"2026-01-01 12:00:00"}"#;
    let said = told("vonage", "/receipts/vonage/vonage-path-c0ffee", "", receipt)
        .await
        .remove(0);
    assert_eq!(
        (said.1, said.2, said.3.as_str()),
        (ReceiptState::Undeliverable, ReceiptFault::Number, "3")
    );
    let hooked = Hooked::of(&example("vonage", "127.0.0.1:9")).await;
    assert_eq!(
        hooked.call("/receipts/vonage/guessed", "", receipt).await.unwrap(),
        "404"
    );
}

#[tokio::test]
async fn infobip() {
    let pending = r#"{"bulkId":"b","messages":[{"messageId":"m-1","status":{"groupId":1,"groupName":"PENDING","id":26,"name":"PENDING_ACCEPTED","description":"Message sent to next instance"},"destination":"33639980001"}]}"#;
    let (told_of, request) = sent("infobip", "200 OK", pending).await;
    assert_eq!(told_of, "1 taken m-1");
    assert!(request.contains("authorization: App infobip-key-93b1\r\n"), "{request}");
    let wanted = serde_json::json!({ "messages": [{
        "sender": "ACME",
        "destinations": [{ "to": "33639980001", "messageId": "00000000-0000-0000-0000-000000000001-1" }],
        "content": { "text": "message 1" },
        "options": { "validityPeriod": { "amount": 1, "timeUnit": "MINUTES" } },
        "webhooks": { "delivery": { "url": "https://sms.example.com/receipts/infobip/infobip-path-1dea" }, "contentType": "application/json" },
    }] });
    assert_eq!(body(&request), wanted);
    let rejected = r#"{"messages":[{"messageId":"m-1","status":{"groupId":5,"groupName":"REJECTED","id":12,"name":"REJECTED_NOT_ENOUGH_CREDITS","description":"Not enough credits"}}]}"#;
    let refused = sent("infobip", "200 OK", rejected).await.0;
    assert_eq!(
        refused,
        "1 link_down as no_credit (HTTP 200 body REJECTED_NOT_ENOUGH_CREDITS: Not enough credits)"
    );
    let report = r#"{"results":[
        {"bulkId":"b","messageId":"m-1","to":"33639980001","sentAt":"2026-01-01T11:59:58.000+0000","doneAt":"2026-01-01T12:00:00.000+0000","smsCount":1,"status":{"groupId":3,"groupName":"DELIVERED","id":5,"name":"DELIVERED_TO_HANDSET"},"error":{"groupId":0,"groupName":"Ok","id":0,"name":"NO_ERROR","permanent":false}},
        {"bulkId":"b","messageId":"m-2","to":"33639980002","status":{"groupId":2,"groupName":"UNDELIVERABLE","id":9,"name":"UNDELIVERABLE_NOT_DELIVERED"},"error":{"groupId":1,"groupName":"HANDSET_ERRORS","id":1,"name":"EC_UNKNOWN_SUBSCRIBER","permanent":true}}
    ]}"#;
    let said = told("infobip", "/receipts/infobip/infobip-path-1dea", "", report).await;
    assert_eq!((said[0].0.as_str(), said[0].1), ("m-1", ReceiptState::Delivered));
    assert_eq!(
        (said[1].0.as_str(), said[1].1, said[1].2),
        ("m-2", ReceiptState::Undeliverable, ReceiptFault::Number)
    );
}

#[tokio::test]
async fn sinch() {
    let created = r#"{"id":"01FC66621XXXXX119Z8PMV1QPQ","to":["33639980001"],"from":"ACME","canceled":false,"body":"message 1","type":"mt_text","delivery_report":"per_recipient_final"}"#;
    let (told_of, request) = sent("sinch", "201 Created", created).await;
    assert_eq!(told_of, "1 taken 01FC66621XXXXX119Z8PMV1QPQ");
    assert!(
        request.starts_with("POST /xms/v1/sinchplan0001/batches HTTP/1.1\r\n"),
        "{request}"
    );
    let wanted = serde_json::json!({
        "to": ["+33639980001"], "from": "ACME", "body": "message 1", "delivery_report": "per_recipient_final",
        "callback_url": "https://sms.example.com/receipts/sinch", "expire_at": "2026-01-01T00:10:00.000Z",
        "client_reference": "00000000-0000-0000-0000-000000000001-1",
    });
    assert_eq!(body(&request), wanted);
    let wrong = r#"{"code":"syntax_invalid_parameter_format","text":"Invalid to"}"#;
    let refused = sent("sinch", "400 Bad Request", wrong).await.0;
    assert_eq!(
        refused,
        "1 next as refused (HTTP 400 body syntax_invalid_parameter_format: Invalid to)"
    );
    let report = |state: &str, code: u32| {
        format!(
            r#"{{"type":"recipient_delivery_report_sms","batch_id":"01FC66621XXXXX119Z8PMV1QPQ","recipient":"33639980001","code":{code},"status":"{state}","at":"2026-01-01T12:00:00.000Z"}}"#
        )
    };
    let basic = format!(
        "authorization: Basic {}\r\n",
        BASE64_STANDARD.encode("sinch:sinch-password-8")
    );
    let said = told("sinch", "/receipts/sinch", &basic, &report("Delivered", 0))
        .await
        .remove(0);
    assert_eq!(
        (said.0.as_str(), said.1),
        ("01FC66621XXXXX119Z8PMV1QPQ", ReceiptState::Delivered)
    );
    let said = told("sinch", "/receipts/sinch", &basic, &report("Aborted", 407))
        .await
        .remove(0);
    assert_eq!((said.1, said.2), (ReceiptState::Rejected, ReceiptFault::Route));
}

/// An example that nobody plays would go stale unseen.
#[test]
fn every_example_is_read_and_played() {
    let files = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<_> = files.filter(|name| name.ends_with(".toml")).collect();
    found.sort();
    assert_eq!(
        found,
        ["infobip.toml", "plivo.toml", "sinch.toml", "twilio.toml", "vonage.toml"]
    );
    for name in ["infobip", "plivo", "sinch", "twilio", "vonage"] {
        let config = example(name, "127.0.0.1:9");
        assert_eq!(
            (config.name.as_str(), config.rate.is_some()),
            (name, true),
            "what costs has a limit"
        );
    }
}
