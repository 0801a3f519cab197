//! One hash for all that the table looks up.

/// Mixes all bits into all. Who writes the table chooses what is looked for, so that no secret is wanted.
pub(crate) const fn mixed(word: u64) -> u64 {
    // Both halves of the product, so that every bit reaches the lowest.
    let product = word as u128 * 0x9E37_79B9_7F4A_7C15;
    product as u64 ^ (product >> 64) as u64
}
