//! How many messages came in each second of a run.

/// Counts by second, from the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seconds(Vec<u64>);

impl Seconds {
    /// So many `messages` came `at` so many seconds after the beginning.
    pub(crate) fn note(&mut self, at: f64, messages: u64) {
        let second = at as usize;
        if messages > 0 && self.0.len() <= second {
            self.0.resize(second + 1, 0);
        }
        if let Some(count) = self.0.get_mut(second) {
            *count += messages;
        }
    }

    /// Adds what came over another stream of the same run.
    pub(crate) fn add(&mut self, other: &Self) {
        for (second, messages) in other.0.iter().enumerate() {
            self.note(second as f64, *messages);
        }
    }

    /// The counts; seconds after the last message are left out.
    pub(crate) fn counts(self) -> Vec<u64> {
        self.0
    }
}

#[cfg(test)]
mod tests;
