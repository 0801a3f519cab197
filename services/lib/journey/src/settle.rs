//! What is to be done about a message, from everything known about it.

use std::time::Duration;

use sms::UnixMs;

use crate::{
    Actions, Input, Known, Next, OnUnknown, OrderNumber, Progress, State, Terms,
    ending::{end_badly, end_unanswered, end_well, without_content},
    standing::Standing,
};

/// How soon an order that should have ended is looked at again, when a connector holds it at the end of grace. Half of what a
/// message may end late by, as it ends the second time.
const RECHECK: Duration = Duration::from_secs(5);

/// Shortest wait after a hold.
const HOLD_MIN: Duration = Duration::from_millis(1);

/// What a fold knows beside the state.
pub(crate) struct Moment<'a> {
    pub(crate) now: UnixMs,
    pub(crate) known: &'a Known,
    /// The wait that the answer at hand asks for.
    pub(crate) hold: Option<Duration>,
    /// Whether an order that was called off may have been sent all the same, now and in every later fold until it is answered.
    pub(crate) may_be_sent: bool,
}

/// How the orders of a message stand, gathered in one pass.
pub(crate) struct View {
    pub(crate) delivered: Option<OrderNumber>,
    pub(crate) sent: Option<OrderNumber>,
    pub(crate) is_live: bool,
    pub(crate) is_open: bool,
    pub(crate) is_barred: bool,
    pub(crate) is_taken: bool,
    pub(crate) look_again: bool,
    pub(crate) spent: usize,
    pub(crate) in_flight: bool,
}

/// Brings `state` up to date after `input` was joined to it.
pub(crate) fn settle(mut state: State, input: &Input, moment: &Moment<'_>) -> (State, Actions) {
    let Some(body) = &state.body else {
        // Receipts without their message: they wait for the answer, which carries it.
        let keep = !state.orders.is_empty();
        return (
            state,
            Actions {
                keep,
                ..Actions::default()
            },
        );
    };
    let terms = body.terms.clone();
    let is_over = *input == Input::Timer && moment.now >= terms.deadline + terms.grace;
    if *input == Input::Timer {
        mark_silence(&mut state, &terms, moment.now);
    }
    spill(&mut state, &terms, moment);
    let view = View::of(&state, &terms);
    if view.delivered.is_some() || view.sent.is_some() {
        return end_well(state, &view, moment);
    }
    if view.in_flight {
        return in_flight(state, &view, input, moment, is_over);
    }
    if view.is_live && !is_over {
        return wait(
            state,
            &terms,
            moment.now,
            Actions {
                keep: true,
                ..Actions::default()
            },
        );
    }
    let dead_end = match input {
        Input::DeadEnd(dead_end) => Some(&**dead_end),
        _ => None,
    };
    if dead_end.is_none() && may_ask(&state, &view, &terms, moment) {
        return ask(state, &view, moment);
    }
    let is_waited_for = view.is_open || (moment.may_be_sent && terms.on_unknown == OnUnknown::Wait);
    if is_waited_for && !is_over {
        return wait(
            state,
            &terms,
            moment.now,
            Actions {
                keep: true,
                ..Actions::default()
            },
        );
    }
    let unsettled = (*input == Input::Timer).then(|| state.clone());
    let (state, actions) = end_badly(state, &view, dead_end, moment);
    match unsettled {
        // Somebody else may have what would be the next order: its answer ends the message, or the next look does.
        Some(state) if actions.claim.is_none() && actions.tell.is_none() => {
            if was_over(&state, &terms, moment.now) {
                return end_unanswered(state, &view, moment);
            }
            let keep = Actions {
                keep: true,
                ..Actions::default()
            };
            wait_again(state, &terms, moment.now, keep)
        }
        _ => (state, actions),
    }
}

impl View {
    fn of(state: &State, terms: &Terms) -> Self {
        let mut view = Self {
            delivered: None,
            sent: None,
            is_live: false,
            is_open: false,
            is_barred: false,
            is_taken: false,
            look_again: false,
            spent: 0,
            in_flight: state.is_in_flight(),
        };
        for (number, progress) in &state.orders {
            view.spent += usize::from(progress.asked.as_ref().is_some_and(|asked| asked.spent));
            view.look_again = false;
            view.is_taken |= progress.is_taken();
            match progress.standing(terms) {
                Standing::Delivered => view.delivered = view.delivered.or(Some(*number)),
                Standing::Sent => view.sent = view.sent.or(Some(*number)),
                Standing::Live => view.is_live = true,
                Standing::Open => view.is_open = true,
                Standing::Barred | Standing::Undeliverable | Standing::Unclear | Standing::Lost => {
                    view.is_barred = true;
                }
                Standing::NumberUnknown => view.look_again = true,
                Standing::Pending | Standing::Held | Standing::Refused | Standing::RouteFailed => {}
            }
        }
        view
    }
}

impl State {
    /// Whether an order was published, or waits to be, whose answer has not come.
    pub fn is_in_flight(&self) -> bool {
        self.issued > self.closed
            && self
                .orders
                .get(&self.issued)
                .is_none_or(|progress| progress.asked.is_none())
    }
}

impl State {
    /// Whether the order with this `number` needs not be published any more: it stands on the log, or all is over with it. Known
    /// of what stood there when the state was made again.
    pub fn has_ordered(&self, number: OrderNumber) -> bool {
        let is_asked = |progress: &Progress| progress.asked.is_some();
        self.ended.is_some()
            || number <= self.ordered
            || number < self.issued
            || self.orders.get(&number).is_some_and(is_asked)
    }

    /// Whether the last order from before a loss of the store was called off after it and never answered: whoever had it may
    /// have sent it and died with the store. What was called off before the loss was not sent.
    pub(crate) fn has_lost_track(&self) -> bool {
        let is_asked = |progress: &Progress| progress.asked.is_some();
        let (number, none) = (self.ordered, OrderNumber::default());
        none < number && number <= self.closed && !self.orders.get(&number).is_some_and(is_asked)
    }

    /// Whether the order in flight waits out the deadline unpublished.
    fn is_parked(&self) -> bool {
        self.is_in_flight() && self.parked == self.issued
    }
}

impl Progress {
    /// Whether the carrier may have it.
    fn is_taken(&self) -> bool {
        let sent = |outcome: &str| matches!(outcome, "accepted" | "unknown");
        !self.receipts.is_empty() || self.asked.as_ref().is_some_and(|asked| sent(&asked.answer.outcome))
    }
}

/// Gives up on orders whose receipt should have come by now, if another carrier could still be asked.
fn mark_silence(state: &mut State, terms: &Terms, now: UnixMs) {
    let Some(within) = terms.receipt_within else { return };
    let spent = spent_of(state);
    if spent >= terms.attempts_max as usize || now >= terms.deadline {
        return;
    }
    for progress in state.orders.values_mut() {
        if progress.standing(terms) == Standing::Live
            && progress
                .asked
                .as_ref()
                .is_some_and(|asked| asked.answer.at + within <= now)
        {
            progress.silent = true;
        }
    }
}

/// Turns a hold into a refusal that spends an attempt, where waiting would take longer than the route or the deadline
/// allows.
fn spill(state: &mut State, terms: &Terms, moment: &Moment<'_>) {
    let Some(hold) = moment.hold else { return };
    let Some((_, last)) = state.orders.iter().next_back() else {
        return;
    };
    if last.standing(terms) != Standing::Held {
        return;
    }
    let carrier = last.carrier.clone();
    let is_of_this_run = |progress: &&Progress| {
        progress.carrier == carrier
            && progress
                .asked
                .as_ref()
                .is_some_and(|asked| asked.answer.outcome == "hold")
    };
    let run = state.orders.values().rev().take_while(is_of_this_run);
    let since = run
        .filter_map(|progress| progress.asked.as_ref())
        .map(|asked| asked.issued_at)
        .min();
    let until = moment.now + hold;
    let is_too_long = terms
        .spill_after
        .is_some_and(|limit| until.since(since.unwrap_or(until)) > limit);
    if (is_too_long || until >= terms.deadline)
        && let Some((_, last)) = state.orders.iter_mut().next_back()
        && let Some(asked) = &mut last.asked
    {
        asked.spent = true;
    }
}

fn spent_of(state: &State) -> usize {
    state
        .orders
        .values()
        .filter(|progress| progress.asked.as_ref().is_some_and(|asked| asked.spent))
        .count()
}

fn may_ask(state: &State, view: &View, terms: &Terms, moment: &Moment<'_>) -> bool {
    let has_content = state.body.as_ref().is_some_and(|body| body.has_content);
    let has_attempts = view.spent < terms.attempts_max as usize;
    let is_dead_end = state.dead_end > state.highest_asked();
    // What was called off and may have been sent is an answer that never came.
    let is_unknown = moment.may_be_sent && terms.on_unknown != OnUnknown::Resend;
    has_content && has_attempts && !view.is_barred && !is_unknown && !is_dead_end && moment.now < terms.deadline
}

/// Asks the next carrier.
fn ask(mut state: State, view: &View, moment: &Moment<'_>) -> (State, Actions) {
    state.issued = state.issued.next();
    let next = next_order(&state, view, moment);
    let keep = moment.known.is_kept || view.is_taken;
    let terms = next.terms.clone();
    wait(
        state,
        &terms,
        moment.now,
        Actions {
            next: Some(Box::new(next)),
            keep,
            ..Actions::default()
        },
    )
}

fn next_order(state: &State, view: &View, moment: &Moment<'_>) -> Next {
    let body = state.body.as_ref().expect("settle returns early without a message");
    let last = state.orders.values().rev().find(|progress| progress.asked.is_some());
    let stay = last
        .filter(|last| last.standing(&body.terms) == Standing::Held)
        .map(|last| last.carrier.clone());
    Next {
        message: body.message.clone(),
        number: state.issued,
        attempts: state.attempts(),
        terms: body.terms.clone(),
        // A wait of nothing would go round between router and connector at full speed.
        after: moment
            .hold
            .filter(|_| stay.is_some())
            .map_or(Duration::ZERO, |hold| hold.max(HOLD_MIN)),
        stay,
        look_again: view.look_again,
    }
}

/// An order is out and not answered: calls it off if an earlier one turned out to be taken, else lets it be.
fn in_flight(state: State, view: &View, input: &Input, moment: &Moment<'_>, is_over: bool) -> (State, Actions) {
    let terms = state
        .body
        .as_ref()
        .map(|body| body.terms.clone())
        .expect("settle returns early without a message");
    let is_heard = state.orders.contains_key(&state.issued);
    let mut actions = Actions {
        keep: true,
        ..Actions::default()
    };
    let is_expired = *input == Input::Timer && state.is_parked() && moment.now >= terms.deadline;
    if (view.is_live || is_over || is_expired) && !is_heard {
        if !moment.known.claims.contains_key(&state.issued) {
            return (
                state.clone(),
                Actions {
                    claim: Some(state.issued),
                    ..actions
                },
            );
        }
        if is_over && was_over(&state, &terms, moment.now) {
            return end_unanswered(state, view, moment);
        }
        // Won, it would not be in flight: a connector has it. Counted once, when the late answer comes.
        actions.is_duplicate = view.is_live && matches!(input, Input::Answered(_));
    } else if is_over && is_heard && was_over(&state, &terms, moment.now) {
        return end_unanswered(state, view, moment);
    } else if is_repeat(&state, input, moment.now) {
        actions.next = Some(Box::new(next_order(&state, view, moment)));
    }
    if *input == Input::Timer {
        wait_again(state, &terms, moment.now, actions)
    } else {
        wait(state, &terms, moment.now, actions)
    }
}

/// Whether `state` was looked at after the end of grace before, and its time has come again: an answer that had not come by
/// then, and has not since, was lost on its way, and comes no more.
fn was_over(state: &State, terms: &Terms, now: UnixMs) -> bool {
    let end = terms.deadline + terms.grace;
    state.timer.is_some_and(|again| end < again && again <= now)
}

/// Whether `input` is what led to the order in flight, so that whoever handled it first may have died before publishing. What is
/// known to stand on the log was published.
fn is_repeat(state: &State, input: &Input, now: UnixMs) -> bool {
    let last = state.highest_asked();
    let can_be_made = state.body.as_ref().is_some_and(|body| body.has_content);
    let leads = match input {
        Input::Answered(answer) => answer.order.number == last,
        Input::Receipt(receipt) => receipt.order.number == last,
        // A timer that fires before its time was left in place because its step was not confirmed.
        Input::Timer => state.timer.is_some_and(|timer| now < timer),
        Input::DeadEnd(_) | Input::Parked(_) => false,
    };
    can_be_made && leads && !state.orders.contains_key(&state.issued) && state.ordered < state.issued
}

/// Sets the timer and drops content that cannot be needed any more. Silence counts before the deadline only: after it nobody
/// else is asked, and a timer for it would be due at once, over and over.
fn wait(mut state: State, terms: &Terms, now: UnixMs, actions: Actions) -> (State, Actions) {
    let end = terms.deadline + terms.grace;
    let may_fail_over = spent_of(&state) < terms.attempts_max as usize;
    let silence = terms
        .receipt_within
        .filter(|_| may_fail_over && !state.is_in_flight() && now < terms.deadline)
        .and_then(|within| {
            let live = state
                .orders
                .values()
                .filter(|progress| progress.standing(terms) == Standing::Live);
            let silent_at = live
                .filter_map(|progress| progress.asked.as_ref())
                .map(|asked| asked.answer.at + within);
            silent_at.filter(|at| *at < terms.deadline).min()
        });
    let parked = state.is_parked().then_some(terms.deadline);
    state.timer = [silence, parked, Some(end)].into_iter().flatten().min();
    if let Some(body) = &mut state.body
        && !may_fail_over
    {
        body.has_content = false;
        body.message = without_content(&body.message);
    }
    (state, actions)
}

/// `state` with its timer set from what it knows, at no time in particular; without a message there is none.
pub(crate) fn timer_of(state: State) -> State {
    match state.body.as_ref().map(|body| body.terms.clone()) {
        Some(terms) => wait(state, &terms, UnixMs::default(), Actions::default()).0,
        None => state,
    }
}

/// As `wait`, but looks again soon if the time has come and a connector still holds an order. Who looks early puts nothing off.
fn wait_again(state: State, terms: &Terms, now: UnixMs, actions: Actions) -> (State, Actions) {
    let planned = state.timer.filter(|timer| *timer > now);
    let (mut state, actions) = wait(state, terms, now, actions);
    let is_past = state.timer.is_some_and(|timer| timer <= now);
    if is_past {
        let soon = now + RECHECK;
        state.timer = Some(planned.map_or(soon, |timer| timer.min(soon)));
    }
    (state, actions)
}
