//! A network and a table of mounts of one's own, so that processes can be cut off and a disk can be small without anybody else on
//! this machine noticing. Both end with the last process in them.

use std::{
    env, fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

/// Set where this process is in an enclave.
const MARK: &str = "SIGNALBOX_CHAOS_ENCLAVE";
/// What makes one: needs the rights of an administrator.
const UNSHARE: [&str; 4] = ["--net", "--mount", "--propagation", "private"];
/// Where the kernel finds addresses of this machine: behind the rules that cut users off.
const LOCAL_PREFERENCE: &str = "32765";
/// User of the first process; the others have those that follow. Nobody else in the enclave has them.
const USER_FIRST: u32 = 52_100;

/// What may be done here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enclave {
    /// Whether network and mounts are our own.
    pub(super) is_own: bool,
}

impl Enclave {
    /// Enters an enclave where this user may: starts this program again inside, in place of this process. Where it may not,
    /// returns what can be done outside.
    ///
    /// # Errors
    /// Inside: the network cannot be set up.
    pub(super) fn enter() -> anyhow::Result<Self> {
        if env::var_os(MARK).is_some() {
            run("ip", &["link", "set", "lo", "up"])?;
            run("ip", &["rule", "add", "pref", LOCAL_PREFERENCE, "lookup", "local"])?;
            run("ip", &["rule", "del", "pref", "0"])?;
            return Ok(Self { is_own: true });
        }
        let mut probe = Command::new("unshare");
        probe.args(UNSHARE).args(["ip", "rule", "show"]);
        let probe = probe.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !probe.is_ok_and(|status| status.success()) {
            return Ok(Self { is_own: false });
        }
        let mut again = Command::new("unshare");
        again.args(UNSHARE).arg(env::current_exe()?);
        // Returns only if it fails.
        let error = again.args(env::args_os().skip(1)).env(MARK, "1").exec();
        Err(error).context("unshare")
    }

    /// The user that the process of that number runs as; `None` = ours.
    pub(super) fn user(self, number: usize) -> Option<u32> {
        let number = u32::try_from(number).ok()?;
        self.is_own.then_some(USER_FIRST + number)
    }
}

/// Cuts all processes of `user` from the network.
///
/// # Errors
/// The kernel refuses.
pub(super) fn cut_off(user: u32) -> anyhow::Result<()> {
    rule("add", user)
}

/// Undoes [`cut_off`].
///
/// # Errors
/// The kernel refuses.
pub(super) fn let_in(user: u32) -> anyhow::Result<()> {
    rule("del", user)
}

fn rule(action: &str, user: u32) -> anyhow::Result<()> {
    let (preference, range) = ((user - USER_FIRST + 100).to_string(), format!("{user}-{user}"));
    run(
        "ip",
        &["rule", action, "pref", &preference, "uidrange", &range, "blackhole"],
    )
}

/// A disk of a stated size, in a file. Dropped, it moves again if it stood still, and is gone.
#[derive(Debug)]
pub(super) struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    /// Makes a disk of so many octets in `folder`, and mounts it at `place`.
    ///
    /// # Errors
    /// There are no loop devices, or no room.
    pub(super) fn mount(folder: &Path, place: &Path, octets: u64) -> anyhow::Result<Self> {
        let image = folder.join("disk.image");
        fs::File::create(&image)?.set_len(octets)?;
        let (image, shown) = (image.display().to_string(), place.display().to_string());
        run("mkfs.ext4", &["-q", "-F", "-m", "0", &image])?;
        fs::create_dir_all(place)?;
        run("mount", &["-o", "loop", &image, &shown])?;
        Ok(Self {
            place: place.to_owned(),
        })
    }

    /// Takes all room that is left.
    ///
    /// # Errors
    /// The disk cannot be asked, or written.
    pub(super) fn fill(&self) -> anyhow::Result<()> {
        let room = Command::new("df")
            .args(["--output=avail", "-B1"])
            .arg(&self.place)
            .output()?;
        let room = String::from_utf8_lossy(&room.stdout);
        let room = room.split_whitespace().last().context("df says nothing")?;
        let file = self.filler().display().to_string();
        if room != "0" {
            // What is written meanwhile makes the last octets too many.
            let _ = run("fallocate", &["-l", room, &file]);
        }
        // The rest, block by block.
        let mut rest = fs::File::options().create(true).append(true).open(self.filler())?;
        while std::io::Write::write_all(&mut rest, &[0; 4_096]).is_ok() {}
        Ok(())
    }

    /// Gives the room back.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.filler())?)
    }

    /// Writes stand still from now on, or go on.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(super) fn set_frozen(&self, is_frozen: bool) -> anyhow::Result<()> {
        let action = if is_frozen { "--freeze" } else { "--unfreeze" };
        run("fsfreeze", &[action, &self.place.display().to_string()])
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It may not stand still, and may be busy for as long as a process dies: the namespace takes it along.
        let _ = self.set_frozen(false);
        let _ = run("umount", &["--lazy", &self.place.display().to_string()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("{program} cannot be run"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{program} {}: {}",
        arguments.join(" "),
        said.trim()
    );
    Ok(())
}
