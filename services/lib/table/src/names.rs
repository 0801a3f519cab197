//! Values by a name that a table may give: an account or a sender.

/// The value of each name that is written without a star, and of all others. ASCII case is ignored, as in globs.
#[derive(Debug)]
pub(crate) struct Names<T> {
    entries: Vec<(Box<str>, T)>,
    /// By hash: one more than a place in `entries`; 0 = empty. At most half full, so that a search ends.
    slots: Vec<u32>,
    /// Of all others, by their first octet in lower case; of the empty name the first.
    others: Box<[T; 256]>,
}

impl<T: Copy> Names<T> {
    /// `entries` are distinct names in lower case; `other` says the value of all others by their first
    /// octet in lower case, 0 for the empty name.
    pub(crate) fn new(entries: Vec<(Box<str>, T)>, other: impl Fn(u8) -> T) -> Self {
        let mut names = Self {
            slots: vec![0; (2 * entries.len()).next_power_of_two()],
            entries,
            others: Box::new(std::array::from_fn(|octet| other(octet as u8))),
        };
        for at in 0..names.entries.len() {
            let mut slot = names.first_slot(&names.entries[at].0);
            while names.slots[slot] != 0 {
                slot = names.next_slot(slot);
            }
            names.slots[slot] = u32::try_from(at + 1).expect("list limits keep names below 2^32");
        }
        names
    }

    /// The value of `name`.
    pub(crate) fn get(&self, name: &str) -> T {
        let other = self.others[usize::from(first_octet(name))];
        if self.entries.is_empty() {
            return other;
        }
        let mut slot = self.first_slot(name);
        while let Some(at) = self.slots[slot].checked_sub(1) {
            let (known, value) = &self.entries[at as usize];
            if known.eq_ignore_ascii_case(name) {
                return *value;
            }
            slot = self.next_slot(slot);
        }
        other
    }

    fn first_slot(&self, name: &str) -> usize {
        // FNV-1a: names are short, and who writes the table chooses them.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        (hash ^ (hash >> 32)) as usize & (self.slots.len() - 1)
    }

    fn next_slot(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }
}

/// The first octet of `name` in lower case; 0 = it is empty.
pub(crate) fn first_octet(name: &str) -> u8 {
    name.as_bytes().first().map_or(0, u8::to_ascii_lowercase)
}

impl<T: Copy + Default> Default for Names<T> {
    fn default() -> Self {
        Self::new(Vec::new(), |_| T::default())
    }
}
