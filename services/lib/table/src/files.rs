//! The files of a table: read from a directory, or handed over in memory.

mod directory;
mod strays;

use std::{collections::BTreeMap, fs, io, path::Path};

use source::Problems;

pub use self::directory::{FILE_OCTETS_MAX, FOLDER_FILES_MAX, READS_MAX, TABLE_OCTETS_MAX, fingerprint, read};

/// The files of a table by path from its directory, `/` between folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    contents: BTreeMap<String, Vec<u8>>,
    strays: Problems,
}

impl Files {
    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.contents.insert(path.into(), content.into());
    }

    /// Those handed over as path and content, in place of a directory.
    ///
    /// # Errors
    /// The first path that no file of a table has, or that comes twice.
    pub fn gather(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Result<Self, String> {
        let mut gathered = Self::default();
        for (path, content) in files {
            if !directory::is_path(&path) {
                return Err(format!("no file of a table is called {path:?}"));
            }
            if gathered.contents.insert(path.clone(), content).is_some() {
                return Err(format!("{path} comes twice"));
            }
        }
        Ok(gathered)
    }

    /// Every file as path and content, in text order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.contents
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// A warning for each name beside them that is nearly that of a file of a table, and was not read. Part of what building a
    /// table says; no part of its version.
    pub fn strays(&self) -> &Problems {
        &self.strays
    }

    /// The content of a file; `None` = not there.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.contents.get(path).map(Vec::as_slice)
    }

    /// Files of `folder` as name without folder and ending, path and content, in text order.
    pub(crate) fn folder<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a [u8])> {
        self.contents.iter().filter_map(move |(path, content)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            Some((stem, path.as_str(), content.as_slice()))
        })
    }

    /// Octets of all files together.
    pub fn octets(&self) -> u64 {
        self.contents.values().map(|content| content.len() as u64).sum()
    }

    /// Content hash: 16 hexadecimal digits over the path and octets of every file. Equal files give equal hashes anywhere.
    pub fn version(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (path, content) in &self.contents {
            for part in [path.as_bytes(), content] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Writes every file into `dir`, which is made with the folders it needs.
    ///
    /// # Errors
    /// The first file or folder that cannot be written; what was written before stands.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        for (path, content) in &self.contents {
            let path = dir.join(path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, content)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
