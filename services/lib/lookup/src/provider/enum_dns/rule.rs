//! What one NAPTR record says of a number (RFC 6116, RFC 3402): a pure table from its fields to a `tel` URI.

use regex::RegexBuilder;

/// The fields of a record that count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule<'a> {
    pub(super) order: u16,
    pub(super) preference: u16,
    pub(super) flags: &'a [u8],
    pub(super) services: &'a [u8],
    pub(super) regexp: &'a [u8],
}

/// Memory that one expression may take once compiled; whoever writes the zone writes it.
const EXPRESSION_OCTETS_MAX: usize = 64 * 1_024;

impl Rule<'_> {
    /// Whether it ends the search and is about the network of a number: `E2U+pstn:tel` with flag `u`.
    pub(super) fn is_of_networks(&self) -> bool {
        let has = |wanted: &str| {
            let mut parts = self.services.split(|octet| *octet == b'+');
            parts.any(|part| part.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        self.flags.eq_ignore_ascii_case(b"u") && has("E2U") && has("pstn:tel")
    }

    /// The URI for the number with these digits; `None` = the expression is about other numbers.
    ///
    /// # Errors
    /// It is no substitution, in words.
    pub(super) fn uri(&self, digits: &str) -> Result<Option<String>, &'static str> {
        let text = std::str::from_utf8(self.regexp).map_err(|_| "its expression is no text")?;
        let (expression, replacement, is_caseless) = split(text).ok_or("its expression has not three parts")?;
        let mut builder = RegexBuilder::new(&expression);
        let built = builder
            .case_insensitive(is_caseless)
            .size_limit(EXPRESSION_OCTETS_MAX)
            .build();
        let expression = built.map_err(|_| "its expression is none")?;
        let asked = format!("+{digits}");
        let Some(found) = expression.captures(&asked) else {
            return Ok(None);
        };
        let whole = found.get(0).expect("a match has a whole");
        let mut uri = asked[..whole.start()].to_owned();
        let mut letters = replacement.chars();
        while let Some(letter) = letters.next() {
            match (letter, letter == '\\') {
                (_, false) => uri.push(letter),
                (_, true) => match letters.next() {
                    Some(digit @ '1'..='9') => {
                        let group = digit
                            .to_digit(10)
                            .and_then(|group| found.get(usize::try_from(group).ok()?));
                        uri.push_str(group.map_or("", |group| group.as_str()));
                    }
                    Some(other) => uri.push(other),
                    None => return Err("its replacement ends in the middle"),
                },
            }
        }
        uri.push_str(&asked[whole.end()..]);
        Ok(Some(uri))
    }
}

/// Expression, replacement and whether case counts, of `!expression!replacement!flags` with any delimiter.
fn split(text: &str) -> Option<(String, String, bool)> {
    let delimiter = text
        .chars()
        .next()
        .filter(|c| !c.is_ascii_digit() && !matches!(c, 'i' | '\\'))?;
    let mut parts = vec![String::new()];
    let mut letters = text[delimiter.len_utf8()..].chars();
    while let Some(letter) = letters.next() {
        if letter == delimiter {
            parts.push(String::new());
            continue;
        }
        let part = parts.last_mut().expect("it never was empty");
        if letter == '\\' {
            let next = letters.next()?;
            if next != delimiter {
                part.push('\\');
            }
            part.push(next);
        } else {
            part.push(letter);
        }
    }
    let [expression, replacement, flags] = <[String; 3]>::try_from(parts).ok()?;
    match &*flags {
        "" => Some((expression, replacement, false)),
        "i" => Some((expression, replacement, true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    //! Substitutions as zones have them.

    use super::*;

    fn uri(regexp: &str) -> Result<Option<String>, &'static str> {
        let rule = Rule {
            order: 10,
            preference: 50,
            flags: b"u",
            services: b"E2U+pstn:tel",
            regexp: regexp.as_bytes(),
        };
        rule.uri("447700900123")
    }

    #[test]
    fn the_number_goes_where_the_replacement_says() {
        let expected = Ok(Some("tel:+447700900123;mcc=234".to_owned()));
        assert_eq!(uri(r"!^(.*)$!tel:\1;mcc=234!"), expected);
        assert_eq!(uri(r"/^\+44(.*)$/tel:+44\1;mcc=234/i"), expected);
        assert_eq!(uri(r"!^.*$!tel:+447700900123;mcc=234!"), expected);
        assert_eq!(uri(r"!^(\+44)(7700)(.*)$!tel:\1\2\3;mcc=234\9!"), expected);
        assert_eq!(uri(r"!^.*$!a\!b\\c!"), Ok(Some(r"a!b\c".to_owned())));
        assert_eq!(uri(r"!^\+1(.*)$!tel:\1!"), Ok(None), "other numbers");
    }

    #[test]
    fn what_is_no_substitution_is_told() {
        for regexp in [
            "", "!", "!a!", "!a!b", "!a!b!c!d", "!a!b!x", "1a1b1", "!(!b!", r"!a!b!\", r"\a\b\",
        ] {
            assert!(uri(regexp).is_err(), "{regexp}");
        }
        let large = format!("!({}){{1000}}!b!", "a{1000}".repeat(10));
        assert_eq!(uri(&large), Err("its expression is none"));
    }

    #[test]
    fn only_networks_count() {
        let of = |flags: &'static str, services: &'static str| {
            let (flags, services) = (flags.as_bytes(), services.as_bytes());
            let (order, preference, regexp) = (0, 0, &b""[..]);
            Rule {
                order,
                preference,
                flags,
                services,
                regexp,
            }
            .is_of_networks()
        };
        assert!(of("u", "E2U+pstn:tel") && of("U", "e2u+PSTN:TEL") && of("u", "E2U+sip+pstn:tel"));
        assert!(!of("", "E2U+pstn:tel") && !of("s", "E2U+pstn:tel") && !of("u", "E2U+sip") && !of("u", "pstn:tel"));
        assert!(!of("u", "E2U+pstn:sip") && !of("u", "E2U+pstn:telx"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        /// Whatever a zone holds, it is read or told, and what is read is read on.
        #[test]
        fn any_expression_comes_to_something(regexp in r"[!/]\PC{0,20}[!/](tel:)?\PC{0,20}[!/]i?") {
            if let Ok(Some(uri)) = uri(&regexp) {
                let number = sms::Msisdn::new("447700900123").unwrap();
                let _ = super::super::tel::read(&uri, &number);
            }
        }
    }
}
