//! Numbers that are being asked about: who wants to know one of them meanwhile waits for the same answer.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use table::Micros;
use tokio::sync::oneshot;

use super::{entry::Entry, memory::Mark};

/// Where somebody who waits hears of it.
pub(super) type Waits = oneshot::Receiver<Landed>;

/// What asking came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Landed {
    /// What is known now; `None` = nobody could be asked.
    pub(super) entry: Option<Entry>,
    /// What it cost; the first of those who wait bears it.
    pub(super) cost: Micros,
}

/// How somebody who wants to know about a number fares.
pub(super) enum Boarded {
    /// Has to ask, and waits.
    First(Ticket, Waits),
    /// Waits with others.
    Joined(Waits),
    /// Too many are asked about.
    Full,
}

/// Who asks about a number; a number that is asked about again has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) mark: Mark,
    turn: u64,
}

#[derive(Debug)]
pub(super) struct Flights {
    under_way: Mutex<UnderWay>,
    most: usize,
}

#[derive(Debug, Default)]
struct UnderWay {
    /// Looked up by key alone.
    flights: HashMap<Mark, Flight>,
    turn: u64,
}

#[derive(Debug)]
struct Flight {
    turn: u64,
    waiting: Vec<oneshot::Sender<Landed>>,
}

impl Flights {
    pub(super) fn new(most: usize) -> Self {
        Self {
            under_way: Mutex::default(),
            most,
        }
    }

    /// Waits for `mark`, in many cases with others.
    pub(super) fn board(&self, mark: Mark) -> Boarded {
        let mut under_way = self.lock();
        let (sender, receiver) = oneshot::channel();
        if let Some(flight) = under_way.flights.get_mut(&mark) {
            // Who gave up makes room for who comes; looked at seldom, as there may be many.
            if flight.waiting.len().is_power_of_two() {
                flight.waiting.retain(|other| !other.is_closed());
            }
            flight.waiting.push(sender);
            return Boarded::Joined(receiver);
        }
        match under_way.begin(mark, vec![sender], self.most) {
            Some(ticket) => Boarded::First(ticket, receiver),
            None => Boarded::Full,
        }
    }

    /// Says that `mark` is being asked about though nobody waits; `None` = it is already, or too many are.
    pub(super) fn begin(&self, mark: Mark) -> Option<Ticket> {
        let mut under_way = self.lock();
        if under_way.flights.contains_key(&mark) {
            return None;
        }
        under_way.begin(mark, Vec::new(), self.most)
    }

    /// Whether anybody still waits.
    pub(super) fn is_wanted(&self, ticket: Ticket) -> bool {
        let under_way = self.lock();
        let flight = under_way.flights.get(&ticket.mark);
        flight.is_some_and(|flight| flight.turn == ticket.turn && flight.waiting.iter().any(|other| !other.is_closed()))
    }

    /// Tells all who wait, and that the number is asked about no more. Does nothing the second time.
    pub(super) fn land(&self, ticket: Ticket, landed: Landed) {
        let waiting = self.lock().end(ticket);
        let mut cost = landed.cost;
        for sender in waiting {
            if sender.send(Landed { cost, ..landed }).is_ok() {
                cost = Micros(0);
            }
        }
    }

    /// Numbers that are being asked about.
    pub(super) fn len(&self) -> usize {
        self.lock().flights.len()
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    fn begin(&mut self, mark: Mark, waiting: Vec<oneshot::Sender<Landed>>, most: usize) -> Option<Ticket> {
        if self.flights.len() >= most {
            return None;
        }
        self.turn += 1;
        let turn = self.turn;
        self.flights.insert(mark, Flight { turn, waiting });
        Some(Ticket { mark, turn })
    }

    fn end(&mut self, ticket: Ticket) -> Vec<oneshot::Sender<Landed>> {
        let is_it = self
            .flights
            .get(&ticket.mark)
            .is_some_and(|flight| flight.turn == ticket.turn);
        if !is_it {
            return Vec::new();
        }
        self.flights
            .remove(&ticket.mark)
            .map_or_else(Vec::new, |flight| flight.waiting)
    }
}
