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
            let mut slot = names.first_slot(NameHash::of(&names.entries[at].0));
            while names.slots[slot] != 0 {
                slot = names.next_slot(slot);
            }
            names.slots[slot] = u32::try_from(at + 1).expect("list limits keep names below 2^32");
        }
        names
    }

    /// The value of `name`, whose hash is `hash`.
    pub(crate) fn get(&self, name: &str, hash: NameHash) -> T {
        let other = self.others[usize::from(first_octet(name))];
        if self.entries.is_empty() {
            return other;
        }
        let mut slot = self.first_slot(hash);
        while let Some(at) = self.slots[slot].checked_sub(1) {
            let (known, value) = &self.entries[at as usize];
            if known.eq_ignore_ascii_case(name) {
                return *value;
            }
            slot = self.next_slot(slot);
        }
        other
    }

    fn first_slot(&self, hash: NameHash) -> usize {
        hash.0 as usize & (self.slots.len() - 1)
    }

    fn next_slot(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }
}

/// A hash of a name that does not tell its ASCII case. Made once for each message: several tables of names are asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameHash(u64);

impl NameHash {
    /// The hash of `name`. Names are short, and who writes the table chooses those that are looked for.
    pub(crate) fn of(name: &str) -> Self {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        // The bit that tells capital from small letters; what else it hides is told apart when names are compared.
        const CASE: u64 = 0x2020_2020_2020_2020;
        let mut chunks = name.as_bytes().chunks_exact(8);
        let mut hash = name.len() as u64;
        for chunk in &mut chunks {
            let octets = u64::from_le_bytes(chunk.try_into().expect("chunks of 8"));
            hash = (hash.rotate_left(29) ^ (octets | CASE)).wrapping_mul(ODD);
        }
        let rest = chunks
            .remainder()
            .iter()
            .fold(0, |rest, octet| rest << 8 | u64::from(octet | 0x20));
        // Both halves of the product, so that every octet reaches the lowest bits.
        let product = u128::from(hash.rotate_left(29) ^ rest) * u128::from(ODD);
        Self(product as u64 ^ (product >> 64) as u64)
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
