//! Two lists of things side by side.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use super::{Change, FieldChange};

/// A key with its values.
pub(super) type Field = (String, Vec<String>);

/// Something with a name.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
}

/// Keys whose values differ, in the order of the new.
pub(super) fn fields(old: &[Field], new: &[Field]) -> Vec<FieldChange> {
    let value = |fields: &[Field], key: &str| {
        let found = fields.iter().find(|(name, _)| name == key);
        found.map(|(_, values)| values.clone()).unwrap_or_default()
    };
    let gone = old.iter().filter(|(key, _)| !new.iter().any(|(name, _)| name == key));
    new.iter()
        .chain(gone)
        .map(|(key, _)| FieldChange {
            key: key.clone(),
            from: value(old, key),
            to: value(new, key),
        })
        .filter(|change| change.from != change.to)
        .collect()
}

/// Things whose order means nothing.
pub(super) fn unordered(old: Vec<Thing>, new: Vec<Thing>) -> Vec<Change> {
    let by_name = |things: Vec<Thing>| -> BTreeMap<String, Vec<Field>> {
        things.into_iter().map(|thing| (thing.name, thing.fields)).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let mut changes = Vec::new();
    sorted(
        old.iter(),
        new.iter(),
        |(name, _)| name,
        |before, after| {
            let name = before.or(after).map(|(name, _)| &name[..]).unwrap_or_default();
            let before = before.map(|(_, fields)| &fields[..]);
            let after = after.map(|(_, fields)| &fields[..]);
            changes.extend(change(name, before, after, None));
        },
    );
    changes
}

/// Things of which an earlier one may take what a later one would. Of two with one name the first counts.
pub(super) fn ordered(old: Vec<Thing>, new: Vec<Thing>) -> Vec<Change> {
    let places = |things: &[Thing]| {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, thing) in things.iter().enumerate() {
            places.entry(thing.name.clone()).or_insert(place);
        }
        places
    };
    let (old_places, new_places) = (places(&old), places(&new));
    let kept: Vec<(usize, usize)> = new
        .iter()
        .enumerate()
        .filter(|(at, thing)| new_places[&thing.name] == *at)
        .filter_map(|(at, thing)| Some((*old_places.get(&thing.name)?, at)))
        .collect();
    let stays = longest_rising(&kept.iter().map(|(before, _)| *before).collect::<Vec<_>>());
    let mut changes = Vec::new();
    for (at, thing) in new
        .iter()
        .enumerate()
        .filter(|(at, thing)| new_places[&thing.name] == *at)
    {
        let before = old_places.get(&thing.name).copied();
        let moved = kept
            .binary_search_by_key(&at, |(_, after)| *after)
            .ok()
            .filter(|index| !stays[*index])
            .map(|index| (kept[index].0 + 1, at + 1));
        changes.extend(change(
            &thing.name,
            before.map(|before| &old[before].fields[..]),
            Some(&thing.fields),
            moved,
        ));
    }
    let gone = old
        .iter()
        .enumerate()
        .filter(|(at, thing)| old_places[&thing.name] == *at && !new_places.contains_key(&thing.name));
    changes.extend(gone.filter_map(|(_, thing)| change(&thing.name, Some(&thing.fields), None, None)));
    changes
}

/// What differs of one thing; `None` = nothing.
pub(super) fn change(
    name: &str,
    old: Option<&[Field]>,
    new: Option<&[Field]>,
    moved: Option<(usize, usize)>,
) -> Option<Change> {
    let fields = fields(old.unwrap_or_default(), new.unwrap_or_default());
    let kind = match (old, new) {
        (None, _) => "added",
        (_, None) => "removed",
        _ if !fields.is_empty() => "changed",
        _ if moved.is_some() => "moved",
        _ => return None,
    };
    Some(Change {
        kind,
        name: name.to_owned(),
        moved,
        fields,
    })
}

/// Walks two rising sequences side by side and hands over what has one key.
pub(super) fn sorted<T: Copy, K: Ord>(
    old: impl Iterator<Item = T>,
    new: impl Iterator<Item = T>,
    key: impl Fn(T) -> K,
    mut each: impl FnMut(Option<T>, Option<T>),
) {
    let (mut old, mut new) = (old.peekable(), new.peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => key(*before).cmp(&key(*after)),
        };
        let before = if order.is_le() { old.next() } else { None };
        let after = if order.is_ge() { new.next() } else { None };
        each(before, after);
    }
}

/// Which of `places` belong to a longest rising sequence: the others moved past them.
fn longest_rising(places: &[usize]) -> Vec<bool> {
    // Of each length the index that ends a rising sequence lowest, and of each index the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(places.len());
    for (index, place) in places.iter().enumerate() {
        let length = ends.partition_point(|end| places[*end] < *place);
        previous.push(length.checked_sub(1).map(|before| ends[before]));
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut rising = vec![false; places.len()];
    let mut at = ends.last().copied();
    while let Some(index) = at {
        rising[index] = true;
        at = previous[index];
    }
    rising
}
