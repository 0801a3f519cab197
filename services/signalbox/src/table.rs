//! `signalbox table …`: check and question a routing table.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write as _},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;
use service::Clock;
use table::{
    Request,
    command::{self, Output},
};

use crate::cli::{Explain, Table};

/// Runs the command; its exit code is the finding.
///
/// # Errors
/// Input or output failed.
pub(crate) fn main(command: Table) -> anyhow::Result<ExitCode> {
    let output = match command {
        Table::Check { dir, json } => command::check(&dir, json),
        Table::Explain(explain) => match &explain.batch {
            Some(file) => explain_batch(&explain.dir, file)?,
            None => {
                let (dir, json) = (explain.dir.clone(), explain.json);
                command::explain(&dir, request(*explain), json, Clock::wall().now())
            }
        },
    };
    // A reader that went away, such as `head`, is no failure of ours.
    let _ = io::stdout().write_all(output.stdout.as_bytes());
    let _ = io::stderr().write_all(output.stderr.as_bytes());
    Ok(ExitCode::from(output.code))
}

fn explain_batch(dir: &Path, file: &Path) -> anyhow::Result<Output> {
    let input: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(
            File::open(file).with_context(|| format!("{}: cannot be read", file.display()))?,
        ))
    };
    let output = io::BufWriter::new(io::stdout().lock());
    match command::explain_batch(dir, input, output, Clock::wall().now()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Output::default()),
        done => Ok(done?),
    }
}

fn request(explain: Explain) -> Request {
    Request {
        to: explain.to.unwrap_or_default(),
        from: explain.from,
        account: explain.account,
        class: explain.class,
        text: explain.text,
        segments: explain.segments,
        encoding: explain.encoding,
        at: explain.at,
        network: explain.network,
        ported: explain.ported,
        roll: explain.roll,
    }
}
