//! Reading a directory: whole and of one moment, or not at all. Nothing here waits for anything but the disk.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    time::UNIX_EPOCH,
};

use source::{Code, Log, Place, Problems};

use super::{Files, strays::strays};

/// Largest file of a table, in octets.
pub const FILE_OCTETS_MAX: u64 = 512 * 1_024 * 1_024;
/// Most octets of all files of a table together.
pub const TABLE_OCTETS_MAX: u64 = 2 * 1_024 * 1_024 * 1_024;
/// Most files in one folder of a table.
pub const FOLDER_FILES_MAX: usize = 10_000;
/// Times that a directory is read which changes while it is read.
pub const READS_MAX: u32 = 3;
const _: () = assert!(FILE_OCTETS_MAX <= TABLE_OCTETS_MAX, "a table may hold its largest file");

/// Files at the top of a table directory that are read if they are there.
pub(super) const TOP: [&str; 8] = [
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
pub(super) const FOLDERS: [(&str, &str); 3] = [("rates", ".csv"), ("sell", ".csv"), ("sets", ".txt")];

/// Between folder and name of a file that stands flat at the top, as where no folders can be: `rates.atlas.csv`.
pub(super) const FLAT: char = '.';

/// Reads the files of the table in `dir`. Other files there are left alone; those whose names are nearly that of a file of a
/// table are told, see [`Files::strays`]. `rates.atlas.csv` is read as `rates/atlas.csv`, and so in the other folders.
///
/// A directory that changes meanwhile is read again, up to [`READS_MAX`] times, so that what comes out is of one moment.
///
/// # Errors
/// Every file or folder that cannot be read or is too large, and a directory that does not hold still.
pub fn read(dir: &Path) -> Result<Files, Problems> {
    read_still(dir, || ())
}

/// Reads until nothing has changed meanwhile. `meanwhile` is done after each reading, before it is judged.
pub(super) fn read_still(dir: &Path, mut meanwhile: impl FnMut()) -> Result<Files, Problems> {
    let mut before = fingerprint(dir);
    for _ in 0..READS_MAX {
        let files = read_once(dir);
        meanwhile();
        let after = fingerprint(dir);
        if after == before {
            return files;
        }
        before = after;
    }
    let log = Log::new('T');
    log.error(
        Place::file(dir.display().to_string()).at(1),
        Code::FILE,
        format!("changed each of the {READS_MAX} times it was read"),
        "a table is read as of one moment, or not at all",
        "write files beside it, and put them in place by renaming",
    );
    Err(log.into_problems())
}

fn read_once(dir: &Path) -> Result<Files, Problems> {
    let log = Log::new('T');
    let mut files = Files::default();
    if !dir.is_dir() {
        // Every file in it would be one more thing that cannot be read.
        refuse_other(dir, &log);
        return Err(log.into_problems());
    }
    let mut octets_left = TABLE_OCTETS_MAX;
    for (path, place) in paths(dir, &log) {
        match content(&dir.join(place), octets_left) {
            Ok(Some(content)) => {
                octets_left -= content.len() as u64;
                files.insert(path, content);
            }
            // Absent is for the check to judge: some files need not be there.
            Ok(None) => {}
            Err(error) => unreadable(&path, &error, &log),
        }
    }
    files.strays = strays(dir);
    let mut problems = log.into_problems();
    if problems.has_errors() {
        problems.append(files.strays);
        Err(problems)
    } else {
        Ok(files)
    }
}

/// Logs in one line that `dir` is none, and which was meant.
fn refuse_other(dir: &Path, log: &Log) {
    let above = || dir.ancestors().skip(1);
    let table = above().find(|above| above.join("table.toml").exists());
    let what = match table.or_else(|| above().next()).filter(|_| dir.exists()) {
        Some(meant) => {
            let meant = if meant == Path::new("") { Path::new(".") } else { meant };
            format!("is not a directory; a table is one, name {}", meant.display())
        }
        None => "is not a directory; name the one that holds table.toml".to_owned(),
    };
    log.error(Place::file(dir.display().to_string()), Code::FILE, what, "", "");
}

fn unreadable(path: &str, error: &io::Error, log: &Log) {
    log.error(
        Place::file(path).at(1),
        Code::FILE,
        format!("cannot be read: {error}"),
        "",
        "",
    );
}

/// Changes whenever a file of the table in `dir` is replaced, written or removed, as far as names, lengths and times of
/// change tell, and whenever a name comes or goes that is nearly that of one. Cheap: no content is read.
pub fn fingerprint(dir: &Path) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for place in paths(dir, &Log::new('T')).into_values() {
        let Ok(meta) = fs::metadata(dir.join(&place)) else {
            continue;
        };
        let changed = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        hasher.update(place.as_bytes());
        hasher.update(&[0]);
        hasher.update(&meta.len().to_le_bytes());
        hasher.update(&changed.map_or(0, |age| age.as_nanos()).to_le_bytes());
    }
    for stray in strays(dir).iter() {
        hasher.update(stray.place.file.as_bytes());
        hasher.update(&[0]);
    }
    let hash = hasher.finalize();
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 octets"))
}

/// Every path that may belong to the table, and where in `dir` its file stands.
fn paths(dir: &Path, log: &Log) -> BTreeMap<String, String> {
    let mut paths: BTreeMap<_, _> = TOP
        .iter()
        .map(|name| ((*name).to_owned(), (*name).to_owned()))
        .collect();
    for (folder, ending) in FOLDERS {
        let mut add = |name: String, place: String| {
            if let Some(other) = paths.insert(format!("{folder}/{name}"), place.clone()) {
                let what = format!("stands beside {other}, which is the same file of the table");
                log.error(
                    Place::file(place).at(1),
                    Code::DUPLICATE,
                    what,
                    "",
                    "keep one of the two",
                );
            }
        };
        match names(&dir.join(folder), folder, ending, log) {
            Ok(names) => names.into_iter().for_each(|name| {
                let place = format!("{folder}/{name}");
                add(name, place);
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => unreadable(folder, &error, log),
        }
        // Whether the directory itself can be read was seen before.
        for place in names(dir, ".", ending, log).unwrap_or_default() {
            if let Some(name) = flat((folder, ending), &place) {
                add(name.to_owned(), place);
            }
        }
    }
    paths
}

/// Whether a file of a table may have this path: nothing that leads out of its directory, or to a name that is not read.
pub(super) fn is_path(path: &str) -> bool {
    let in_folder = |(folder, ending): &(&str, &str)| {
        let name = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        name.is_some_and(|name| name.ends_with(ending) && !name.starts_with('.') && !name.contains(['/', '\\', '\0']))
    };
    TOP.contains(&path) || FOLDERS.iter().any(in_folder)
}

/// What a file at the top is called in a folder, given with the ending of its files; `None` = it is none of them.
pub(super) fn flat<'a>((folder, ending): (&str, &str), place: &'a str) -> Option<&'a str> {
    let name = place.strip_prefix(folder)?.strip_prefix(FLAT)?;
    name.ends_with(ending).then_some(name)
}

/// Names of the files in a folder that may belong to the table; none of too many.
fn names(path: &Path, folder: &str, ending: &str, log: &Log) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        let octets = name.as_encoded_bytes();
        // Editors and volume mounts keep their own files under names that begin with a dot.
        if !octets.ends_with(ending.as_bytes()) || octets.starts_with(b".") {
            continue;
        }
        match name.to_str() {
            Some(name) => names.push(name.to_owned()),
            None => {
                let what = format!("the name of \"{}\" is not UTF-8", name.display());
                log.error(Place::file(folder).at(1), Code::FILE, what, "", "rename the file");
            }
        }
        if names.len() > FOLDER_FILES_MAX {
            let what = format!("has more than {FOLDER_FILES_MAX} files, which is the limit");
            log.error(
                Place::file(folder).at(1),
                Code::RANGE,
                what,
                "",
                "remove those that nobody uses",
            );
            return Ok(Vec::new());
        }
    }
    Ok(names)
}

/// The octets of a file; `None` = it is not there. Opens nothing but files: a pipe would wait for its writer.
fn content(path: &Path, octets_left: u64) -> io::Result<Option<Vec<u8>>> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A link is there even if what it names is not, and whoever made it meant it to be read.
            return match fs::symlink_metadata(path) {
                Ok(_) => Err(io::Error::other("it is a link to something that is not there")),
                Err(_) => Ok(None),
            };
        }
        meta => meta?,
    };
    if !meta.is_file() {
        let found = if meta.is_dir() {
            "a folder"
        } else {
            "a pipe, a socket or a device"
        };
        return Err(io::Error::other(format!("it is {found}, and should be a file")));
    }
    let limit = FILE_OCTETS_MAX.min(octets_left);
    let too_large = || {
        let whose = if limit < FILE_OCTETS_MAX {
            format!("the files together have more than {TABLE_OCTETS_MAX} octets")
        } else {
            format!("it has more than {FILE_OCTETS_MAX} octets")
        };
        Err(io::Error::other(format!("{whose}, which is the limit")))
    };
    if meta.len() > limit {
        return too_large();
    }
    let mut content = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
    // A file may have grown since it was asked for its length.
    let octets = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?.take(limit + 1).read_to_end(&mut content)?,
    };
    if octets as u64 > limit {
        too_large()
    } else {
        Ok(Some(content))
    }
}
