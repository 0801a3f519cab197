//! Texts with places for values and for secrets: `https://host/{key}/{msisdn}`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use source::{Secret, nearest};

/// All but what RFC 3986 never reserves.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text with values left out. Its parts may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
    escape: Escape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// As it is, secrets and all.
    Text(Secret),
    /// The value of this index.
    Place(usize),
}

/// How a value or a secret is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As it is.
    Plain,
    /// As a part of a URL or a form.
    Percent,
    /// Within a string of JSON.
    Json,
}

impl Template {
    /// Reads `text`, in which `{name}` stands for one of `places` or of `secrets`. Other braces are what they are, as in JSON.
    ///
    /// # Errors
    /// A name that is neither; its message completes a sentence that begins with the key.
    pub fn parse(text: &str, places: &[&str], secrets: &[(String, Secret)], escape: Escape) -> Result<Self, String> {
        let (mut pieces, mut open) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some((before, name, after)) = next_name(rest) {
            open.push_str(before);
            if let Some(place) = places.iter().position(|known| *known == name) {
                pieces.push(Piece::Text(Secret::new(std::mem::take(&mut open))));
                pieces.push(Piece::Place(place));
            } else if let Some((_, secret)) = secrets.iter().find(|(known, _)| known == name) {
                open.push_str(&escape.write(secret.reveal()));
            } else {
                return Err(unknown(name, places, secrets));
            }
            rest = after;
        }
        open.push_str(rest);
        pieces.push(Piece::Text(Secret::new(open)));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.reveal().is_empty()));
        Ok(Self { pieces, escape })
    }

    /// Whether the value of index `place` stands in it.
    pub fn has(&self, place: usize) -> bool {
        self.pieces.contains(&Piece::Place(place))
    }

    /// The index of the value that is all of it; `None` = it is something else.
    pub fn alone(&self) -> Option<usize> {
        match self.pieces[..] {
            [Piece::Place(place)] => Some(place),
            _ => None,
        }
    }

    /// The text with `values` in their places, by index.
    ///
    /// # Panics
    /// There are fewer values than places it was read with.
    pub fn fill(&self, values: &[&str]) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(fixed) => text.push_str(fixed.reveal()),
                Piece::Place(place) => text.push_str(&self.escape.write(values[*place])),
            }
        }
        text
    }
}

impl Escape {
    /// `value` as it has to be written.
    pub fn write(self, value: &str) -> String {
        match self {
            Self::Plain => value.to_owned(),
            Self::Percent => utf8_percent_encode(value, RESERVED).to_string(),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
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

fn unknown(name: &str, places: &[&str], secrets: &[(String, Secret)]) -> String {
    let known = || {
        places
            .iter()
            .copied()
            .chain(secrets.iter().map(|(name, _)| name.as_str()))
    };
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
        let template = Template::parse(text, &["msisdn", "text"], &secrets, escape);
        template.map(|template| template.fill(&["447700900123", "1 & \"2\" {key}"]))
    }

    #[test]
    fn values_and_secrets_are_filled_in_as_they_have_to_be_written() {
        let filled = fill("https://h/{key}/{msisdn}?x={text}", Escape::Percent);
        assert_eq!(
            filled.unwrap(),
            "https://h/a%2Fb%20%22c%22/447700900123?x=1%20%26%20%222%22%20%7Bkey%7D"
        );
        assert_eq!(fill("Bearer {key}", Escape::Plain).unwrap(), "Bearer a/b \"c\"");
        assert_eq!(
            fill("{text}{text}", Escape::Plain).unwrap(),
            "1 & \"2\" {key}1 & \"2\" {key}"
        );
    }

    #[test]
    fn braces_of_json_stay() {
        let filled = fill(r#"{"to":["+{msisdn}"],"key":"{key}","o":{}}"#, Escape::Json);
        assert_eq!(filled.unwrap(), r#"{"to":["+447700900123"],"key":"a/b \"c\"","o":{}}"#);
        let filled = fill(r#"{"text":"{text}"}"#, Escape::Json);
        assert_eq!(filled.unwrap(), r#"{"text":"1 & \"2\" {key}"}"#);
    }

    #[test]
    fn unknown_names_are_refused() {
        let error = fill("/{msidn}", Escape::Plain).unwrap_err();
        assert_eq!(
            error,
            "{msidn} stands for nothing, known are msisdn, text, key, did you mean {msisdn}?"
        );
    }

    #[test]
    fn a_template_knows_what_stands_in_it() {
        let parse = |text| Template::parse(text, &["a", "b"], &[], Escape::Plain).unwrap();
        assert!(parse("x{b}").has(1) && !parse("x{b}").has(0));
        assert_eq!(
            (parse("{b}").alone(), parse("x{b}").alone(), parse("").alone()),
            (Some(1), None, None)
        );
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let secrets = [("key".to_owned(), Secret::new("hidden"))];
        let template = Template::parse("/{key}/{msisdn}", &["msisdn"], &secrets, Escape::Plain).unwrap();
        assert!(!format!("{template:?}").contains("hidden"));
    }
}
