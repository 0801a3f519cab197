//! Leases on an account, and how its pace moves, over times that the tests make up.

use service::{
    Dice,
    time::{self, Instant},
};
use sms::Lane;

use super::*;
use crate::rate::Bucket;

const NOW: UnixMs = UnixMs(1_767_225_600_000);

fn ask(who: &str, wants: f64) -> Ask {
    Ask {
        who: who.into(),
        ceiling: 100,
        wants,
        feeling: Feeling::Well,
        raised_from: None,
    }
}

fn felt(feeling: Feeling) -> Ask {
    Ask {
        feeling,
        ..ask("a", 1.0)
    }
}

#[test]
fn who_wants_less_than_an_equal_share_has_that_and_the_rest_share_what_is_left() {
    let all = f64::INFINITY;
    for (wants, others, has) in [
        (all, vec![], 100.0),
        (all, vec![all], 50.0),
        (all, vec![20.0], 80.0),
        (all, vec![20.0, all], 40.0),
        (20.0, vec![all, all], 20.0),
        (60.0, vec![60.0], 50.0),
        (10.0, vec![30.0], 40.0),
    ] {
        assert_eq!(
            fair(100.0, wants, others.iter().copied()),
            has,
            "{wants} beside {others:?}"
        );
    }
}

/// Two connectors hear of the new rate one after the other; the second to hear it brings the old one in between.
#[test]
fn a_raised_rate_is_in_force_once_the_last_member_knows_it_and_a_throttled_one_climbs() {
    let all = f64::INFINITY;
    let raised = |who: &str, wants| Ask {
        ceiling: 200,
        raised_from: Some(100),
        ..ask(who, wants)
    };
    let mut ledger = Ledger::new(100, NOW);
    ledger.lease(&raised("a", all), NOW);
    assert_eq!(ledger.pace(), 200.0);
    ledger.lease(&ask("b", all), NOW);
    assert_eq!(ledger.pace(), 100.0, "one that knows nothing of it keeps the old rate");
    ledger.lease(&raised("b", all), NOW);
    assert_eq!(ledger.pace(), 200.0);
    let mut throttled = Ledger::new(100, NOW);
    throttled.lease(&felt(Feeling::Throttled), NOW);
    throttled.lease(&raised("a", all), NOW);
    assert_eq!(
        throttled.pace(),
        50.0,
        "a carrier that asked to slow down is not overrun"
    );
    let lowered = Ask {
        ceiling: 10,
        ..ask("a", all)
    };
    throttled.lease(&lowered, NOW);
    assert_eq!(throttled.pace(), 10.0);
}

#[test]
fn who_comes_second_waits_for_the_first_lease_to_end_and_both_have_half_then() {
    let mut ledger = Ledger::new(100, NOW);
    assert_eq!(ledger.lease(&ask("a", f64::INFINITY), NOW), 100.0);
    assert_eq!(ledger.lease(&ask("b", f64::INFINITY), NOW), 0.0);
    let renewed = NOW + SLICE / 2;
    assert_eq!(ledger.lease(&ask("a", f64::INFINITY), renewed), 50.0);
    assert_eq!(ledger.lease(&ask("b", f64::INFINITY), renewed), 50.0);
}

#[test]
fn what_was_leased_to_one_who_is_gone_is_free_after_its_slice() {
    let mut ledger = Ledger::new(100, NOW);
    ledger.lease(&ask("a", f64::INFINITY), NOW);
    assert_eq!(ledger.lease(&ask("b", f64::INFINITY), NOW + SLICE), 100.0);
}

#[test]
fn a_throttle_halves_the_pace_once_a_second_down_to_a_twentieth() {
    let mut ledger = Ledger::new(100, NOW);
    let mut paces = Vec::new();
    for second in 0..7 {
        for ms in [0, 10, 500, 999] {
            ledger.lease(
                &felt(Feeling::Throttled),
                NOW + Duration::from_millis(second * 1_000 + ms),
            );
        }
        paces.push(ledger.pace());
    }
    assert_eq!(paces, [50.0, 25.0, 12.5, 6.25, 5.0, 5.0, 5.0]);
}

#[test]
fn each_second_without_a_throttle_adds_a_twentieth_of_the_rate_up_to_it() {
    let mut ledger = Ledger::new(100, NOW);
    ledger.lease(&felt(Feeling::Throttled), NOW);
    let mut at = |second: u64, feeling| {
        ledger.lease(&felt(feeling), NOW + Duration::from_secs(second));
        ledger.pace()
    };
    assert_eq!(at(1, Feeling::Well), 55.0);
    assert_eq!(at(2, Feeling::Busy), 55.0, "as busy as it should be");
    assert_eq!(at(3, Feeling::Well), 60.0);
    assert_eq!(at(60, Feeling::Well), 100.0);
}

#[test]
fn a_ledger_of_a_clock_that_is_far_ahead_counts_as_none() {
    let mut ledger = Ledger::new(100, NOW + Duration::from_secs(3_600));
    ledger.lease(&ask("a", f64::INFINITY), NOW + Duration::from_secs(3_600));
    assert_eq!(ledger.lease(&ask("b", f64::INFINITY), NOW), 100.0);
}

#[test]
fn a_ledger_reads_back_and_what_is_none_does_not() {
    let mut ledger = Ledger::new(100, NOW);
    ledger.lease(&felt(Feeling::Throttled), NOW);
    ledger.lease(&ask("b/x", f64::INFINITY), NOW);
    let octets = ledger.to_bytes();
    assert_eq!(Ledger::from_bytes(&octets), Some(ledger));
    for text in [
        "",
        "pace2 1 1 1 1",
        "pace1 1 NaN 1 1",
        "pace1 1 -1 1 1",
        "pace1 1 1 1 1\nb 1 1",
        "\u{fffd}",
    ] {
        assert_eq!(Ledger::from_bytes(&text.to_owned().into()), None, "{text:?}");
    }
}

/// One connector: its bucket, its clock, and how long the store takes for it.
struct Member {
    name: String,
    bucket: Bucket,
    clock_ahead: Duration,
    latency: Duration,
    /// When it asks next, and the answer on its way: when it comes, what it gives and until when.
    asks_at: Duration,
    answer: Option<(Duration, f64, Duration)>,
    is_busy: bool,
    sent: u64,
}

impl Member {
    fn draw(number: u64, dice: &Dice) -> Self {
        let ms = |most| Duration::from_millis(dice.below(most));
        Self {
            name: format!("m{number}"),
            bucket: Bucket::leased(time::now()),
            clock_ahead: ms(300),
            latency: ms(30),
            asks_at: ms(100),
            answer: None,
            is_busy: true,
            sent: 0,
        }
    }

    /// One millisecond: what it sent.
    fn step(&mut self, ledger: &mut Ledger, ceiling: u32, (start, now): (Instant, Duration)) -> u64 {
        if let Some((_, rate, until)) = self.answer.filter(|(at, ..)| *at <= now) {
            self.bucket.lease(rate, start + now, start + until);
            self.answer = None;
        }
        if self.asks_at <= now && (self.is_busy || self.bucket.is_used()) {
            let wants = if self.is_busy { f64::INFINITY } else { 1.0 };
            self.bucket.take_used();
            let rate = ledger.lease(
                &Ask {
                    ceiling,
                    ..ask(&self.name, wants)
                },
                NOW + now + self.clock_ahead,
            );
            self.answer = Some((now + self.latency, rate, now + SLICE));
            self.asks_at = now + SLICE / 2;
        }
        self.bucket.fill(start + now);
        let mut sent = 0;
        while self.is_busy && self.bucket.is_open(Lane::Bulk) {
            self.bucket.take(1, Lane::Bulk);
            sent += 1;
        }
        self.sent += sent;
        sent
    }
}

/// Up to six connectors with clocks apart that come and go, 200 accounts for ten seconds each: in no span of time do they
/// send more than the account's rate in it, one slice's worth, and a part each. While all of them are busy they use it up.
#[tokio::test(start_paused = true)]
async fn what_all_send_together_is_the_account_s_rate_and_one_slice_at_most() {
    for seed in 0..200 {
        let dice = Dice::seeded(seed);
        let ceiling = [5, 40, 300, 2_000][dice.below(4) as usize];
        let comes_and_goes = dice.below(2) == 0;
        let mut members: Vec<Member> = (0..=dice.below(6)).map(|n| Member::draw(n, &dice)).collect();
        let (start, mut ledger) = (time::now(), Ledger::new(ceiling, NOW));
        let (mut excess, mut total) = (0.0_f64, 0);
        let bound = f64::from(ceiling) * SLICE.as_secs_f64() + members.len() as f64 + 1.0;
        for ms in 0..10_000 {
            let now = Duration::from_millis(ms);
            for member in &mut members {
                if comes_and_goes && dice.below(300) == 0 {
                    member.is_busy = !member.is_busy;
                }
                let sent = member.step(&mut ledger, ceiling, (start, now));
                total += sent;
                excess += sent as f64;
            }
            assert!(
                excess <= bound,
                "seed {seed}: {excess} beyond the rate at {ms} ms, {bound} are allowed"
            );
            excess = (excess - f64::from(ceiling) / 1_000.0).max(0.0);
        }
        if !comes_and_goes {
            let used = total as f64 / f64::from(ceiling) / 10.0;
            assert!(used > 0.9, "seed {seed}: {used} of the rate is used");
            let (least, most) = (
                members.iter().map(|m| m.sent).min(),
                members.iter().map(|m| m.sent).max(),
            );
            let (least, most) = (least.unwrap_or(0) as f64, most.unwrap_or(0) as f64);
            assert!(
                most <= least * 1.3 + 5.0,
                "seed {seed}: {least} and {most} are no equal shares"
            );
        }
    }
}
