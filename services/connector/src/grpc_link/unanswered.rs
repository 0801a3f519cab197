//! What was written and not answered, by attempt id: each is answered once, in time or as unanswered, and a late answer counts
//! once more. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use service::time::Instant;

use crate::link::Tag;

/// Late answers that are waited for; the oldest are forgotten first.
const LATE_MAX: usize = 10_000;

/// Parts on their way. Bounded by the window, and by [`LATE_MAX`].
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    open: BTreeMap<String, (Tag, Instant)>,
    due: BTreeSet<(Instant, String)>,
    late: BTreeMap<String, Tag>,
    /// Keys of `late`, oldest first; those answered meanwhile are still in it.
    oldest: VecDeque<String>,
}

impl Unanswered {
    /// A part was written under `attempt`, and is to be answered by `due`.
    pub(super) fn wrote(&mut self, attempt: String, tag: Tag, due: Instant) {
        self.late.remove(&attempt);
        if let Some((_, known)) = self.open.insert(attempt.clone(), (tag, due)) {
            self.due.remove(&(known, attempt.clone()));
        }
        self.due.insert((due, attempt));
    }

    /// An answer came to `attempt`: whose it is. `None` = nobody waits for it, or it was answered before.
    pub(super) fn answered(&mut self, attempt: &str) -> Option<Tag> {
        if let Some((attempt, (tag, due))) = self.open.remove_entry(attempt) {
            self.due.remove(&(due, attempt));
            return Some(tag);
        }
        self.late.remove(attempt)
    }

    /// Whether `attempt` waits for an answer in time.
    pub(super) fn is_open(&self, attempt: &str) -> bool {
        self.open.contains_key(attempt)
    }

    /// Parts whose time is over by `now`. Their answers may come late.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Tag> {
        let mut tags = Vec::new();
        while let Some((due, attempt)) = self.due.pop_first() {
            if due > now {
                self.due.insert((due, attempt));
                break;
            }
            if let Some((tag, _)) = self.open.remove(&attempt) {
                tags.push(tag);
                self.late.insert(attempt.clone(), tag);
                self.oldest.push_back(attempt);
            }
        }
        while self.oldest.len() > LATE_MAX {
            let oldest = self.oldest.pop_front();
            oldest.map(|attempt| self.late.remove(&attempt));
        }
        tags
    }

    /// When the next part is overdue.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Whether nothing is waited for in time.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Nothing comes any more: the parts that were not answered, by their names.
    pub(super) fn lost(&mut self) -> Vec<Tag> {
        self.due.clear();
        self.late.clear();
        self.oldest.clear();
        let mut tags: Vec<Tag> = std::mem::take(&mut self.open)
            .into_values()
            .map(|(tag, _)| tag)
            .collect();
        tags.sort_unstable();
        tags
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use service::time;

    use super::*;

    fn tag(flight: u64) -> Tag {
        Tag { flight, part: 0 }
    }

    #[test]
    fn an_answer_counts_once_in_time_and_once_when_late() {
        let (mut parts, now) = (Unanswered::default(), time::now());
        parts.wrote("a".into(), tag(1), now + Duration::from_secs(1));
        parts.wrote("b".into(), tag(2), now + Duration::from_secs(2));
        assert_eq!(parts.wake_at(), Some(now + Duration::from_secs(1)));
        assert_eq!(parts.answered("b"), Some(tag(2)));
        assert_eq!(parts.answered("b"), None, "it was answered");
        assert_eq!(parts.overdue(now), []);
        assert_eq!(parts.overdue(now + Duration::from_secs(1)), [tag(1)]);
        assert_eq!(parts.overdue(now + Duration::from_secs(9)), []);
        assert_eq!(parts.answered("a"), Some(tag(1)), "a late one counts");
        assert_eq!(parts.answered("a"), None, "once");
        assert_eq!((parts.is_empty(), parts.wake_at()), (true, None));
    }

    #[test]
    fn an_attempt_that_is_sent_again_waits_for_its_own_time() {
        let (mut parts, now) = (Unanswered::default(), time::now());
        let later = now + Duration::from_secs(2);
        parts.wrote("a".into(), tag(1), now + Duration::from_secs(1));
        assert_eq!(parts.answered("a"), Some(tag(1)), "throttled");
        parts.wrote("a".into(), tag(1), later);
        assert_eq!(parts.overdue(now + Duration::from_secs(1)), []);
        assert_eq!(parts.overdue(later), [tag(1)]);
    }

    #[test]
    fn what_is_lost_is_told_once_and_answers_to_it_are_none() {
        let (mut parts, now) = (Unanswered::default(), time::now());
        parts.wrote("b".into(), tag(2), now);
        parts.wrote("a".into(), tag(1), now + Duration::from_secs(1));
        assert_eq!(parts.overdue(now), [tag(2)]);
        assert_eq!(parts.lost(), [tag(1)]);
        assert_eq!((parts.answered("a"), parts.answered("b")), (None, None));
        assert_eq!(parts.lost(), []);
    }

    #[test]
    fn the_oldest_late_answers_are_forgotten_first() {
        let (mut parts, now) = (Unanswered::default(), time::now());
        for number in 0..=LATE_MAX as u64 {
            parts.wrote(number.to_string(), tag(number), now + Duration::from_nanos(number));
        }
        assert_eq!(parts.overdue(now + Duration::from_secs(1)).len(), LATE_MAX + 1);
        assert_eq!(parts.answered("0"), None);
        assert_eq!(parts.answered("1"), Some(tag(1)));
    }
}
