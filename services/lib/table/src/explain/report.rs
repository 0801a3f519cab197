//! The explanation as a tree for people.

use std::fmt;

use super::{CandidateReport, Explanation, Step};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = if self.segments == 1 { "" } else { "s" };
        write!(
            f,
            "{}: {} in {} {} segment{s}",
            self.to, self.class, self.segments, self.encoding
        )?;
        for (word, value) in [("from", &self.from), ("of", &self.account)]
            .iter()
            .filter(|(_, value)| !value.is_empty())
        {
            write!(f, ", {word} {value}")?;
        }
        writeln!(f, ", at {}, by table {}", self.at, self.table)?;
        self.write_network(f)?;
        writeln!(f, "├─ policies")?;
        let ended = self.policy.is_some();
        for (index, step) in self.steps.iter().enumerate() {
            let is_last = ended && index + 1 == self.steps.len();
            writeln!(f, "│  {} {}", if is_last { "└─" } else { "├─" }, self.step(step))?;
        }
        if !ended {
            writeln!(f, "│  └─ [defaults]: ends the walk, as no policy did")?;
        }
        if let Some(lookup) = &self.lookup {
            writeln!(f, "├─ look-up when it matters: {}", lookup.line(&self.currency))?;
        }
        write!(f, "└─ {}", self.result())?;
        let width = self
            .candidates
            .iter()
            .map(|candidate| candidate.carrier.len())
            .max()
            .unwrap_or_default();
        for (index, candidate) in self.candidates.iter().enumerate() {
            let branch = if index + 1 == self.candidates.len() {
                "└─"
            } else {
                "├─"
            };
            write!(f, "\n   {branch} {}", self.candidate(candidate, width))?;
        }
        Ok(())
    }
}

impl Explanation {
    fn write_network(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(network) = &self.network else {
            return writeln!(f, "├─ network unknown: no row of numbering.csv begins the number");
        };
        write!(f, "├─ network {}{}", network.mcc, network.mnc)?;
        for part in [&network.operator, &network.country]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
        {
            write!(f, " {part}")?;
        }
        writeln!(
            f,
            ", by {}{}",
            network.source,
            if network.ported { ", ported" } else { "" }
        )
    }

    fn step(&self, step: &Step) -> String {
        let name = &step.policy;
        match &step.skipped {
            Some(why) => format!("{name}: skipped, {why}"),
            None => {
                let end = (self.policy.as_ref() == Some(name)).then_some("ends the walk");
                let acts = Some(step.acts.as_str()).filter(|acts| !acts.is_empty());
                let did: Vec<&str> = ["applies"].into_iter().chain(acts).chain(end).collect();
                format!("{name}: {}", did.join(", "))
            }
        }
    }

    fn result(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or_default();
        match (self.action, self.candidates.first()) {
            ("route", Some(first)) => format!("route: {} is selected", first.carrier),
            ("no_route", _) => "no_route: no carrier can take it".to_owned(),
            (action, _) => format!("{action}: {reason}"),
        }
    }

    fn candidate(&self, candidate: &CandidateReport, width: usize) -> String {
        let money = match (&candidate.price, &candidate.cost) {
            (Some(price), Some(cost)) => {
                format!(
                    "{price} {} a segment, costs {cost} {}",
                    candidate.currency, self.currency
                )
            }
            _ => "no price".to_owned(),
        };
        let verdict = match (candidate.rank, candidate.reason) {
            (Some(rank), _) => format!("{} {rank}", candidate.verdict),
            (None, reason) => format!("{} {}", candidate.verdict, reason.unwrap_or_default()),
        };
        let from = if candidate.from == self.from {
            String::new()
        } else {
            format!(", from {}", candidate.from)
        };
        format!("{:width$}  {verdict}: {money}{from}", candidate.carrier)
    }
}
