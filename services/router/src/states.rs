//! States of messages as the store has them, read so that one which came back wrong by mistake is not taken for damaged.
//!
//! What is damaged comes back as the same octets each time. What was changed on its way, or by memory that does not hold,
//! does not: it is read again until it can be read. For what is taken for damaged is made again from the log, which does not
//! know all that the store knows.

use signalbox_proto::record::Fault;
use store::{Key, Store, StoreError};

use crate::case::Loaded;

/// So often must the same octets come back before they are taken for what is there.
const SAME: u32 = 3;
/// Reads before the store is thought to be away.
const READS_MAX: u32 = 12;

/// The states under `keys` in `store`, in that order. Those that cannot be read came back alike several times.
///
/// # Errors
/// The store is away, or says something else each time.
pub(crate) async fn read(store: &dyn Store, keys: Vec<Key>) -> Result<Vec<Option<Loaded>>, StoreError> {
    let found = store.get(keys.clone()).await?;
    let mut states: Vec<_> = found.into_iter().map(|there| there.map(Loaded::new)).collect();
    let doubtful = (0..states.len()).filter(|place| is_damaged(states[*place].as_ref()));
    let mut doubtful: Vec<(usize, u32)> = doubtful.map(|place| (place, 1)).collect();
    for _ in 1..READS_MAX {
        if doubtful.is_empty() {
            return Ok(states);
        }
        let wanted = doubtful.iter().map(|(place, _)| keys[*place].clone()).collect();
        for ((place, times), there) in doubtful.iter_mut().zip(store.get(wanted).await?) {
            let before = std::mem::replace(&mut states[*place], there.map(Loaded::new));
            let octets = |state: &Option<Loaded>| state.as_ref().map(|state| state.octets.clone());
            *times = if octets(&before) == octets(&states[*place]) {
                *times + 1
            } else {
                1
            };
        }
        doubtful.retain(|(place, times)| *times < SAME && is_damaged(states[*place].as_ref()));
    }
    if doubtful.is_empty() {
        return Ok(states);
    }
    let places = doubtful.len();
    Err(StoreError::Away(format!(
        "it says something else of {places} states each time it is asked"
    )))
}

/// Whether `state` is none that anybody wrote.
fn is_damaged(state: Option<&Loaded>) -> bool {
    let invalid = state.and_then(|state| state.invalid.as_ref());
    invalid.is_some_and(|invalid| invalid.fault() != Fault::Newer)
}

#[cfg(test)]
mod tests;
