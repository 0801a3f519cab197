//! Words of strangers made fit for a log: short, printable, without numbers of people and without secrets.

use source::Secret;

/// Longest text kept, in characters.
const CHARS_MAX: usize = 160;
/// A text with so many digits may hold a number. Statuses, networks and prices have fewer.
const DIGITS_MAX: usize = 7;
/// So many characters in a row of a secret give it away; shorter secrets count as a whole.
const SECRET_CHARS_MIN: usize = 6;

/// `text` as it may be logged. One that repeats a part of a secret is withheld, in one that may hold a number digits are
/// hidden. Letter case and punctuation hide neither.
pub fn plain(text: &str, secrets: &[Secret]) -> String {
    let text = discreet(text, secrets);
    let has_number = text.chars().filter(char::is_ascii_digit).count() > DIGITS_MAX;
    text.chars()
        .map(|c| if has_number && c.is_numeric() { '*' } else { c })
        .collect()
}

/// `text` as it may be logged, if it cannot hold a number.
pub fn discreet(text: &str, secrets: &[Secret]) -> String {
    let letters = squeeze(text);
    if secrets
        .iter()
        .any(|secret| gives_away(&letters, &squeeze(secret.reveal())))
    {
        return "a text that repeats a secret".to_owned();
    }
    let shown = text.chars().take(CHARS_MAX);
    shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `text` in quotes as it may be logged.
pub fn quoted(text: &str, secrets: &[Secret]) -> String {
    format!("\"{}\"", plain(text, secrets))
}

/// Letters and digits alone, in lower case.
fn squeeze(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn gives_away(text: &[char], secret: &[char]) -> bool {
    let least = secret.len().min(SECRET_CHARS_MIN);
    least > 0
        && secret
            .windows(least)
            .any(|part| text.windows(least).any(|seen| seen == part))
}

#[cfg(test)]
mod tests {
    //! Nothing that a provider repeats gets through.

    use super::*;

    fn shown(text: &str) -> String {
        plain(text, &[Secret::new("Tr0ub4dor-3"), Secret::new("pin")])
    }

    #[test]
    fn secrets_are_withheld_however_they_are_spelt() {
        let withheld = "a text that repeats a secret";
        for text in [
            "bad key Tr0ub4dor-3",
            "TR0UB4DOR3",
            "key 'tr0ub4...'",
            "x-ub4dor-3-x",
            "wrong PIN",
        ] {
            assert_eq!(shown(text), withheld, "{text}");
        }
        assert_eq!(shown("unknown trouble"), "unknown trouble");
    }

    #[test]
    fn numbers_are_hidden_and_statuses_are_not() {
        assert_eq!(shown("no route to +447700900123"), "no route to +************");
        assert_eq!(shown("(07700) 900 123"), "(*****) *** ***");
        assert_eq!(shown("error 193: 2261"), "error 193: 2261");
    }

    #[test]
    fn texts_are_short_and_printable() {
        assert_eq!(shown("a\x1b[31m\nb"), "a [31m b");
        assert_eq!(shown(&"é".repeat(100_000)).chars().count(), CHARS_MAX);
    }
}
