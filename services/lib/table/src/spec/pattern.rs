//! Regular expressions over texts.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_automata::{meta, util::syntax};

/// A regular expression. Looking at a text takes time linear in its length, and allocates nothing once the caches have grown.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// The same for texts beyond ASCII, where it asks for the bounds of words in any script. The fast engine cannot tell
    /// those: it gives up in the middle of such a text with an error that it allocates, and a slower one begins anew. This
    /// is the slower one alone.
    beyond_ascii: Option<meta::Regex>,
}

impl Pattern {
    /// The expression that `pattern` writes, if it takes at most `octets_max` octets.
    ///
    /// # Errors
    /// It is none, or larger.
    pub(crate) fn new(pattern: &str, octets_max: usize) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(pattern).size_limit(octets_max).build()?;
        let asks_for_words =
            syntax::parse(pattern).is_ok_and(|parsed| parsed.properties().look_set().contains_word_unicode());
        let config = meta::Config::new()
            .hybrid(false)
            .dfa(false)
            .nfa_size_limit(Some(octets_max));
        let slow = || meta::Builder::new().configure(config).build(pattern).ok();
        Ok(Self {
            regex,
            beyond_ascii: asks_for_words.then(slow).flatten(),
        })
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it fits some part of `text`.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        match &self.beyond_ascii {
            Some(regex) if !text.is_ascii() => regex.is_match(text),
            _ => self.regex.is_match(text),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
