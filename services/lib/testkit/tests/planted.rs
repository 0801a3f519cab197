//! The simulation finds bugs: each test plants one in every process and runs seeds from 0 up until the oracle objects.

use std::thread;

use testkit::{Bug, Scenario, run};

/// A bug that no run of so many seeds shows is one that the simulation cannot find.
const SEEDS_MAX: u64 = 200;
/// Stack of a thread that simulates: futures are large in a debug build.
const STACK_OCTETS: usize = 16 * 1_024 * 1_024;

/// Runs seeds until one shows `bug` by one of `rules`, and the same seed again without it, which shows nothing.
fn is_found(bug: Bug, rules: &'static [&'static str]) {
    let hunt = move || {
        for seed in 0..SEEDS_MAX {
            let sound = Scenario::draw(seed);
            let report = run(&sound.clone().with(bug));
            let Some(finding) = report.findings.first() else {
                continue;
            };
            println!(
                "{bug:?} is found by seed {seed}, {finding} ({} findings)",
                report.findings.len()
            );
            let broken: Vec<_> = report.findings.iter().map(|finding| finding.rule).collect();
            assert!(broken.iter().any(|rule| rules.contains(rule)), "found by {broken:?}");
            let report = run(&sound);
            assert!(report.findings.is_empty(), "without {bug:?}: {report}");
            return;
        }
        panic!("{bug:?} is not found within {SEEDS_MAX} seeds");
    };
    let hunter = thread::Builder::new().stack_size(STACK_OCTETS).spawn(hunt);
    let ended = hunter.expect("the system has room for a thread").join();
    ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

#[test]
fn a_claim_that_everybody_wins_is_found() {
    is_found(Bug::DropClaims, &["O2", "O4"]);
}

#[test]
fn a_swap_that_always_takes_place_is_found() {
    is_found(Bug::SwapAlways, &["O1"]);
}

#[test]
fn a_due_index_that_forgets_is_found() {
    is_found(Bug::LoseDue, &["O1"]);
}

#[test]
fn a_lease_that_is_not_written_is_found() {
    is_found(Bug::ForgetLeases, &["O2", "O4"]);
}

#[test]
fn a_lease_that_never_lapses_is_found() {
    is_found(Bug::ImmortalLeases, &["O1"]);
}

#[test]
fn ids_of_carriers_that_are_forgotten_are_found() {
    is_found(Bug::DropCorrelations, &["O3"]);
}

#[test]
fn idempotency_keys_that_are_forgotten_are_found() {
    is_found(Bug::DropKeys, &["O1"]);
}

#[test]
fn a_loss_of_the_store_that_is_hidden_is_found() {
    is_found(Bug::HideLoss, &["O1"]);
}

#[test]
fn an_ack_before_the_work_is_found() {
    is_found(Bug::AckEarly, &["O1", "O3"]);
}

#[test]
fn a_publish_that_stores_nothing_is_found() {
    is_found(Bug::LosePublish, &["O1"]);
}

#[test]
fn a_message_accepted_under_two_ids_is_found() {
    is_found(Bug::PublishTwice, &["O1"]);
}

#[test]
fn an_order_to_somebody_else_is_found() {
    is_found(Bug::Misaddress, &["O3"]);
}

#[test]
fn an_order_with_other_content_is_found() {
    is_found(Bug::AlterContent, &["O3"]);
}

#[test]
fn waiting_messages_nobody_looks_at_are_found() {
    is_found(Bug::ForgetWaiting, &["O1", "O3"]);
}

#[test]
fn messages_left_to_themselves_because_a_record_of_theirs_cannot_be_read_are_found() {
    is_found(Bug::ForgetDead, &["O1"]);
}

#[test]
fn receipts_nobody_reads_are_found() {
    is_found(Bug::MuteReceipts, &["O3", "O5"]);
}
