//! Limits that every backend checks before anything is applied.

use crate::{KEY_OCTETS_MAX, OPS_MAX, Op, StoreError, VALUE_OCTETS_MAX};

/// Refuses `ops` if there are too many or one of their values is too large.
pub(crate) fn check(ops: &[Op]) -> Result<(), StoreError> {
    if ops.len() > OPS_MAX {
        return Err(StoreError::TooLarge {
            what: "number of operations in one call",
            size: ops.len(),
            limit: OPS_MAX,
        });
    }
    let key_octets = |op: &Op| op.key().0.len();
    if let Some(size) = ops
        .iter()
        .map(key_octets)
        .find(|size| !(1..=KEY_OCTETS_MAX).contains(size))
    {
        return Err(StoreError::TooLarge {
            what: "length of a key, at least 1 octet,",
            size,
            limit: KEY_OCTETS_MAX,
        });
    }
    match ops.iter().map(octets).find(|size| *size > VALUE_OCTETS_MAX) {
        Some(size) => Err(StoreError::TooLarge {
            what: "value in octets",
            size,
            limit: VALUE_OCTETS_MAX,
        }),
        None => Ok(()),
    }
}

fn octets(op: &Op) -> usize {
    match op {
        Op::Claim { owner, .. } => owner.len(),
        Op::Put { value, .. } => value.len(),
        Op::Swap { value, .. } => value.as_ref().map_or(0, |value| value.len()),
        Op::Remove { .. } => 0,
    }
}
