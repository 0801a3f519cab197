//! A `tel` URI with what RFC 4694 and carriers' ENUM put behind the number.

use sms::Msisdn;
use table::Network;

use web::quoted;

use crate::{Failure, Reply};

/// What `uri` says of `number`.
///
/// `npdi` says that portability was looked up, and `rn` then where the number went: without it the number stayed. Carriers
/// say `ported` or `np` outright, and `mcc` with `mnc`. `cic` names a carrier in numbers of its own country, which are no
/// networks.
pub(super) fn read(uri: &str, number: &Msisdn) -> Result<Reply, Failure> {
    let garbled = |why: &str| Failure::Garbled(why.to_owned());
    let (scheme, rest) = uri.split_once(':').ok_or_else(|| garbled("its record names no URI"))?;
    if !scheme.eq_ignore_ascii_case("tel") {
        return Err(garbled("its record names a URI that is no tel:"));
    }
    let mut parts = rest.split(';');
    let digits = parts
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !matches!(c, '+' | '-' | '.' | '(' | ')'));
    if !digits.eq(number.digits().chars()) {
        return Err(garbled("it answered for another number"));
    }
    let parameters = Parameters(parts.collect());
    if let Some(error) = parameters.value("err").filter(|error| *error != "0") {
        return Err(Failure::Undecided(format!("its error is {}", quoted(error, &[]))));
    }
    Ok(Reply {
        network: parameters.network()?,
        ported: parameters.ported(),
        ..Reply::default()
    })
}

struct Parameters<'a>(Vec<&'a str>);

impl<'a> Parameters<'a> {
    /// The value of the first parameter of that name; empty if it has none.
    fn value(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.0.iter().map(|part| part.split_once('=').unwrap_or((part, "")));
        let found = pairs.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    fn network(&self) -> Result<Option<Network>, Failure> {
        let value = |name| self.value(name).filter(|value| !value.is_empty());
        let Some(mcc) = value("mcc") else { return Ok(None) };
        let mnc = value("mnc").unwrap_or_default();
        let named = Network::parse(mcc, mnc);
        let garbled = |error| {
            let shown = quoted(&format!("{mcc} {mnc}"), &[]);
            Failure::Garbled(format!("its network is {shown}: {error}"))
        };
        named.map(Some).map_err(garbled)
    }

    fn ported(&self) -> Option<bool> {
        let said = self.value("ported").or_else(|| self.value("np"));
        match said.map(str::to_ascii_lowercase).as_deref() {
            Some("yes" | "true" | "1" | "y") => Some(true),
            Some("no" | "false" | "0" | "n") => Some(false),
            Some(_) => None,
            None => {
                let is_routed = self.value("rn").is_some_and(|rn| !rn.is_empty());
                (is_routed || self.value("npdi").is_some()).then_some(is_routed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Parameters as carriers write them.

    use super::*;

    fn line(parameters: &str) -> String {
        let uri = format!("tel:+447700900123{parameters}");
        match read(&uri, &Msisdn::new("447700900123").unwrap()) {
            Ok(reply) => {
                let network = reply
                    .network
                    .map_or_else(|| "?".to_owned(), |network| network.to_string());
                format!("{network} {:?}", reply.ported)
            }
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn networks_and_portings_are_read() {
        for (parameters, expected) in [
            ("", "? None"),
            (";mcc=310;mnc=012", "310012 None"),
            (";MNC=10;MCC=234;x", "23410 None"),
            (";mcc=234", "234 None"),
            (";mnc=10", "? None"),
            (";mcc=;mnc=", "? None"),
            (";npdi", "? Some(false)"),
            (";npdi;rn=+12065550100", "? Some(true)"),
            (";rn=", "? None"),
            (";npdi;rn=;cic=+1-6789", "? Some(false)"),
            (";npdi;np=yes;mcc=234;mnc=10", "23410 Some(true)"),
            (";npdi;rn=1;np=na", "? None"),
            (";ported=0;rn=5", "? Some(false)"),
            (";err=0;mcc=234;mnc=10", "23410 None"),
            (";err=5;mcc=234;mnc=10", "undecided: its error is \"5\""),
            (
                ";mcc=23;mnc=10",
                "garbled: its network is \"23 10\": an MCC has three digits",
            ),
            (
                ";mcc=234;mnc=1",
                "garbled: its network is \"234 1\": an MNC has two or three digits, and 01 is not 1",
            ),
        ] {
            assert_eq!(line(parameters), expected, "{parameters}");
        }
    }

    #[test]
    fn another_number_or_scheme_is_garbled() {
        let number = Msisdn::new("447700900123").unwrap();
        for uri in ["tel:+447700900124", "tel:", "sip:+447700900123", "+447700900123", ""] {
            assert_eq!(read(uri, &number).unwrap_err().as_str(), "garbled", "{uri}");
        }
        assert!(read("TEL:+44-7700.900(123);mcc=234", &number).is_ok());
    }
}
