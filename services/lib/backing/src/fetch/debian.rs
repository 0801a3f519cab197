//! Installing what is missing on a Debian machine where this process may, such as a container that runs the checks.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use super::is_there;

/// The package of each program.
const PACKAGES: [(&str, &str); 6] = [
    ("java", "default-jre-headless"),
    ("mvn", "maven"),
    ("redis-server", "redis-server"),
    ("knotd", "knot"),
    ("tshark", "tshark"),
    ("prometheus", "prometheus"),
];

/// Asked by Debian's packages before they start their service; 101 means no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// A line of our [`POLICY`]: a later run removes it, should this one be ended before it does.
const MARK: &str = "# Made by `backing` while it installs packages; remove it if no installation runs.";

/// Installs the packages of those `programs` that are missing. Does nothing where this is not a Debian machine or this
/// user is not root: whoever needs a program says so then.
pub(crate) fn install(programs: &[&str]) -> io::Result<()> {
    Policy::sweep(Path::new(POLICY));
    let missing: Vec<_> = PACKAGES
        .iter()
        .filter(|(program, _)| programs.contains(program) && !is_there(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() || !is_there("apt-get") || !is_root()? {
        return Ok(());
    }
    eprintln!("backing: installing {}", missing.join(", "));
    let _policy = Policy::put(Path::new(POLICY))?;
    apt(&["update", "-q"])?;
    apt(&[&["install", "-q", "-y", "--no-install-recommends"], &*missing].concat())
}

/// Keeps Debian from starting what is installed, until dropped: a server that nobody asked for would hold the port of the
/// one that is wanted.
struct Policy<'a> {
    /// `None` where the machine has a policy of its own.
    path: Option<&'a Path>,
}

impl<'a> Policy<'a> {
    /// Writes the policy at `path`, unless there is one that is not ours. One of ours is left by a run that was ended, and
    /// is taken over.
    fn put(path: &'a Path) -> io::Result<Self> {
        if path.exists() && !Self::is_ours(path) {
            return Ok(Self { path: None });
        }
        // Made first, so that what is half written is removed too.
        let policy = Self { path: Some(path) };
        fs::write(path, format!("#!/bin/sh\n{MARK}\nexit 101\n"))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
        Ok(policy)
    }

    /// Removes what a run that was ended left at `path`.
    fn sweep(path: &'a Path) {
        if Self::is_ours(path) {
            drop(Self { path: Some(path) });
        }
    }

    fn is_ours(path: &Path) -> bool {
        fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line == MARK))
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        let Some(path) = self.path else { return };
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            eprintln!("backing: cannot remove {}, remove it by hand: {error}", path.display());
        }
    }
}

fn is_root() -> io::Result<bool> {
    let output = Command::new("id").arg("-u").stdin(Stdio::null()).output()?;
    Ok(output.stdout.trim_ascii() == b"0")
}

fn apt(arguments: &[&str]) -> io::Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("apt-get {}: {status}", arguments.join(" "))))
}

#[cfg(test)]
mod tests;
