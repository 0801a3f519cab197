//! The scripts that run inside Redis, and the commands that call them.

use std::sync::LazyLock;

use ::redis::{Cmd, Pipeline, Script};

/// The scripts.
pub(super) struct Scripts {
    /// One bucket's part of a call.
    pub(super) apply: Script,
    /// Asks a bucket whether this is the server it was written on.
    pub(super) arrive: Script,
    /// Shuts everybody but one rebuilder out of a bucket.
    pub(super) begin: Script,
    /// The due entries of a bucket.
    pub(super) due: Script,
    /// Ends an epoch in a bucket.
    pub(super) end: Script,
    /// Begins an epoch in a bucket.
    pub(super) finish: Script,
    /// Takes or keeps the lock of the rebuilder.
    pub(super) lock: Script,
    /// Gives up the lock of the rebuilder.
    pub(super) unlock: Script,
}

/// All of them.
pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
    apply: Script::new(include_str!("apply.lua")),
    arrive: Script::new(include_str!("arrive.lua")),
    begin: Script::new(include_str!("begin.lua")),
    due: Script::new(include_str!("due.lua")),
    end: Script::new(include_str!("end.lua")),
    finish: Script::new(include_str!("finish.lua")),
    lock: Script::new(include_str!("lock.lua")),
    unlock: Script::new(include_str!("unlock.lua")),
});

/// The commands that make a server know all scripts.
pub(super) fn load_all() -> Pipeline {
    let mut pipeline = Pipeline::new();
    for code in [
        include_str!("apply.lua"),
        include_str!("arrive.lua"),
        include_str!("begin.lua"),
        include_str!("due.lua"),
        include_str!("end.lua"),
        include_str!("finish.lua"),
        include_str!("lock.lua"),
        include_str!("unlock.lua"),
    ] {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(code);
    }
    pipeline
}

/// The command that runs `script`.
pub(super) fn run(script: &Script, keys: &[String], arguments: &[&[u8]]) -> Cmd {
    let mut command = Cmd::new();
    command.arg("EVALSHA").arg(script.get_hash()).arg(keys.len());
    command.arg(keys).arg(arguments);
    command
}
