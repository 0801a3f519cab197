//! What holds over any order of events: the state they lead to, one end, and no message left behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{collection::vec, prelude::*, sample::select};
use sms::Class;

use super::life::{Life, START};
use crate::{EndState, Event, Input, Known, OrderNumber, State, fold};

/// What must not depend on the order of events: how it ended, or what is known about the order.
fn essence(state: &State) -> String {
    match &state.ended {
        Some(ended) => {
            let said: Vec<_> = ended
                .attempts
                .iter()
                .map(|attempt| (attempt.number, &attempt.receipts))
                .collect();
            format!("{:?} {:?} {said:?}", ended.state, ended.cause)
        }
        None => format!("{:?} {:?} {:?}", state.orders, state.issued, state.timer),
    }
}

fn receipts_of_a_segment(segment: u8) -> impl Strategy<Value = Vec<String>> {
    let finals = vec![
        "DELIVRD",
        "UNDELIV route",
        "UNDELIV handset",
        "EXPIRED",
        "REJECTD recipient",
        "UNKNOWN",
    ];
    let interim = prop::option::of(select(vec!["ENROUTE", "ACCEPTD"]));
    (interim, prop::option::of(select(finals))).prop_map(move |(interim, last)| {
        [interim, last]
            .into_iter()
            .flatten()
            .map(|word| format!("r1.{segment} {word}"))
            .collect()
    })
}

fn events_of_an_order() -> impl Strategy<Value = Vec<String>> {
    let answers = select(vec![
        vec!["1 accepted a b"],
        vec!["1 unknown", "1 accepted a b"],
        vec!["1 unknown"],
    ]);
    (answers, receipts_of_a_segment(0), receipts_of_a_segment(1)).prop_map(|(answers, first, second)| {
        answers
            .into_iter()
            .map(str::to_owned)
            .chain(first)
            .chain(second)
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Folds one set of events in two random orders with random repeats; states and ends must agree.
    #[test]
    fn order_and_repeats_do_not_matter(
        (events, other) in events_of_an_order().prop_flat_map(|events| (Just(events.clone()).prop_shuffle(), Just(events).prop_shuffle())),
        repeats in vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let play = |events: &[String], repeats: &[prop::sample::Index]| {
            let mut life = Life::new(Class::Transactional);
            life.message.segments = 2;
            for event in events {
                life.hear(event);
            }
            for repeat in repeats {
                let again: &String = repeat.get(events);
                life.hear(again);
            }
            life
        };
        let (one, two) = (play(&events, &repeats), play(&other, &[]));
        prop_assert_eq!(essence(one.state.as_ref().unwrap()), essence(two.state.as_ref().unwrap()));
        let ends: Vec<_> = one.told.iter().filter(|event| matches!(event, Event::Ended(_))).collect();
        prop_assert!(ends.windows(2).all(|pair| pair[0] == pair[1]));
    }

    /// Folding an input again right away changes nothing.
    #[test]
    fn folding_again_changes_nothing(events in events_of_an_order().prop_shuffle()) {
        let mut life = Life::new(Class::Transactional);
        life.message.segments = 2;
        for event in &events {
            life.hear(event);
            let before = life.state.clone();
            life.hear(event);
            prop_assert_eq!(&life.state, &before, "after {}", event);
        }
    }

    /// Lets a router crash at any step while carriers answer as they like; see `World`.
    #[test]
    fn every_message_ends_exactly_once(seed in any::<u64>(), class in select(Class::ALL.to_vec())) {
        World::new(seed, class).run();
    }
}

/// A router that crashes, connectors and carriers that answer at random, and claims as the store keeps them.
struct World {
    seed: u64,
    dice: u64,
    life: Life,
    /// Inputs on the bus, not acked.
    bus: Vec<Input>,
    /// Orders on the bus that no connector has looked at.
    queue: Vec<u32>,
    claims: BTreeMap<OrderNumber, bool>,
    /// When the due index brings the timer up.
    due: Option<sms::UnixMs>,
    log: Vec<String>,
    ends: BTreeSet<String>,
    /// Orders a carrier got, and whether it gave a reason to ask another.
    sent: Vec<(u32, bool)>,
}

impl World {
    fn new(seed: u64, class: Class) -> Self {
        let mut life = Life::new(class);
        let dice = seed | 1;
        life.terms.receipt_within = seed.is_multiple_of(3).then_some(Duration::from_secs(20));
        life.receipt = !seed.is_multiple_of(7);
        let (bus, queue) = (Vec::new(), vec![1]);
        let (log, ends, sent) = (Vec::new(), BTreeSet::new(), Vec::new());
        Self {
            seed,
            dice,
            life,
            bus,
            queue,
            claims: BTreeMap::new(),
            due: None,
            log,
            ends,
            sent,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.dice = self
            .dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % bound
    }

    fn run(mut self) {
        let mut second = 0;
        while second < 200 || !self.bus.is_empty() || !self.queue.is_empty() {
            second += self.below(8);
            assert!(second < 5_000, "no end in sight: {self}");
            self.life.at(second);
            match self.below(4) {
                0 if !self.queue.is_empty() => self.connect(),
                1 | 2 if !self.bus.is_empty() => {
                    let at = self.below(self.bus.len() as u64) as usize;
                    let input = self.bus.remove(at);
                    self.route(input);
                }
                _ => self.tick(),
            }
        }
        let end = self.life.state.as_ref().and_then(|state| state.ended.as_ref());
        assert!(end.is_some(), "message has not ended: {self}");
        assert_eq!(self.ends.len(), 1, "one end is told: {self}");
    }

    /// A connector takes one order: claims it, answers it, and the carrier may send receipts.
    fn connect(&mut self) {
        let at = self.below(self.queue.len() as u64) as usize;
        let number = self.queue.remove(at);
        if let Some(is_router) = self.claims.get(&OrderNumber(number)) {
            self.log.push(format!("order {number} claimed already"));
            if *is_router {
                let answer = self.life.input(&format!("{number} down"));
                self.bus.push(answer);
            }
            return;
        }
        self.claims.insert(OrderNumber(number), false);
        let is_late = self.life.now >= self.life.terms.deadline;
        let (answers, why): (Vec<&str>, _) = match self.below(9) {
            _ if is_late => (vec!["late"], ""),
            0 => (vec!["next"], ""),
            1 => (vec!["down"], ""),
            2 => (vec!["hold 4"], ""),
            3 => (vec!["fail"], ""),
            4 => (vec!["unknown"], "unknown"),
            5 => (vec!["unknown", "accepted a"], "unknown"),
            _ => (vec!["accepted a"], "accepted"),
        };
        let mut said: Vec<_> = answers.iter().map(|answer| format!("{number} {answer}")).collect();
        if !why.is_empty() {
            let words = [
                "DELIVRD",
                "DELIVRD",
                "UNDELIV route",
                "UNDELIV handset",
                "UNDELIV number",
                "ENROUTE",
                "UNKNOWN",
            ];
            let word = self.below(words.len() as u64 + 2) as usize;
            said.extend(words.get(word).map(|word| format!("r{number}.0 {word}")));
            let is_failed = words
                .get(word)
                .is_some_and(|word| word.contains("route") || word.contains("number"));
            let may_resend = self.life.message.class == Class::Otp && (why == "unknown" || word == 6);
            let may_be_silent = self.life.terms.receipt_within.is_some();
            assert!(
                self.sent.iter().all(|(_, has_reason)| *has_reason),
                "sent twice without a reason: {self}"
            );
            self.sent.push((number, is_failed || may_resend || may_be_silent));
        }
        let inputs: Vec<_> = said.iter().map(|said| self.life.input(said)).collect();
        self.log.extend(said);
        self.bus.extend(inputs);
    }

    fn tick(&mut self) {
        if self.due.is_some_and(|due| due <= self.life.now) {
            self.route(Input::Timer);
        }
    }

    /// Folds one input as a router does, and maybe dies at any step; then the input comes again.
    fn route(&mut self, input: Input) {
        let mut known = Known {
            is_kept: self
                .life
                .state
                .as_ref()
                .is_some_and(|state| state.body.is_some() || state.ended.is_some()),
            ..Known::default()
        };
        loop {
            if self.dies(&input, "before the claim") {
                return;
            }
            let (state, actions) = fold(self.life.state.clone(), &input, self.life.now, &known);
            let Some(number) = actions.claim else {
                break self.act(input, state, actions);
            };
            let is_won = *self.claims.entry(number).or_insert(true);
            assert!(known.claims.insert(number, is_won).is_none(), "claimed twice: {self}");
        }
    }

    fn act(&mut self, input: Input, state: State, actions: crate::Actions) {
        if actions.keep {
            // A timer stays due until what it led to is published.
            let stays = input == Input::Timer && (actions.next.is_some() || actions.tell.is_some());
            self.due = if stays { Some(self.life.now) } else { state.timer };
            let is_past = state.timer.is_some_and(|timer| timer <= self.life.now);
            assert!(input != Input::Timer || !is_past, "a timer set itself again: {self}");
            let ended = self.life.state.as_ref().and_then(|state| state.ended.clone());
            assert!(ended.is_none() || ended == state.ended, "an end was changed: {self}");
            self.life.state = Some(state);
        }
        if self.dies(&input, "before publishing") {
            return;
        }
        if let Some(event @ Event::Ended(_)) = &actions.tell {
            self.ends.insert(format!("{event:?}"));
        } else if let Some(next) = actions.next {
            self.publish(*next);
        }
        if self.dies(&input, "before the ack") {
            return;
        }
        if let (Input::Timer, Some(state)) = (&input, &self.life.state) {
            self.due = state.timer;
        }
    }

    fn publish(&mut self, next: crate::Next) {
        self.life.history.clone_from(&next.attempts);
        let number = next.number;
        let luck = self.below(12);
        if luck == 11 {
            let parked = self.life.input(&format!("parked{}", number.0));
            self.log.push(format!("parked {}", number.0));
            self.bus.push(parked);
        } else if luck == 0 {
            let dead_end = self.life.input(&format!("dead{}", number.0));
            self.log.push(format!("dead end {}", number.0));
            self.bus.push(dead_end);
        } else {
            self.log.push(format!("order {}", number.0));
            self.queue.push(number.0);
        }
    }

    fn dies(&mut self, input: &Input, when: &str) -> bool {
        let dies = self.below(12) == 0;
        if dies {
            self.log.push(format!("died {when}"));
            if *input != Input::Timer {
                self.bus.push(input.clone());
            }
        }
        dies
    }
}

impl std::fmt::Display for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {} at {:?}", self.seed, self.life.now.since(START))?;
        writeln!(f, "sent {:?} claims {:?}", self.sent, self.claims)?;
        writeln!(f, "{}", self.log.join("; "))?;
        write!(f, "{:#?}", self.life.state)
    }
}

#[test]
fn end_states_have_words() {
    assert_eq!(
        EndState::ALL.map(EndState::as_str).join(" "),
        "delivered sent failed expired rejected unknown"
    );
}
