//! Names in a table's directory that are nearly those of its files: whoever wrote them meant them to be read.

use std::{fs, path::Path};

use source::{Log, Place, Problems, nearest};

use super::directory::{FOLDER_FILES_MAX, FOLDERS, TOP, flat};
use crate::code;

/// Fewest letters that a name has in common with the beginning of the one that was meant, as `policy` and `policies`.
const BEGINNING_MIN: usize = 4;

/// A warning for each such name in `dir`.
pub(super) fn strays(dir: &Path) -> Problems {
    let log = Log::new('T');
    let warn = |name: &str, meant: &str| {
        let help = format!("did you mean \"{meant}\"?");
        let what = "is not read: no file of a table has this name";
        log.warning(Place::file(name).at(1), code::STRAY, what, "", help);
    };
    let is_flat = |name: &str| FOLDERS.into_iter().any(|folder| flat(folder, name).is_some());
    for name in names(dir).filter(|name| !is_flat(name)) {
        let meant = if dir.join(&name).is_dir() {
            let folders = FOLDERS.map(|(folder, _)| folder);
            meant(&name, &folders)
        } else {
            let (_, ending) = stem_and_ending(&name);
            let alike: Vec<&str> = TOP.into_iter().filter(|file| file.ends_with(&ending)).collect();
            meant(&name, &alike)
        };
        if let Some(meant) = meant {
            warn(&name, meant);
        }
    }
    for (folder, ending) in FOLDERS {
        for name in names(&dir.join(folder)).filter(|name| !name.ends_with(ending)) {
            if let (stem, found) = stem_and_ending(&name)
                && found == ending
            {
                warn(&format!("{folder}/{name}"), &format!("{folder}/{stem}{ending}"));
            }
        }
    }
    log.into_problems()
}

/// What was meant by `name`, if it is none of `known`.
fn meant<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if known.contains(&name) {
        return None;
    }
    let lower = name.to_lowercase();
    let stems: Vec<(&str, &str)> = known
        .iter()
        .map(|known| (known.split('.').next().unwrap_or(known), *known))
        .collect();
    let (stem, _) = stem_and_ending(&lower);
    let begins = |meant: &str| {
        let mut letters = stem.chars();
        letters.next_back();
        letters.as_str().len() >= BEGINNING_MIN && meant.starts_with(letters.as_str())
    };
    let near = nearest(stem, stems.iter().map(|(stem, _)| *stem));
    let found = stems.iter().find(|(meant, _)| near == Some(meant) || begins(meant));
    found.map(|(_, known)| *known)
}

/// A name up to its last point, and the rest in small letters.
fn stem_and_ending(name: &str) -> (&str, String) {
    let (stem, ending) = name.split_at(name.rfind('.').unwrap_or(name.len()));
    (stem, ending.to_ascii_lowercase())
}

/// Names in a folder, in order; none where it cannot be read, which is told elsewhere. Those that begin with a dot belong to
/// editors and volume mounts.
fn names(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .take(FOLDER_FILES_MAX)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    names.into_iter()
}
