//! Plays a scenario: sends its messages, lets its events happen, and waits for the ends.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use service::{Tasks, time, time::Instant};
use tokio::sync::watch;

use super::{
    measures::Measures,
    plan::{Letters, Plan},
    report::{Parts, Report},
    rig::Rig,
    spec::{Event, Scenario},
};
use crate::{
    customer::{Customer, Ledger, Phase, Timetable as _},
    oracle::{Evidence, Verdict},
    setting::Setting,
    submit::Target,
    watch::Watch,
};

/// What this process is called among those that are looked at: it is the customer, the carriers and the provider.
const OWN_NAME: &str = "customer and carriers";
/// Every message has ended by so long after its deadline: the grace of those that are no passwords, and some.
const GRACE: Duration = Duration::from_secs(660);
/// How often it is looked whether everybody is still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Plays `scenario` with the router of `program`.
///
/// # Errors
/// Something could not be started, or a process ended by itself.
pub(super) async fn play(scenario: &Scenario, program: &Path, setting: Setting) -> anyhow::Result<Report> {
    let plan = Arc::new(Plan::new(scenario));
    let letters = || Letters::new(Arc::clone(&plan), scenario);
    let mut rig = Rig::start(program, scenario).await?;
    let target: Target = rig.cast.address()?.parse()?;
    let mut watch = Watch::begin(OWN_NAME)?;
    let customer = Customer::new(
        vec![target],
        Box::new(letters()?),
        Arc::clone(&plan) as _,
        scenario.name.clone(),
    );
    let ledger = customer.ledger();
    let played = watch.over(send(scenario, &plan, customer, &mut rig)).await;
    if played.is_err() {
        rig.cast.show_logs();
    }
    let customer = played?;
    let ledger = Ledger::taken(&ledger);
    let taken = watch.end(ledger.entries.len() as u64)?;
    rig.receipts_handed_over().await;
    rig.cast.stop_all().await?;
    let logs = rig.stop_carriers().await;
    let mut measures = Measures::new(scenario, &plan, &ledger, &logs);
    let log = (&rig.ground, &*rig.database());
    let count = ledger.entries.len();
    let evidence = Evidence::read(log, rig.began, &logs, count, |place, end, takes| {
        measures.note(place, end, takes);
    });
    let evidence = evidence.await?;
    let verdict = Verdict::of(&ledger, &evidence, letters()?, |_| None)?;
    Ok(Report::new(Parts {
        scenario,
        setting,
        measures,
        taken,
        verdict,
        troubles: customer.troubles,
        refused: customer.refused,
    }))
}

/// Sends every message and follows it to its end, while events happen.
async fn send(scenario: &Scenario, plan: &Plan, customer: Customer, rig: &mut Rig) -> anyhow::Result<Customer> {
    let start = time::now();
    let (phase, phases) = watch::channel(Phase::Sending);
    let mut working = Tasks::new();
    working.spawn(customer.run(phases));
    let mut turns = turns(scenario);
    let last = (0..plan.len()).map(|place| plan.ttl(place)).max().unwrap_or_default();
    let sent_at = start + plan.end();
    loop {
        let next = turns.first().map(|(at, ..)| start + *at);
        let is_sending = *phase.borrow() == Phase::Sending;
        // All arms are cancel-safe.
        tokio::select! { biased;
            done = working.join_next() => return done.context("there is a customer")??,
            () = until(next), if next.is_some() => {
                let (_, event, begins) = turns.remove(0);
                match begins {
                    true => rig.begin(event),
                    false => rig.end(event, scenario),
                }
            }
            () = time::sleep_until(sent_at), if is_sending => {
                phase.send_replace(Phase::Settling { until: sent_at + last + GRACE });
            }
            () = time::sleep(LOOK_EVERY) => rig.cast.ensure_running()?,
        }
    }
}

async fn until(at: Option<Instant>) {
    if let Some(at) = at {
        time::sleep_until(at).await;
    }
}

/// When events begin, and end, in order; one ends before another begins at the same moment.
fn turns(scenario: &Scenario) -> Vec<(Duration, &Event, bool)> {
    let each = scenario.events.iter();
    let mut turns: Vec<_> = each
        .flat_map(|event| [(event.span.from, event, true), (event.span.until, event, false)])
        .collect();
    turns.sort_by_key(|(at, _, begins)| (*at, *begins));
    turns
}
