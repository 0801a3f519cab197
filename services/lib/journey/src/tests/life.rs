//! A message and a small language for what happens to it: `"1 next"`, `"2 accepted a b"`, `"r1.0 DELIVRD"`, `"timer"`.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    Actions, Attempt, Cause, DeadEnd, EndState, Event, Input, Known, Mask, Next, OnUnknown, Order, OrderAnswer,
    OrderNumber, Outcome, ReceiptRecord, State, Terms, Waiting, fold,
};
use sms::{
    AccountId, CarrierName, Class, Content, Encoding, Message, MessageId, Msisdn, Receipt, ReceiptFault, ReceiptState,
    RecordKey, Sender, UnixMs,
};

pub(super) const START: UnixMs = UnixMs(1_000_000);

/// One message on its way: its state, and who holds which claim.
#[derive(Clone)]
pub(super) struct Life {
    pub(super) message: Message,
    pub(super) terms: Terms,
    pub(super) state: Option<State>,
    pub(super) receipt: bool,
    pub(super) now: UnixMs,
    /// Whether the store was lost since the message was accepted.
    pub(super) in_doubt: bool,
    /// Orders a connector has claimed.
    pub(super) held: BTreeSet<OrderNumber>,
    /// Orders the router has claimed.
    pub(super) taken: BTreeSet<OrderNumber>,
    pub(super) history: Vec<Attempt>,
    /// What the last input asked for.
    pub(super) last: Actions,
    /// Everything published.
    pub(super) told: Vec<Event>,
}

impl Life {
    pub(super) fn new(class: Class) -> Self {
        let message = Message {
            id: MessageId(uuid::Uuid::from_u128(7)),
            account: AccountId::new("acme").unwrap(),
            key: RecordKey(7),
            from: Sender::new("ACME").unwrap(),
            to: Msisdn::new("33639980001").unwrap(),
            content: Content::Text("hello".into()),
            encoding: Encoding::Gsm7,
            segments: 1,
            class,
            accepted_at: START,
            ttl: None,
            receipt: true,
            reference: String::new(),
            copy_of: None,
            trace: None,
        };
        let terms = Terms {
            attempts_max: 3,
            deadline: START + Duration::from_secs(100),
            grace: Duration::from_secs(50),
            on_unknown: OnUnknown::of_class(class),
            receipt_within: None,
            spill_after: None,
        };
        Self {
            message,
            terms,
            state: None,
            receipt: true,
            now: START,
            in_doubt: false,
            held: BTreeSet::new(),
            taken: BTreeSet::new(),
            history: Vec::new(),
            last: Actions::default(),
            told: Vec::new(),
        }
    }

    pub(super) fn order(&self, number: u32) -> Order {
        Order {
            message: self.message.clone(),
            number: OrderNumber(number),
            carrier: CarrierName::new(&format!("c{number}")).unwrap(),
            network: String::new(),
            looked_up: None,
            price: None,
            mask: Mask::default(),
            receipt: self.receipt,
            terms: self.terms.clone(),
            table: "t1".into(),
            policy: String::new(),
            issued_at: START,
            attempts: self
                .history
                .iter()
                .filter(|attempt| attempt.number.0 < number)
                .cloned()
                .collect(),
        }
    }

    pub(super) fn input(&self, script: &str) -> Input {
        let (head, rest) = script.split_once(' ').unwrap_or((script, ""));
        if head == "timer" {
            return Input::Timer;
        }
        if let Some(place) = head.strip_prefix('r') {
            let (number, segment) = place.split_once('.').expect("rN.S");
            return receipt(
                &self.order(number.parse().unwrap()),
                segment.parse().unwrap(),
                rest,
                self.now,
            );
        }
        if let Some(number) = head.strip_prefix("dead") {
            return Input::DeadEnd(Box::new(DeadEnd {
                message: self.message.clone(),
                number: OrderNumber(number.parse().unwrap()),
                attempts: self.history.clone(),
                state: EndState::Rejected,
                cause: Cause::new("no_route", ""),
                table: "t1".into(),
                policy: String::new(),
            }));
        }
        if let Some(number) = head.strip_prefix("parked") {
            return Input::Parked(Box::new(Waiting {
                message: self.message.clone(),
                number: OrderNumber(number.parse().unwrap()),
                attempts: self.history.clone(),
                until: self.terms.deadline,
                deadline: self.terms.deadline,
                stay: None,
                again: true,
                look_again: false,
            }));
        }
        let returned = Box::new(self.order(head.parse().unwrap()));
        let cause = Cause::new("code", "detail");
        let mut words = rest.split(' ');
        let outcome = match words.next().unwrap() {
            "accepted" => Outcome::Accepted {
                remote_ids: words.map(str::to_owned).collect(),
            },
            "hold" => Outcome::Hold {
                retry_after: Duration::from_secs(words.next().unwrap().parse().unwrap()),
                cause,
            },
            "next" => Outcome::Next { cause },
            "late" => Outcome::Next {
                cause: Cause::new("deadline", ""),
            },
            "fail" => Outcome::Fail { cause },
            "down" => Outcome::LinkDown { cause },
            "unknown" => Outcome::Unknown { since: self.now },
            other => panic!("no outcome is called {other}"),
        };
        Input::Answered(Box::new(OrderAnswer {
            charge: None,
            order: returned.order_ref(),
            outcome,
            at: self.now,
            returned,
        }))
    }

    /// Folds `script` as a router does: claims are tried until no more are asked for.
    pub(super) fn hear(&mut self, script: &str) -> &mut Self {
        let input = self.input(script);
        self.hear_input(&input)
    }

    pub(super) fn hear_input(&mut self, input: &Input) -> &mut Self {
        let is_kept = self
            .state
            .as_ref()
            .is_some_and(|state| state.body.is_some() || state.ended.is_some());
        let mut known = Known {
            is_kept,
            in_doubt: self.in_doubt,
            ..Known::default()
        };
        loop {
            let (state, actions) = fold(self.state.clone(), input, self.now, &known);
            if let Some(number) = actions.claim {
                let is_won = !self.held.contains(&number);
                if is_won {
                    self.taken.insert(number);
                }
                assert!(
                    known.claims.insert(number, is_won).is_none(),
                    "asked twice for claim {number:?}"
                );
                continue;
            }
            if actions.keep {
                self.state = Some(state);
            }
            if let Some(next) = &actions.next {
                self.history = next.attempts.clone();
            }
            self.told.extend(actions.tell.clone());
            self.last = actions;
            return self;
        }
    }

    pub(super) fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = START + Duration::from_secs(seconds);
        self
    }

    /// Lets a connector claim an order.
    pub(super) fn claimed(&mut self, number: u32) -> &mut Self {
        self.held.insert(OrderNumber(number));
        self
    }

    pub(super) fn next(&self) -> Option<&Next> {
        self.last.next.as_deref()
    }

    pub(super) fn next_number(&self) -> Option<u32> {
        self.next().map(|next| next.number.0)
    }

    pub(super) fn end(&self) -> Option<(EndState, &str)> {
        let ended = self.state.as_ref()?.ended.as_ref()?;
        Some((ended.state, ended.cause.code.as_str()))
    }

    pub(super) fn timer(&self) -> Option<u64> {
        self.state.as_ref()?.timer.map(|at| (at.0 - START.0) / 1_000)
    }
}

/// A receipt by its SMPP word; the fault follows after it, handset if none.
fn receipt(order: &Order, segment: u8, words: &str, at: UnixMs) -> Input {
    let (word, fault) = words.split_once(' ').unwrap_or((words, "handset"));
    let state = match word {
        "ENROUTE" => ReceiptState::Enroute,
        "ACCEPTD" => ReceiptState::Accepted,
        "DELIVRD" => ReceiptState::Delivered,
        "EXPIRED" => ReceiptState::Expired,
        "DELETED" => ReceiptState::Deleted,
        "UNDELIV" => ReceiptState::Undeliverable,
        "REJECTD" => ReceiptState::Rejected,
        "UNKNOWN" => ReceiptState::Unknown,
        other => panic!("no receipt says {other}"),
    };
    let fault = match fault {
        "handset" => ReceiptFault::Handset,
        "route" => ReceiptFault::Route,
        "number" => ReceiptFault::Number,
        "recipient" => ReceiptFault::Recipient,
        other => panic!("no fault is called {other}"),
    };
    let receipt = Receipt {
        state,
        fault,
        raw: word.to_owned(),
        error: String::new(),
        done_at: None,
        vendor: Vec::new(),
    };
    Input::Receipt(Box::new(ReceiptRecord {
        order: order.order_ref(),
        segment,
        segments: None,
        receipt,
        at,
    }))
}
