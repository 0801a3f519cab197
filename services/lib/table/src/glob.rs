//! Globs that know only `*` and ignore ASCII case.

/// A pattern that a whole value must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Vec<String>);

impl Glob {
    /// Reads a pattern; everything but `*` stands for itself.
    pub(crate) fn new(pattern: &str) -> Self {
        Self(pattern.split('*').map(str::to_owned).collect())
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
