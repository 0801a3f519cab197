//! Names that a table gives, of accounts or of senders, each with a number: a message's name is looked up once, and whatever
//! depends on it is found by that number.

use crate::mix::mixed;

/// Names without a star, each once. ASCII case is ignored, as in globs.
#[derive(Debug, Default)]
pub(crate) struct Names {
    entries: Vec<Entry>,
    /// By hash: one more than a place in `entries`; 0 = empty. At most half full, so that a search ends.
    slots: Vec<u32>,
}

/// A name's place among those of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(pub(crate) u32);

/// A message's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    /// `None` = the table does not give it.
    pub(crate) id: Option<NameId>,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    /// Only of names that their keys do not tell apart.
    text: Option<Box<str>>,
}

/// All that there is of a name of up to [`KEY_MAX`] octets, but for ASCII case; of a longer one most of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    words: [u64; 2],
    len: usize,
}

/// Octets that a key holds.
const KEY_MAX: usize = 16;

impl Names {
    /// The number of `name`, a new one where it has none.
    pub(crate) fn intern(&mut self, name: &str) -> NameId {
        if let Some(known) = self.find(name) {
            return known;
        }
        let key = Key::of(name);
        let text = (key.len > KEY_MAX).then(|| name.into());
        self.entries.push(Entry { key, text });
        if 2 * self.entries.len() > self.slots.len() {
            self.grow();
        } else {
            self.place(self.entries.len() - 1);
        }
        id(self.entries.len() - 1)
    }

    /// `text` with its number.
    pub(crate) fn name<'a>(&self, text: &'a str) -> Name<'a> {
        let id = self.find(text);
        Name { text, id }
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn find(&self, name: &str) -> Option<NameId> {
        if self.entries.is_empty() {
            return None;
        }
        let key = Key::of(name);
        let mut slot = key.hash() & (self.slots.len() - 1);
        loop {
            let at = self.slots[slot].checked_sub(1)? as usize;
            let known = &self.entries[at];
            if known.key == key && known.text.as_ref().is_none_or(|text| text.eq_ignore_ascii_case(name)) {
                return Some(id(at));
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    fn grow(&mut self) {
        let count = (4 * self.entries.len()).next_power_of_two();
        self.slots = vec![0; count];
        (0..self.entries.len()).for_each(|at| self.place(at));
    }

    fn place(&mut self, at: usize) {
        let mut slot = self.entries[at].key.hash() & (self.slots.len() - 1);
        while self.slots[slot] != 0 {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = id(at).0 + 1;
    }
}

impl Key {
    fn of(name: &str) -> Self {
        let octets = name.as_bytes();
        let len = octets.len();
        // Words overlap where a name does not fill them: with its length they still tell all of it.
        let words = match len {
            0 => [0, 0],
            1..4 => [
                u64::from_le_bytes([octets[0], octets[len / 2], octets[len - 1], 0, 0, 0, 0, 0]),
                0,
            ],
            4..8 => [half(&octets[..4]) | half(&octets[len - 4..]) << 32, 0],
            8..=KEY_MAX => [word(&octets[..8]), word(&octets[len - 8..])],
            _ => [digest(octets), word(&octets[len - 8..])],
        };
        Self {
            words: words.map(lower),
            len,
        }
    }

    fn hash(&self) -> usize {
        let [first, second] = self.words;
        mixed(mixed(first ^ self.len as u64) ^ second) as usize
    }
}

/// What the octets of a long name come to; its last ones may be left out.
fn digest(octets: &[u8]) -> u64 {
    let words = octets.chunks_exact(8).map(word);
    // `lower` is asked once more of what comes out; what it hides is told apart when texts are compared.
    words.fold(0, |sum, word| mixed(sum ^ lower(word)))
}

fn word(octets: &[u8]) -> u64 {
    u64::from_le_bytes(octets.try_into().expect("8 octets"))
}

fn half(octets: &[u8]) -> u64 {
    u32::from_le_bytes(octets.try_into().expect("4 octets")).into()
}

/// The octets of `word` with `A` to `Z` in lower case.
fn lower(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    let low = word & !TOP;
    // The top bit of an octet tells whether it is at least `A`, and whether it is beyond `Z`; none carries into the next.
    let from_a = low + (0x80 - b'A' as u64) * EACH;
    let beyond_z = low + (0x7F - b'Z' as u64) * EACH;
    let capital = (from_a ^ beyond_z) & TOP & !word;
    word | capital >> 2
}

fn id(at: usize) -> NameId {
    NameId(u32::try_from(at).expect("list limits keep names below 2^32"))
}

#[cfg(test)]
mod tests;
