//! What a router wrote to its log: the provider by name, and never a number or a secret.

use std::collections::BTreeSet;

use super::{
    land::{PROVIDERS, SECRET},
    report::Report,
    side::Side,
};

/// What a router says of a provider that fails.
const FAILED: &str = "a provider of look-ups failed";
/// So much of the secret gives it away.
const SECRET_CHARS: usize = 8;

/// Looks for what must be in the log of `side`, and what must not.
pub(super) fn judge(side: &Side, report: &mut Report) {
    let word = if side.looks_up { "with" } else { "without" };
    let secret: Vec<_> = SECRET.as_bytes().windows(SECRET_CHARS).collect();
    let numbers: BTreeSet<&str> = side.sent.iter().map(|sent| sent.letter.to.digits()).collect();
    let lines = side.stage.cast.said("");
    let leaks = |line: &str| line.as_bytes().windows(SECRET_CHARS).any(|part| secret.contains(&part));
    let secrets = lines.iter().filter(|(_, line)| leaks(line)).count();
    if secrets > 0 {
        report.find(format!("{word} look-ups: {secrets} lines of the log repeat a secret"));
    }
    let named = lines.iter().filter(|(_, line)| names_one_of(line, &numbers)).count();
    if named > 0 {
        report.find(format!("{word} look-ups: {named} lines of the log hold a whole number"));
    }
    if !side.looks_up {
        return;
    }
    let failures = side.stage.cast.said(FAILED);
    report.failures_told = failures.len();
    for provider in PROVIDERS {
        if !failures.iter().any(|(_, line)| line.contains(provider)) {
            report.find(format!("the log says nowhere that {provider} failed"));
        }
    }
}

/// Whether a run of digits in `line` holds one of `numbers`.
fn names_one_of(line: &str, numbers: &BTreeSet<&str>) -> bool {
    let Some(shortest) = numbers.iter().map(|number| number.len()).min() else {
        return false;
    };
    let longest = numbers.iter().map(|number| number.len()).max().unwrap_or(shortest);
    let runs = line
        .split(|c: char| !c.is_ascii_digit())
        .filter(|run| run.len() >= shortest);
    runs.into_iter().any(|run| {
        (0..=run.len() - shortest).any(|from| {
            let ends = (from + shortest)..=(from + longest).min(run.len());
            ends.into_iter().any(|to| numbers.contains(&run[from..to]))
        })
    })
}
