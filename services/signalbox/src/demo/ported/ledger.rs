//! What one run came to: who went by which network, what carriers charge for it, and what asking cost.

use std::collections::BTreeSet;

use journey::Attempt;
use signalbox_loadtest::stage::{Books, taken};
use sms::CarrierName;
use table::Micros;

use super::{
    super::{drive::Trip, stage::Scene},
    land::{Truth, network, price},
};

/// One run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    messages: u64,
    recipients: u64,
    ported: u64,
    /// Messages to ported recipients by the network and the carrier that serve them best.
    by_real_network: u64,
    /// Such messages by the network that gave the number out, and its carrier.
    by_plan: u64,
    /// Such messages any other way.
    elsewhere: u64,
    /// What carriers charge, by the networks that really serve the recipients, in millionths.
    charged: i64,
    queries: u64,
    queries_cost: i64,
    /// Messages to numbers that were known already.
    known: u64,
    /// Messages to numbers whose network was not worth asking for.
    spared: u64,
    /// Messages whose look-up came to nothing.
    unanswered: u64,
    findings: Vec<String>,
}

impl Ledger {
    /// What the events of a run say; `findings` is what is wrong with them.
    pub(super) fn new(
        seed: u64,
        scene: &Scene,
        trip: &Trip,
        books: &Books,
        findings: Vec<String>,
    ) -> anyhow::Result<Self> {
        let truth = Truth::new(seed)?;
        let carriers: Vec<_> = scene.logs.iter().map(|(carrier, _)| carrier).collect();
        let mut ledger = Self {
            findings,
            ..Self::default()
        };
        let (mut recipients, mut ported) = (BTreeSet::new(), BTreeSet::new());
        for (id, letter) in &trip.accepted {
            let Some(attempt) = books.ends.get(id).and_then(taken) else {
                continue;
            };
            ledger.messages += 1;
            ledger.note_look_up(attempt);
            let Some((planned, real)) = truth.networks(&letter.to) else {
                continue;
            };
            recipients.insert(letter.to.digits());
            ledger.charged += place(&carriers, &attempt.carrier).map_or(0, |carrier| price(carrier, real));
            if planned != real {
                ported.insert(letter.to.digits());
                let went = (attempt.network.as_str(), place(&carriers, &attempt.carrier));
                if went == (network(real), Some(real)) {
                    ledger.by_real_network += 1;
                } else if went == (network(planned), Some(planned)) {
                    ledger.by_plan += 1;
                } else {
                    ledger.elsewhere += 1;
                }
            }
        }
        (ledger.recipients, ledger.ported) = (recipients.len() as u64, ported.len() as u64);
        Ok(ledger)
    }

    fn note_look_up(&mut self, attempt: &Attempt) {
        match attempt.looked_up.as_deref() {
            None => self.spared += 1,
            Some(looked_up) if !looked_up.is_sure => self.unanswered += 1,
            Some(looked_up) if looked_up.cost_micros > 0 => {
                self.queries += 1;
                self.queries_cost += looked_up.cost_micros;
            }
            Some(_) => self.known += 1,
        }
    }
}

fn place(carriers: &[&CarrierName], carrier: &CarrierName) -> Option<usize> {
    carriers.iter().position(|name| *name == carrier)
}

/// Both runs side by side.
pub(super) fn print(with: &Ledger, without: &Ledger) {
    let line = |what: &str, with: String, without: String| println!("{what:<48}{with:>14}{without:>14}");
    let count = |what: &str, of: fn(&Ledger) -> u64| line(what, of(with).to_string(), of(without).to_string());
    println!();
    line("", "with look-ups".to_owned(), "without".to_owned());
    count("messages that ended with a carrier", |ledger| ledger.messages);
    count("recipients where the network decides the price", |ledger| {
        ledger.recipients
    });
    count("  of them ported", |ledger| ledger.ported);
    count("messages to ported ones by their real network", |ledger| {
        ledger.by_real_network
    });
    count("  by the wrong one", |ledger| ledger.by_plan);
    count("  otherwise", |ledger| ledger.elsewhere);
    let money = |what: &str, of: fn(&Ledger) -> i64| {
        line(what, Micros(of(with)).to_string(), Micros(of(without)).to_string());
    };
    money("charged by the networks that served them, EUR", |ledger| ledger.charged);
    count("queries made", |ledger| ledger.queries);
    money("  what they cost, EUR", |ledger| ledger.queries_cost);
    println!(
        "{:<48}{:>14}  known already {}, not worth their price {}",
        "queries avoided",
        with.known + with.spared,
        with.known,
        with.spared
    );
    money("all together, EUR", total);
    let saved = total(without) - total(with);
    println!(
        "look-ups save EUR {}, {:.1} % of what is charged without them",
        Micros(saved),
        saved as f64 * 100.0 / without.charged.max(1) as f64
    );
}

fn total(ledger: &Ledger) -> i64 {
    ledger.charged + ledger.queries_cost
}

/// Everything that would make the scene a failure.
pub(super) fn findings(with: &Ledger, without: &Ledger) -> Vec<String> {
    let mut findings = Vec::new();
    for (word, ledger) in [("with", with), ("without", without)] {
        findings.extend(
            ledger
                .findings
                .iter()
                .map(|finding| format!("{word} look-ups: {finding}")),
        );
    }
    let mut expect = |holds: bool, what: String| findings.extend((!holds).then_some(what));
    let share = with.ported as f64 / with.recipients.max(1) as f64;
    expect(
        (0.15..=0.25).contains(&share),
        format!("{:.1} % of the recipients are ported, a fifth was meant", share * 100.0),
    );
    expect(
        with.by_plan + with.elsewhere == 0,
        format!(
            "with look-ups {} messages to ported recipients did not go by their real network",
            with.by_plan + with.elsewhere
        ),
    );
    expect(
        without.by_real_network + without.elsewhere == 0,
        format!(
            "without look-ups {} messages to ported recipients did not go by the network of the plan",
            without.by_real_network + without.elsewhere
        ),
    );
    expect(
        with.unanswered == 0,
        format!("{} look-ups came to nothing", with.unanswered),
    );
    expect(
        total(with) < total(without),
        "look-ups cost more than they save".to_owned(),
    );
    expect(
        without.queries == 0 && with.queries >= with.recipients / 2,
        format!(
            "{} queries were made with look-ups, {} without",
            with.queries, without.queries
        ),
    );
    findings
}
