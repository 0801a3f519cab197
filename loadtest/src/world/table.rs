//! Writes a complete routing table: real numbering, invented carriers, prices and policies.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use sms::CarrierName;

use super::{Plan, Sheet, plan::NUMBERING};

/// Carriers that a policy names in its order of preference: enough to fail over twice.
const PREFERRED_MAX: usize = 3;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Carriers, each with a rate sheet.
    pub carriers: usize,
    /// Prefixes of the numbering plan.
    pub prefixes: usize,
    /// Rows of all rate sheets.
    pub rates: u64,
}

/// Writes a table of `carriers` into `dir`, which is made if it is not there; other files in it are left alone.
///
/// Each carrier lists `coverage` (0 to 1) of the plan's prefixes by themselves and has a default for every MCC, so each
/// of them can take any message to the plan.
///
/// # Errors
/// `carriers` is empty or names one twice, `coverage` is outside 0 to 1, or a file cannot be written; what was written before stays.
pub fn write_table(dir: &Path, carriers: &[CarrierName], coverage: f64, seed: u64) -> Result<Written> {
    ensure!(!carriers.is_empty(), "a table needs at least one carrier");
    ensure!(
        (0.0..=1.0).contains(&coverage),
        "coverage is {coverage}, allowed is 0 to 1"
    );
    for (at, carrier) in carriers.iter().enumerate() {
        ensure!(
            !carriers[..at].contains(carrier),
            "carrier {} is named twice",
            carrier.as_str()
        );
    }
    let plan = Plan::load()?;
    let rates_dir = dir.join("rates");
    fs::create_dir_all(&rates_dir).with_context(|| format!("cannot make {}", rates_dir.display()))?;
    write_file(&dir.join("table.toml"), &table_toml(carriers.len(), coverage, seed))?;
    write_file(&dir.join("carriers.toml"), &carriers_toml(carriers))?;
    write_file(&dir.join("policies.toml"), &policies_toml(carriers))?;
    write_file(&dir.join("numbering.csv"), NUMBERING)?;
    let mut rates = 0;
    for carrier in carriers {
        rates += write_sheet(
            dir,
            &plan,
            &Sheet {
                carrier,
                coverage,
                seed,
                percent: 100,
            },
        )?;
    }
    Ok(Written {
        carriers: carriers.len(),
        prefixes: plan.rows().len(),
        rates,
    })
}

/// Replaces one rate sheet of the table in `dir` in one step, with every price at `percent` of what it was when written
/// by [`write_table`]. Returns its rows.
///
/// # Errors
/// The file cannot be written; the old one is then still whole.
pub fn write_rates(dir: &Path, carrier: &CarrierName, coverage: f64, seed: u64, percent: u64) -> Result<u64> {
    write_sheet(
        dir,
        &Plan::load()?,
        &Sheet {
            carrier,
            coverage,
            seed,
            percent,
        },
    )
}

/// Writes beside the sheet and renames, so that who watches the directory never reads half a sheet.
fn write_sheet(dir: &Path, plan: &Plan, sheet: &Sheet<'_>) -> Result<u64> {
    let rates = dir.join("rates");
    let path = rates.join(format!("{}.csv", sheet.carrier.as_str()));
    let fresh = rates.join(format!(".{}.csv.new", sheet.carrier.as_str()));
    let write = || {
        let mut out = BufWriter::with_capacity(1 << 18, File::create(&fresh)?);
        let rows = sheet.write(plan, &mut out)?;
        out.flush()?;
        fs::rename(&fresh, &path)?;
        std::io::Result::Ok(rows)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn table_toml(carriers: usize, coverage: f64, seed: u64) -> String {
    format!(
        "# Written by `signalbox-loadtest world --carriers {carriers} --coverage {coverage} --seed {seed}`.\n\
         # The numbering is real; carriers, prices and policies are invented.\n\
         name = \"world\"\n\
         currency = \"EUR\"\n\n\
         [defaults]\n\
         strategy = \"least_cost\"\n\
         attempts = 3\n"
    )
}

fn carriers_toml(carriers: &[CarrierName]) -> String {
    let mut text = String::from("# These carriers do not exist.\n");
    for carrier in carriers {
        write!(
            text,
            "\n[[carrier]]\nname = \"{}\"\ncurrency = \"EUR\"\n",
            carrier.as_str()
        )
        .expect("writing to a string does not fail");
    }
    text
}

fn policies_toml(carriers: &[CarrierName]) -> String {
    let preferred: Vec<String> = carriers
        .iter()
        .take(PREFERRED_MAX)
        .map(|carrier| format!("\"{}\"", carrier.as_str()))
        .collect();
    let in_order = preferred.join(", ");
    let reversed = preferred.iter().rev().cloned().collect::<Vec<_>>().join(", ");
    format!(
        "# Invented. What no policy takes goes by the defaults of table.toml: the cheapest carrier.\n\n\
         [[policy]]\n\
         name = \"passwords-britain\"\n\
         match = {{ class = \"otp\", country = [\"GB\", \"IE\"] }}\n\
         route = {{ strategy = \"priority\", carriers = [{in_order}], attempts = 3 }}\n\n\
         [[policy]]\n\
         name = \"orange-france\"\n\
         match = {{ network = \"20801\" }}\n\
         route = {{ strategy = \"priority\", carriers = [{reversed}], attempts = 3 }}\n\n\
         [[policy]]\n\
         name = \"swiftmail-germany\"\n\
         match = {{ sender = \"SWIFT*\", prefix = [\"4915\", \"4916\", \"4917\"] }}\n\
         route = {{ strategy = \"priority\", carriers = [{in_order}], attempts = 3 }}\n\n\
         [[policy]]\n\
         name = \"acme-promotions\"\n\
         match = {{ account = \"acme*\", class = \"promotional\" }}\n\
         route = {{ strategy = \"least_cost\", attempts = 2 }}\n"
    )
}
