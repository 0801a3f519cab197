//! Texts with a place for the number and for secrets: `https://host/{key}/{msisdn}`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use source::{Secret, nearest};

/// What the place for the number is called; its digits go there, without a plus.
pub(in crate::provider) const NUMBER: &str = "msisdn";

/// All but what RFC 3986 never reserves.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text with the number left out. Its parts may hold secrets.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Template {
    /// The number stands between each two.
    parts: Vec<Secret>,
}

/// How a secret is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Escape {
    /// As it is.
    Plain,
    /// As a part of a URL or a form.
    Percent,
    /// Within a string of JSON.
    Json,
}

impl Template {
    /// Reads `text`, in which `{name}` stands for the number or one of `secrets`. Other braces are what they are, as in JSON.
    ///
    /// # Errors
    /// A name that is neither; its message completes a sentence that begins with the key.
    pub(in crate::provider) fn parse(text: &str, secrets: &[(String, Secret)], escape: Escape) -> Result<Self, String> {
        let mut parts = vec![String::new()];
        let mut rest = text;
        while let Some((before, name, after)) = next_name(rest) {
            let part = parts.last_mut().expect("it never was empty");
            part.push_str(before);
            if name == NUMBER {
                parts.push(String::new());
            } else if let Some((_, secret)) = secrets.iter().find(|(known, _)| known == name) {
                part.push_str(&escape.write(secret.reveal()));
            } else {
                return Err(unknown(name, secrets));
            }
            rest = after;
        }
        parts.last_mut().expect("it never was empty").push_str(rest);
        Ok(Self {
            parts: parts.into_iter().map(Secret::new).collect(),
        })
    }

    /// Whether the number stands in it.
    pub(in crate::provider) fn has_number(&self) -> bool {
        self.parts.len() > 1
    }

    /// The text for the number with these digits.
    pub(in crate::provider) fn fill(&self, digits: &str) -> String {
        let parts: Vec<_> = self.parts.iter().map(Secret::reveal).collect();
        parts.join(digits)
    }
}

impl Escape {
    fn write(self, secret: &str) -> String {
        match self {
            Self::Plain => secret.to_owned(),
            Self::Percent => utf8_percent_encode(secret, RESERVED).to_string(),
            Self::Json => {
                let quoted = serde_json::Value::from(secret).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
        }
    }
}

/// The first name in braces, with what is before and after it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let mut opens = text.match_indices('{');
    opens.find_map(|(open, _)| {
        let (name, after) = text[open + 1..].split_once('}')?;
        is_name(name).then(|| (&text[..open], name, after))
    })
}

fn unknown(name: &str, secrets: &[(String, Secret)]) -> String {
    let known = || std::iter::once(NUMBER).chain(secrets.iter().map(|(name, _)| name.as_str()));
    let meant = nearest(name, known()).map(|meant| format!(", did you mean {{{meant}}}?"));
    let known: Vec<_> = known().collect();
    let known = format!("{{{name}}} stands for nothing, known are {}", known.join(", "));
    known + &meant.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! What stands for what.

    use super::*;

    fn fill(text: &str, escape: Escape) -> Result<String, String> {
        let secrets = [("key".to_owned(), Secret::new("a/b \"c\""))];
        Template::parse(text, &secrets, escape).map(|template| template.fill("447700900123"))
    }

    #[test]
    fn number_and_secrets_are_filled_in() {
        let filled = fill("https://h/{key}/{msisdn}?x={msisdn}", Escape::Percent);
        assert_eq!(filled.unwrap(), "https://h/a%2Fb%20%22c%22/447700900123?x=447700900123");
        assert_eq!(fill("Bearer {key}", Escape::Plain).unwrap(), "Bearer a/b \"c\"");
    }

    #[test]
    fn braces_of_json_stay() {
        let filled = fill(r#"{"to":["+{msisdn}"],"key":"{key}","o":{}}"#, Escape::Json);
        assert_eq!(filled.unwrap(), r#"{"to":["+447700900123"],"key":"a/b \"c\"","o":{}}"#);
    }

    #[test]
    fn unknown_names_are_refused() {
        let error = fill("/{msidn}", Escape::Plain).unwrap_err();
        assert_eq!(
            error,
            "{msidn} stands for nothing, known are msisdn, key, did you mean {msisdn}?"
        );
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let secrets = [("key".to_owned(), Secret::new("hidden"))];
        let template = Template::parse("/{key}/{msisdn}", &secrets, Escape::Plain).unwrap();
        assert!(!format!("{template:?}").contains("hidden"));
    }
}
