//! What can only be seen across files, and what is legal but surely a mistake. The only maker of a [`Checked`] spec.

mod carriers;
mod implied;
mod money;
mod names;
mod never;
mod plan;
mod prices;
mod reach;
mod rows;
mod senders;

use source::{Log, Problems};

use self::plan::Plan;
use crate::{
    code,
    files::Files,
    spec::{RateRow, Sheet, Spec, cases},
};

/// Letter of the codes of problems with tables.
const FAMILY: char = 'T';

/// A spec without errors: every name in it is defined, every price converts.
#[derive(Debug)]
pub(crate) struct Checked(Spec);

impl Checked {
    /// The spec.
    pub(crate) fn spec(&self) -> &Spec {
        &self.0
    }
}

/// Reads and checks the table in `files`. Beside it come its warnings.
///
/// # Errors
/// Everything that is wrong, at once.
pub(crate) fn checked(files: &Files) -> Result<(Checked, Problems), Problems> {
    let log = Log::new(FAMILY);
    let checked = check(Spec::read(files, &log), &log);
    let mut problems = log.into_problems();
    problems.append(files.strays().clone());
    match checked {
        Some(checked) => Ok((checked, problems)),
        None => Err(problems),
    }
}

/// Logs everything that is wrong across files. `None` = an error was logged, now or while reading.
fn check(spec: Spec, log: &Log) -> Option<Checked> {
    // Without a readable carriers.toml every name would seem undefined.
    if let Some(carriers) = &spec.carriers {
        money::check(&spec, carriers, log);
        names::check(&spec, carriers, log);
        carriers::warn(&spec, carriers, log);
    }
    plan::warn_countries(&spec, log);
    // What could not be read is missing here, and much would seem unused, unreached or undefined.
    if !log.has_errors() {
        rows::check(&spec, log);
        let plan = Plan::of(&spec);
        never::warn(&spec.policies, &plan, log);
        reach::warn(&spec.policies, &plan, log);
        plan.warn_unreachable(&spec, log);
        plan::warn_mnc_lengths(&spec, log);
        prices::warn(&spec, log);
        senders::warn(&spec.senders, log);
        warn_unused(&spec, log);
        cases::check(&spec, log);
    }
    (!log.has_errors()).then_some(Checked(spec))
}

/// Sets and exchange rates that change nothing: most likely the slip is in the name.
fn warn_unused(spec: &Spec, log: &Log) {
    for (name, place) in &spec.unused_sets {
        let what = format!("no list names the set \"@{name}\"");
        log.warning(place.clone(), code::SET_UNUSED, what, "", "name it, or remove the file");
    }
    for (currency, (_, place)) in &spec.settings.fx {
        let is_charged = spec
            .carriers
            .iter()
            .flatten()
            .any(|carrier| carrier.currency == *currency);
        if !is_charged && *currency != spec.settings.currency {
            let what = format!("no carrier charges {currency}");
            log.warning(place.clone(), code::FX_UNUSED, what, "", "remove the rate");
        }
    }
}

/// Every row of every sheet, with the sheet.
fn rows<'a>(sheets: impl IntoIterator<Item = &'a Sheet>) -> impl Iterator<Item = (&'a Sheet, &'a RateRow)> {
    sheets
        .into_iter()
        .flat_map(|sheet| sheet.rows.iter().map(move |row| (sheet, row)))
}
