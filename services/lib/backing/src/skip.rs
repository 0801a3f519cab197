//! Checks that cannot be made on this machine: they are said and counted.

use std::{
    env,
    fmt::Display,
    fs::OpenOptions,
    io::{self, Write as _},
    path::Path,
};

/// Names the file that skipped checks are added to, a line each: `make test` counts them.
pub const SKIPPED_FILE: &str = "SIGNALBOX_SKIPPED";

/// Says that a check is skipped and why, past the test harness, which keeps to itself what a test that passes prints.
///
/// # Panics
/// The file that [`SKIPPED_FILE`] names cannot be written.
pub fn skipped(why: impl Display) {
    let line = format!("SKIPPED: {why}\n");
    // Who is to hear it may be gone.
    let _ = io::stderr().write_all(line.as_bytes());
    if let Some(path) = env::var_os(SKIPPED_FILE) {
        add(Path::new(&path), &line).expect("skipped checks can be written down");
    }
}

/// Adds `line` to what is in `file`, in one write: tests of several processes share it.
fn add(file: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_written_down_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("skipped");
        add(&file, "SKIPPED: no tshark\n").unwrap();
        add(&file, "SKIPPED: no npm\n").unwrap();
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            "SKIPPED: no tshark\nSKIPPED: no npm\n"
        );
    }
}
