//! Signatures as carriers document them, with values made by other tools.

use web::{HeaderMap, HeaderValue, Method};

use super::*;

const URL: &str = "https://sms.example.com/receipts/twilio";
const FORM: &str = "MessageSid=SM0123456789abcdef&MessageStatus=delivered&To=%2B447700900123&From=%2B447700900456";

fn call(headers: &[(&'static str, &str)], query: &str, body: &str) -> Call {
    let headers = headers.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).unwrap();
        (HeaderName::from_static(name), value)
    });
    Call {
        method: Method::POST,
        path: "/receipts/twilio".to_owned(),
        query: query.to_owned(),
        headers: headers.collect::<HeaderMap>(),
        body: body.to_owned().into(),
    }
}

fn keyed(hash: Hash, over: Vec<Over>, encoding: HashEncoding, prefix: &str) -> Proof {
    Proof::Hash(Box::new(KeyedHash {
        hash,
        key: Secret::new("auth-token-of-the-test"),
        over,
        header: HeaderName::from_static("x-signature"),
        prefix: prefix.to_owned(),
        encoding,
    }))
}

fn holds(proof: &Proof, signature: &str, query: &str, body: &str) -> bool {
    proof.holds(
        &call(
            &[("x-signature", signature), ("x-nonce", "05429567804466091622")],
            query,
            body,
        ),
        URL,
    )
}

/// Made with the `hmac` of Python, as are those below.
#[test]
fn url_and_sorted_fields_by_sha1_in_base64() {
    let proof = keyed(Hash::Sha1, vec![Over::Url, Over::Form], HashEncoding::Base64, "");
    assert!(holds(&proof, "c8KcQUdtr47k7twMLd6kiw+1O7M=", "", FORM));
    assert!(
        !holds(&proof, "c8KcQUdtr47k7twMLd6kiw+1O7M=", "a=b", FORM),
        "the query is part of it"
    );
    assert!(!holds(
        &proof,
        "c8KcQUdtr47k7twMLd6kiw+1O7M=",
        "",
        &FORM.replace("delivered", "failed")
    ));
    let turned: Vec<&str> = FORM.split('&').rev().collect();
    assert!(
        holds(&proof, "c8KcQUdtr47k7twMLd6kiw+1O7M=", "", &turned.join("&")),
        "in any order"
    );
}

#[test]
fn address_and_nonce_by_sha256_in_base64() {
    let nonce = Over::Header(HeaderName::from_static("x-nonce"));
    let proof = keyed(
        Hash::Sha256,
        vec![Over::BareUrl, nonce.clone()],
        HashEncoding::Base64,
        "",
    );
    assert!(holds(
        &proof,
        "jr4zjssPP5lRclw1tmV5OAZwhIZ4qoprrGPDBVELOQk=",
        "a=b",
        "whatever"
    ));
    let proof = keyed(Hash::Sha256, vec![nonce, Over::BareUrl], HashEncoding::Base64, "");
    assert!(!holds(
        &proof,
        "jr4zjssPP5lRclw1tmV5OAZwhIZ4qoprrGPDBVELOQk=",
        "a=b",
        "whatever"
    ));
}

#[test]
fn the_body_by_sha256_in_hexadecimal_behind_a_prefix() {
    let proof = keyed(Hash::Sha256, vec![Over::Body], HashEncoding::Hex, "sha256=");
    assert!(holds(
        &proof,
        "sha256=14caacfbf63cf4600cb5f9fb785417060ca7e2947b93742fbdec64d814c1b4e2",
        "",
        "{\"a\":1}"
    ));
    assert!(holds(
        &proof,
        &"sha256=14caacfbf63cf4600cb5f9fb785417060ca7e2947b93742fbdec64d814c1b4e2"
            .to_uppercase()
            .replace("SHA256", "sha256"),
        "",
        "{\"a\":1}"
    ));
    for wrong in [
        "14caacfbf63cf4600cb5f9fb785417060ca7e2947b93742fbdec64d814c1b4e2",
        "sha256=",
        "sha256=14caacfbf63cf4600cb5f9fb785417060ca7e2947b93742fbdec64d814c1b4e",
        "sha256=zz",
        "sha1=14caacfbf63cf4600cb5f9fb785417060ca7e2947b93742fbdec64d814c1b4e2",
        "",
    ] {
        assert!(!holds(&proof, wrong, "", "{\"a\":1}"), "{wrong}");
    }
    assert!(!holds(
        &proof,
        "sha256=14caacfbf63cf4600cb5f9fb785417060ca7e2947b93742fbdec64d814c1b4e2",
        "",
        "{\"a\":2}"
    ));
}

#[test]
fn body_nonce_and_text_are_joined_as_written() {
    let nonce = Over::Header(HeaderName::from_static("x-nonce"));
    let over = vec![Over::Body, Over::Text(".".to_owned()), nonce];
    let proof = keyed(Hash::Sha512, over, HashEncoding::Hex, "");
    assert!(holds(
        &proof,
        "0a299b3fedbfe973d1ab912d629554af27f2b66b54dbd5802d9f36f0eb92f8a25b50a861b5c9d4b683e7b5bd0c56b343c4c8a0aba4c438bff78341dcf33edd09",
        "",
        "{\"a\":1}"
    ));
}

#[test]
fn a_hash_over_a_header_that_is_not_there_does_not_hold() {
    let absent = Over::Header(HeaderName::from_static("x-absent"));
    let proof = keyed(Hash::Sha256, vec![absent], HashEncoding::Hex, "");
    assert!(!holds(&proof, "", "", ""));
    assert!(!proof.holds(&call(&[], "", ""), URL));
}

#[test]
fn user_and_password_and_headers_have_to_be_these() {
    let basic = Proof::Basic(Secret::new("user"), Secret::new("pass:word"));
    let with = |value: &str| basic.holds(&call(&[("authorization", value)], "", ""), URL);
    assert!(with("Basic dXNlcjpwYXNzOndvcmQ=") && with("basic dXNlcjpwYXNzOndvcmQ"));
    for wrong in [
        "Basic dXNlcjpwYXNzOndvcmQhIQ==",
        "Bearer dXNlcjpwYXNzOndvcmQ=",
        "Basic",
        "dXNlcjpwYXNzOndvcmQ=",
        "Basic !",
    ] {
        assert!(!with(wrong), "{wrong}");
    }
    let header = Proof::Header(HeaderName::from_static("x-signature"), Secret::new("yes"));
    assert!(holds(&header, "yes", "", "") && !holds(&header, "yes!", "", "") && !holds(&header, "", "", ""));
}
