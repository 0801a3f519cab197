//! Globs that know only `*` and ignore ASCII case.

/// Patterns of which any may fit. Those without a star are found by binary search, so a list may be long.
#[derive(Clone, Debug)]
pub(crate) struct Globs {
    /// Without a star, in lower case and in order.
    plain: Vec<String>,
    starred: Vec<Glob>,
}

/// A pattern that a whole value must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Vec<String>);

impl Globs {
    /// Reads patterns.
    pub(crate) fn new(patterns: &[String]) -> Self {
        let (starred, plain): (Vec<&String>, Vec<&String>) = patterns.iter().partition(|text| text.contains('*'));
        let mut plain: Vec<String> = plain.into_iter().map(|text| text.to_ascii_lowercase()).collect();
        plain.sort_unstable();
        Self {
            plain,
            starred: starred.into_iter().map(|text| Glob::new(text)).collect(),
        }
    }

    /// Whether any fits `value`. Allocates nothing.
    pub(crate) fn fit(&self, value: &str) -> bool {
        let lower = || value.bytes().map(|octet| octet.to_ascii_lowercase());
        self.plain.binary_search_by(|plain| plain.bytes().cmp(lower())).is_ok()
            || self.starred.iter().any(|glob| glob.fits(value))
    }

    /// The patterns without a star, in lower case and in order.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &str> {
        self.plain.iter().map(String::as_str)
    }

    /// Whether every value that any pattern of `other` fits is fitted here. May say no where it is so.
    ///
    /// A star of the other pattern stands in its text as itself, and only a star can take it.
    pub(crate) fn cover(&self, other: &Self) -> bool {
        other.written().iter().all(|pattern| self.fit(pattern))
    }

    /// Whether no value fits both. May say no where it is so.
    pub(crate) fn exclude(&self, other: &Self) -> bool {
        let is_apart = |plain: &[String], globs: &Self| !plain.iter().any(|value| globs.fit(value));
        let is_told = self.starred.is_empty() || other.starred.is_empty();
        is_told && is_apart(&self.plain, other) && is_apart(&other.plain, self)
    }

    /// How many patterns there are.
    pub(crate) fn len(&self) -> usize {
        self.plain.len() + self.starred.len()
    }

    /// What the patterns with a star have before it, up to `max` octets.
    pub(crate) fn beginnings(&self, max: usize) -> impl Iterator<Item = &[u8]> {
        let before = self.starred.iter().map(|glob| glob.0[0].as_bytes());
        before.map(move |octets| &octets[..octets.len().min(max)])
    }

    /// Whether all patterns with a star are such that a beginning of up to `max` octets is all they ask for.
    pub(crate) fn are_told_by_beginnings(&self, max: usize) -> bool {
        let mut starred = self.starred.iter();
        starred.all(|glob| matches!(&glob.0[..], [first, rest] if first.len() <= max && rest.is_empty()))
    }

    /// The patterns, for people.
    pub(crate) fn written(&self) -> Vec<String> {
        self.plain
            .iter()
            .cloned()
            .chain(self.starred.iter().map(Glob::to_string))
            .collect()
    }
}

impl Glob {
    /// Reads a pattern; everything but `*` stands for itself.
    pub(crate) fn new(pattern: &str) -> Self {
        Self(pattern.split('*').map(str::to_owned).collect())
    }

    /// The value it fits, if it has no star.
    pub(crate) fn plain(&self) -> Option<&str> {
        match &self.0[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether `value` fits. Takes time proportional to value times pattern at worst, and allocates nothing.
    pub(crate) fn fits(&self, value: &str) -> bool {
        let value = value.as_bytes();
        let [first, middle @ .., last] = &self.0[..] else {
            return self
                .0
                .first()
                .is_some_and(|only| only.as_bytes().eq_ignore_ascii_case(value));
        };
        let (first, last) = (first.as_bytes(), last.as_bytes());
        if value.len() < first.len() + last.len()
            || !value[..first.len()].eq_ignore_ascii_case(first)
            || !value[value.len() - last.len()..].eq_ignore_ascii_case(last)
        {
            return false;
        }
        // Taking the leftmost fit of each part leaves the most room for the next.
        let mut rest = &value[first.len()..value.len() - last.len()];
        for part in middle
            .iter()
            .map(|part| part.as_bytes())
            .filter(|part| !part.is_empty())
        {
            match rest
                .windows(part.len())
                .position(|window| window.eq_ignore_ascii_case(part))
            {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("*"))
    }
}

#[cfg(test)]
mod tests;
