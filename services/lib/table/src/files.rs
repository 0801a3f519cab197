//! The files of a table: read from a directory, or handed over in memory.

use std::{collections::BTreeMap, fs, io, path::Path, time::UNIX_EPOCH};

use source::{Code, Log, Place, Problems};

/// Largest file of a table, in octets.
pub const FILE_OCTETS_MAX: u64 = 512 * 1_024 * 1_024;
/// Most files in one folder of a table.
pub const FOLDER_FILES_MAX: usize = 10_000;

/// Files at the top of a table directory that are read if they are there.
const TOP: [&str; 8] = [
    "table.toml",
    "carriers.toml",
    "policies.toml",
    "numbering.csv",
    "ported.csv",
    "senders.csv",
    "quality.csv",
    "cases.toml",
];
/// Folders of a table directory and the ending of the files in them.
const FOLDERS: [(&str, &str); 3] = [("rates", ".csv"), ("sell", ".csv"), ("sets", ".txt")];

/// The files of a table by path from its directory, `/` between folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), content.into());
    }

    /// The content of a file; `None` = not there.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// Files of `folder` as name without folder and ending, path and content, in text order.
    pub(crate) fn folder<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a [u8])> {
        self.0.iter().filter_map(move |(path, content)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            Some((stem, path.as_str(), content.as_slice()))
        })
    }

    /// Content hash: 16 hexadecimal digits over the path and octets of every file. Equal files give equal hashes anywhere.
    pub fn version(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (path, content) in &self.0 {
            for part in [path.as_bytes(), content] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }
}

/// Reads the files of the table in `dir`. Other files there are left alone.
///
/// # Errors
/// Every file or folder that cannot be read, or is too large.
pub fn read(dir: &Path) -> Result<Files, Problems> {
    let log = Log::new('T');
    let mut files = Files::default();
    if !dir.is_dir() {
        let place = Place::file(dir.display().to_string());
        log.error(
            place,
            Code::FILE,
            "is not a directory",
            "",
            "name the directory that holds table.toml",
        );
    }
    for path in paths(dir, &log) {
        match content(&dir.join(&path)) {
            Ok(content) => files.insert(path, content),
            // Absent is for the check to judge: some files need not be there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log.error(
                Place::file(path).at(1),
                Code::FILE,
                format!("cannot be read: {error}"),
                "",
                "",
            ),
        }
    }
    let problems = log.into_problems();
    if problems.has_errors() {
        Err(problems)
    } else {
        Ok(files)
    }
}

/// Changes whenever a file of the table in `dir` is replaced, written or removed, as far as names, lengths and times of
/// change tell. Cheap: no content is read.
pub fn fingerprint(dir: &Path) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for path in paths(dir, &Log::new('T')) {
        let Ok(meta) = fs::metadata(dir.join(&path)) else {
            continue;
        };
        let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        hasher.update(path.as_bytes());
        hasher.update(&[0]);
        hasher.update(&meta.len().to_le_bytes());
        hasher.update(&changed.map_or(0, |age| age.as_nanos()).to_le_bytes());
    }
    let hash = hasher.finalize();
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 octets"))
}

/// Every path that may belong to the table, in text order.
fn paths(dir: &Path, log: &Log) -> Vec<String> {
    let mut paths: Vec<String> = TOP.iter().map(|name| (*name).to_owned()).collect();
    for (folder, ending) in FOLDERS {
        match names(&dir.join(folder), ending) {
            Ok(names) if names.len() > FOLDER_FILES_MAX => {
                let what = format!("has {} files, the limit is {FOLDER_FILES_MAX}", names.len());
                log.error(Place::file(folder).at(1), Code::RANGE, what, "", "");
            }
            Ok(names) => paths.extend(names.into_iter().map(|name| format!("{folder}/{name}"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => log.error(
                Place::file(folder).at(1),
                Code::FILE,
                format!("cannot be read: {error}"),
                "",
                "",
            ),
        }
    }
    paths.sort();
    paths
}

fn names(folder: &Path, ending: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        // Editors and volume mounts keep their own files under names that begin with a dot.
        if name.ends_with(ending) && !name.starts_with('.') {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let octets = fs::metadata(path)?.len();
    if octets > FILE_OCTETS_MAX {
        return Err(io::Error::other(format!(
            "{octets} octets, the limit is {FILE_OCTETS_MAX}"
        )));
    }
    fs::read(path)
}

#[cfg(test)]
mod tests;
