//! Values by a name that a table may give: an account or a sender.

/// The value of each name that is written without a star, and of all others. ASCII case is ignored, as in globs.
#[derive(Debug, Default)]
pub(crate) struct Names<T> {
    entries: Vec<(Box<str>, T)>,
    /// By hash: one more than a place in `entries`; 0 = empty. At most half full, so that a search ends.
    slots: Vec<u32>,
    other: T,
}

impl<T: Copy> Names<T> {
    /// `entries` are distinct names in lower case; `other` is the value of all others.
    pub(crate) fn new(entries: Vec<(Box<str>, T)>, other: T) -> Self {
        let mut names = Self {
            slots: vec![0; (2 * entries.len()).next_power_of_two()],
            entries,
            other,
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
        if self.entries.is_empty() {
            return self.other;
        }
        let mut slot = self.first_slot(name);
        while let Some(at) = self.slots[slot].checked_sub(1) {
            let (known, value) = &self.entries[at as usize];
            if known.eq_ignore_ascii_case(name) {
                return *value;
            }
            slot = self.next_slot(slot);
        }
        self.other
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
