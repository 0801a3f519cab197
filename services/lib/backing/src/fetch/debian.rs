//! Installing what is missing on a Debian machine where this process may, such as a container that runs the checks.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use super::is_there;

/// The package of each program.
const PACKAGES: [(&str, &str); 3] = [
    ("java", "default-jre-headless"),
    ("mvn", "maven"),
    ("redis-server", "redis-server"),
];

/// Asked by Debian's packages before they start their service; 101 means no.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs the packages of those `programs` that are missing. Does nothing where this is not a Debian machine or this
/// user is not root: whoever needs a program says so then.
pub(crate) fn install(programs: &[&str]) -> io::Result<()> {
    let missing: Vec<_> = PACKAGES
        .iter()
        .filter(|(program, _)| programs.contains(program) && !is_there(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() || !is_there("apt-get") || !is_root()? {
        return Ok(());
    }
    eprintln!("backing: installing {}", missing.join(", "));
    // A server that nobody asked for would hold the port of the one that is wanted.
    let policy = Path::new(POLICY);
    let ours = !policy.exists();
    if ours {
        fs::write(policy, "#!/bin/sh\nexit 101\n")?;
        fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
    }
    let installed = apt(&["update", "-q"])
        .and_then(|()| apt(&[&["install", "-q", "-y", "--no-install-recommends"], &*missing].concat()));
    if ours {
        fs::remove_file(policy)?;
    }
    installed
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
