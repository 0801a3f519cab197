//! What the bad provider says, octet for octet.

use super::land::{SECRET, elsewhere};

/// Where its redirects lead.
pub(super) const TRAP: &str = "/trap/";
/// Octets of a lie that is too long.
const LONG_OCTETS: usize = 10_000_000;
/// Brackets of a lie that is too deep.
const DEEP_OCTETS: usize = 60_000;
/// A network of a country that gave none of our numbers out.
const ABROAD: &str = "00101";

/// An answer.
pub(super) struct Answer {
    pub(super) octets: Vec<u8>,
    /// Spaces that follow.
    pub(super) spaces: usize,
    /// Whether the connection ends with it.
    pub(super) is_last: bool,
}

/// That `number` is served by `network`.
pub(super) fn truth(number: &str, network: &str) -> Answer {
    answer("200 OK", "", said(number, network).into_bytes())
}

/// An error of its own, each time another one.
pub(super) fn failure(turn: u64) -> Answer {
    let status = [
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
    ];
    let status = status[(turn % 3) as usize];
    answer(status, "", b"<html>try again later</html>".to_vec())
}

/// Something untrue, each time something else. What it says of a network is never what the number's prefix says, so that whoever
/// believes it is found out.
pub(super) fn lie(turn: u64, request: &str, number: &str) -> Answer {
    let wrong = elsewhere(number);
    let body = said(number, wrong);
    match turn % 9 {
        0 => answer("200 OK", "", b"{\"mccmnc\": 99".to_vec()),
        1 => long(&body),
        2 => answer("200 OK", "", said(number, ABROAD).into_bytes()),
        3 => answer("200 OK", "", said(&another(number), wrong).into_bytes()),
        4 => answer("302 Found", &format!("location: {TRAP}{number}\r\n"), body.into_bytes()),
        5 => answer("403 Forbidden", "", request_repeated(request, number)),
        6 => answer("200 OK", "", request_repeated(request, number)),
        7 => answer("200 OK", "", "[".repeat(DEEP_OCTETS).into_bytes()),
        _ => broken_off(&body),
    }
}

/// Ends before the end that it promised.
fn broken_off(body: &str) -> Answer {
    let mut octets = head("200 OK", "", body.len() + 1_000);
    octets.extend_from_slice(body.as_bytes());
    Answer {
        octets,
        spaces: 0,
        is_last: true,
    }
}

/// What could be believed, and is too long to be read.
fn long(body: &str) -> Answer {
    let mut octets = head("200 OK", "", body.len() + LONG_OCTETS);
    octets.extend_from_slice(body.as_bytes());
    Answer {
        octets,
        spaces: LONG_OCTETS,
        is_last: false,
    }
}

/// An error that tells everybody our key and the number.
fn request_repeated(request: &str, number: &str) -> Vec<u8> {
    let bearer = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("authorization"));
    let bearer = bearer.unwrap_or(SECRET);
    format!("{{\"error\":\"{bearer} may not ask about {number} or +{number}\"}}").into_bytes()
}

/// A number that nobody asked about.
fn another(number: &str) -> String {
    let (start, last) = number.split_at(number.len().saturating_sub(1));
    format!("{start}{}", if last == "0" { "1" } else { "0" })
}

fn said(number: &str, network: &str) -> String {
    format!("{{\"msisdn\":\"{number}\",\"mccmnc\":\"{network}\",\"ported\":true}}")
}

fn answer(status: &str, headers: &str, body: Vec<u8>) -> Answer {
    let mut octets = head(status, headers, body.len());
    octets.extend_from_slice(&body);
    Answer {
        octets,
        spaces: 0,
        is_last: false,
    }
}

fn head(status: &str, headers: &str, length: usize) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n")
        .into_bytes()
}
