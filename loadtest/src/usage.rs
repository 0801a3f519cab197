//! Processor time and memory of this program and of everything that it started, as the system tells them: so nothing that a
//! message costs is left out because somebody forgot to ask for it.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::Context as _;

/// The unit of processor times in /proc: a hundredth of a second wherever Linux tells them to programs.
const TICK: Duration = Duration::from_millis(10);
/// The shell between this program and a server that it started.
const SHELL: &str = "sh";

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// What it does: a role of the router, `load`, `carriers`, `kafka`, `redis`, or else the name of its program.
    pub name: String,
    /// Time that it has had on a processor, and the kernel for it.
    pub processor: Duration,
    /// Memory that it has, in kB.
    pub memory_kb: u64,
    /// The most memory that it had so far, in kB.
    pub memory_kb_max: u64,
}

/// This process, called `own_name`, and all that descend from it, without the shells between.
///
/// # Errors
/// The system does not say.
pub fn family(own_name: &str) -> anyhow::Result<Vec<Process>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").context("the system does not say what runs")? {
        let id = entry?.file_name().into_string().ok().and_then(|name| name.parse().ok());
        // One that ended meanwhile is nobody's child.
        if let Some(id) = id
            && let Some(parent) = stat(id).as_deref().and_then(parent)
        {
            children.entry(parent).or_default().push(id);
        }
    }
    let own = std::process::id();
    let mut family = vec![process(own, own_name).context("the system does not say what this program took")?];
    let mut open = vec![own];
    while let Some(parent) = open.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            open.push(child);
            let name = fs::read(format!("/proc/{child}/cmdline")).map(|line| name_of(&line));
            let found = name.ok().and_then(|name| process(child, &name));
            family.extend(found.filter(|process| process.name != SHELL));
        }
    }
    Ok(family)
}

/// Processor time of all of `family`, by what they do.
pub fn processor_times(family: &[Process]) -> BTreeMap<String, Duration> {
    let mut times = BTreeMap::new();
    for process in family {
        *times.entry(process.name.clone()).or_default() += process.processor;
    }
    times
}

/// Microseconds that each message took between two looks, of which there were `messages`, by what processes do.
pub fn processor_us(
    before: &BTreeMap<String, Duration>,
    after: &BTreeMap<String, Duration>,
    messages: u64,
) -> BTreeMap<String, f64> {
    let each = after.iter().map(|(name, time)| {
        let earlier = before.get(name).copied().unwrap_or_default();
        let micros = time.saturating_sub(earlier).as_secs_f64() * 1e6 / messages.max(1) as f64;
        (name.clone(), micros)
    });
    each.collect()
}

/// Time that the process of that number has had on a processor; `None` = there is none, or the system does not say.
pub(crate) fn processor_time(id: u32) -> Option<Duration> {
    Some(TICK * ticks(&stat(id)?)?)
}

/// What each thread of the process of that number is doing: its name, its state (`R` = at work, `S` = waits, `D` = waits for a
/// disk), its time on a processor in milliseconds, and where it is in the kernel. For who asks why a process does not go on.
pub(crate) fn threads(id: u32) -> Vec<String> {
    let folders = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let thread = |folder: fs::DirEntry| {
        let read = |file: &str| fs::read_to_string(folder.path().join(file)).ok();
        let stat = read("stat")?;
        let (name, state) = (read("comm")?, fields(&stat)?.next()?.to_owned());
        let processor = (TICK * ticks(&stat)?).as_millis();
        let place = read("wchan").unwrap_or_default();
        Some(format!(
            "{} {state} {processor} ms {}",
            name.trim_end(),
            place.trim_end()
        ))
    };
    folders.filter_map(thread).collect()
}

fn process(id: u32, name: &str) -> Option<Process> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let kilobytes = |field: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim_start_matches(':').trim().strip_suffix(" kB")?.parse().ok()
    };
    Some(Process {
        id,
        name: name.to_owned(),
        processor: processor_time(id)?,
        // One that is gone, and not yet waited for, has none.
        memory_kb: kilobytes("VmRSS").unwrap_or(0),
        memory_kb_max: kilobytes("VmHWM").unwrap_or(0),
    })
}

/// What a process with that command line does.
fn name_of(command_line: &[u8]) -> String {
    let mut words = command_line.split(|octet| *octet == 0).map(String::from_utf8_lossy);
    let program = words.next().unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    let role = words.next().unwrap_or_default();
    match (program, &*role) {
        ("signalbox", role) => role,
        ("signalbox-loadtest", "submit") => "load",
        ("signalbox-loadtest", "smsc") => "carriers",
        ("java", _) => "kafka",
        // It shows its address behind its name.
        (program, _) if program.starts_with("redis-server") => "redis",
        (program, _) => program,
    }
    .to_owned()
}

fn stat(id: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{id}/stat")).ok()
}

/// The fields behind the name, which may hold spaces, from the third on.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

fn parent(stat: &str) -> Option<u32> {
    fields(stat)?.nth(1)?.parse().ok()
}

/// Fields 14 and 15: time of its own, and the kernel's for it.
fn ticks(stat: &str) -> Option<u32> {
    let mut fields = fields(stat)?.skip(11);
    let (own, kernel): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(own + kernel)
}

#[cfg(test)]
mod tests;
