//! One value of each kind with everything in it, and one with as little as there can be.

use super::*;

mod tables;
mod words;

/// A value.
pub(super) struct Sample {
    pub(super) name: &'static str,
    /// As this version writes it.
    pub(super) octets: Bytes,
    /// Fails unless octets mean this value.
    pub(super) means: Box<dyn Fn(&Bytes)>,
    /// Fails unless octets can be read.
    pub(super) reads: Box<dyn Fn(&Bytes)>,
}

impl Sample {
    fn new<T, E>(
        name: &'static str,
        value: T,
        write: impl Fn(&T) -> Bytes,
        read: impl Fn(&Bytes) -> Result<T, E> + Clone + 'static,
    ) -> Self
    where
        T: std::fmt::Debug + PartialEq + 'static,
        E: std::fmt::Debug + 'static,
    {
        let (octets, again) = (write(&value), read.clone());
        Self {
            name,
            octets,
            means: Box::new(move |octets| assert_eq!(read(octets).unwrap(), value, "{name}")),
            reads: Box::new(move |octets| drop(again(octets).unwrap())),
        }
    }
}

/// All of them.
pub(super) fn all() -> Vec<Sample> {
    let mut all = messages();
    all.extend(answers());
    all.extend(receipts());
    all.extend(waits());
    all.extend(states());
    all.extend(events());
    all.extend(words::words());
    all.extend(words::inbounds());
    all.extend(words::others());
    all.extend(tables::tables());
    all
}

fn id(number: u128) -> MessageId {
    MessageId(uuid::Uuid::from_u128(number))
}

fn name(name: &str) -> CarrierName {
    CarrierName::new(name).unwrap()
}

/// With everything in it.
fn full() -> Message {
    Message {
        id: id(0x0190_0000_0000_7000_8000_0000_0000_0001),
        account: AccountId::new("acme").unwrap(),
        key: RecordKey(0x0123_4567_89AB_CDEF),
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new("447700900123").unwrap(),
        content: Content::Text("Grüße, your code is 123456".to_owned()),
        encoding: Encoding::Gsm7,
        segments: 2,
        class: Class::Otp,
        accepted_at: UnixMs(1_767_225_600_000),
        ttl: Some(Duration::from_secs(120)),
        receipt: true,
        reference: "order 17".to_owned(),
        copy_of: Some(id(7)),
        trace: None,
    }
}

fn traced() -> Option<Box<TraceContext>> {
    let octets: Vec<u8> = (1..=24).collect();
    TraceContext::from_octets(&octets).map(Box::new)
}

/// With as little as there can be.
fn bare() -> Message {
    Message {
        content: Content::Binary {
            data: Bytes::from_static(&[0, 255]),
            header: None,
        },
        encoding: Encoding::Binary,
        segments: 1,
        class: Class::Promotional,
        ttl: None,
        receipt: false,
        reference: String::new(),
        copy_of: None,
        ..full()
    }
}

fn price() -> Price {
    Price {
        unit_micros: 41_000,
        currency: "EUR".to_owned(),
        cost_micros: 82_000,
    }
}

fn origin() -> Box<NetworkOrigin> {
    Box::new(NetworkOrigin {
        source: "hlr".to_owned(),
        provider: "north".to_owned(),
        ported: Some(true),
        is_sure: true,
        cost_micros: 3_000,
        asked_at: UnixMs(1_767_225_600_010),
    })
}

fn charge() -> Box<Charge> {
    Box::new(Charge {
        segments: 2,
        cost_micros: Some(80_000),
        currency: "EUR".to_owned(),
        network: "23415".to_owned(),
    })
}

fn receipt() -> Receipt {
    Receipt {
        state: ReceiptState::Undeliverable,
        fault: ReceiptFault::Route,
        raw: "UNDELIV".to_owned(),
        error: "021".to_owned(),
        done_at: Some(UnixMs(1_767_225_660_000)),
        vendor: vec![VendorField {
            tag: 0x1401,
            value: vec![1, 2],
        }],
    }
}

fn heard() -> SegmentReceipt {
    SegmentReceipt {
        segment: 1,
        receipt: receipt(),
        at: UnixMs(1_767_225_661_000),
    }
}

fn attempt() -> Attempt {
    Attempt {
        number: OrderNumber(1),
        carrier: name("atlas"),
        network: "23415".to_owned(),
        looked_up: Some(origin()),
        price: Some(price()),
        table: "3f6c".to_owned(),
        policy: "otp-gb".to_owned(),
        issued_at: UnixMs(1_767_225_600_020),
        answer: Answer {
            outcome: "accepted".to_owned(),
            code: "0".to_owned(),
            detail: "taken".to_owned(),
            at: UnixMs(1_767_225_600_050),
            charge: Some(charge()),
        },
        spent: true,
        remote_ids: vec!["a1".to_owned(), "a2".to_owned()],
        receipts: vec![heard()],
    }
}

fn terms() -> Terms {
    Terms {
        attempts_max: 3,
        deadline: UnixMs(1_767_225_720_000),
        grace: Duration::from_secs(60),
        on_unknown: OnUnknown::Resend,
        receipt_within: Some(Duration::from_secs(20)),
        spill_after: Some(Duration::from_secs(2)),
    }
}

fn order() -> Order {
    Order {
        message: full(),
        number: OrderNumber(2),
        carrier: name("borealis"),
        network: "23415".to_owned(),
        looked_up: Some(origin()),
        price: Some(price()),
        mask: Mask {
            from: Some(Sender::new("ACME-GB").unwrap()),
            to: Some(Msisdn::new("447700900124").unwrap()),
            content: Some((Content::Text("Code 123456".to_owned()), Encoding::Gsm7, 1)),
        },
        receipt: true,
        terms: terms(),
        table: "3f6c".to_owned(),
        policy: "otp-gb".to_owned(),
        issued_at: UnixMs(1_767_225_601_000),
        attempts: vec![attempt()],
    }
}

fn bare_order() -> Order {
    Order {
        message: bare(),
        number: OrderNumber(1),
        network: String::new(),
        looked_up: None,
        price: None,
        mask: Mask {
            from: None,
            to: None,
            content: None,
        },
        receipt: false,
        terms: Terms {
            on_unknown: OnUnknown::Fail,
            receipt_within: None,
            spill_after: None,
            ..terms()
        },
        policy: String::new(),
        attempts: Vec::new(),
        ..order()
    }
}

fn order_ref() -> OrderRef {
    order().order_ref()
}

fn messages() -> Vec<Sample> {
    let mark = KeyMark {
        key_hash: [3; 32],
        digest: [4; 32],
    };
    vec![
        Sample::new("accepted", full(), accepted_to_bytes, accepted_from_bytes),
        Sample::new(
            "accepted.traced",
            Message {
                trace: traced(),
                ..full()
            },
            accepted_to_bytes,
            accepted_from_bytes,
        ),
        Sample::new("accepted.bare", bare(), accepted_to_bytes, accepted_from_bytes),
        Sample::new(
            "accepted.key",
            (full(), Some(mark)),
            |(message, mark)| accepted_with_key_to_bytes(message, mark.as_ref().unwrap()),
            accepted_with_key_from_bytes,
        ),
        Sample::new("order", order(), order_to_bytes, order_from_bytes),
        Sample::new("order.bare", bare_order(), order_to_bytes, order_from_bytes),
    ]
}

fn answers() -> Vec<Sample> {
    let cause = || Cause {
        code: "throttled".to_owned(),
        detail: "ESME_RTHROTTLED".to_owned(),
    };
    let outcomes = [
        (
            "outcome.hold",
            Outcome::Hold {
                retry_after: Duration::from_secs(3),
                cause: cause(),
            },
        ),
        ("outcome.next", Outcome::Next { cause: cause() }),
        ("outcome.fail", Outcome::Fail { cause: cause() }),
        ("outcome.link_down", Outcome::LinkDown { cause: cause() }),
        (
            "outcome.unknown",
            Outcome::Unknown {
                since: UnixMs(1_767_225_602_000),
            },
        ),
    ];
    let answer = |outcome: Outcome, returned: Order, charge: Option<Box<Charge>>| OrderAnswer {
        order: returned.order_ref(),
        outcome,
        at: UnixMs(1_767_225_603_000),
        returned: Box::new(returned),
        charge,
    };
    let mut taken = order();
    taken.mask.content = None;
    let remote_ids = vec!["b1".to_owned(), "b2".to_owned()];
    let taken = answer(Outcome::Accepted { remote_ids }, taken, Some(charge()));
    let mut all = vec![Sample::new(
        "outcome.accepted",
        taken,
        outcome_to_bytes,
        outcome_from_bytes,
    )];
    let others = outcomes.into_iter().map(|(name, outcome)| {
        let answer = answer(outcome, order(), None);
        Sample::new(name, answer, outcome_to_bytes, outcome_from_bytes)
    });
    all.extend(others);
    all
}

fn receipts() -> Vec<Sample> {
    let record = |segments| ReceiptRecord {
        order: order_ref(),
        segment: 1,
        segments,
        receipt: receipt(),
        at: UnixMs(1_767_225_661_000),
    };
    let unmatched = |party| Unmatched {
        carrier: name("atlas"),
        remote_id: "a9".to_owned(),
        receipt: receipt(),
        first_seen: UnixMs(1_767_225_661_000),
        party,
    };
    let correlation = Correlation {
        order: order_ref(),
        segment: 1,
        segments: 2,
        trace: None,
    };
    vec![
        Sample::new("receipt", record(Some(2)), receipt_to_bytes, receipt_from_bytes),
        Sample::new("receipt.bare", record(None), receipt_to_bytes, receipt_from_bytes),
        Sample::new(
            "unmatched",
            unmatched(Some(99)),
            unmatched_to_bytes,
            unmatched_from_bytes,
        ),
        Sample::new(
            "unmatched.bare",
            unmatched(None),
            unmatched_to_bytes,
            unmatched_from_bytes,
        ),
        Sample::new(
            "correlation.traced",
            Correlation {
                trace: traced(),
                ..correlation.clone()
            },
            correlation_to_bytes,
            correlation_from_bytes,
        ),
        Sample::new("correlation", correlation, correlation_to_bytes, correlation_from_bytes),
    ]
}

fn waits() -> Vec<Sample> {
    const PUT_AT: UnixMs = UnixMs(1_767_225_604_000);
    let waiting = Waiting {
        message: full(),
        number: OrderNumber(2),
        attempts: vec![attempt()],
        until: UnixMs(1_767_225_609_000),
        deadline: UnixMs(1_767_225_720_000),
        stay: Some(name("atlas")),
        again: true,
        look_again: true,
    };
    let receipt = Delayed::Receipt {
        receipt: Unmatched {
            carrier: name("atlas"),
            remote_id: "a9".to_owned(),
            receipt: receipt(),
            first_seen: UnixMs(1_767_225_661_000),
            party: Some(99),
        },
        key: RecordKey(5),
        waited: Duration::from_millis(5_000),
    };
    let read = |octets: &Bytes| delayed_from_bytes(octets, RecordKey(5));
    let message = Delayed::Message(Box::new(waiting));
    vec![
        Sample::new(
            "delayed.message",
            message,
            |delayed| delayed_to_bytes(delayed, PUT_AT),
            read,
        ),
        Sample::new(
            "delayed.receipt",
            receipt,
            |delayed| delayed_to_bytes(delayed, PUT_AT),
            read,
        ),
    ]
}

fn ended() -> TerminalEvent {
    TerminalEvent {
        message: Message {
            content: Content::Text(String::new()),
            ..full()
        },
        state: EndState::Failed,
        cause: Cause {
            code: "undeliverable".to_owned(),
            detail: "021".to_owned(),
        },
        ended_at: UnixMs(1_767_225_662_000),
        carrier: Some(name("atlas")),
        table: "3f6c".to_owned(),
        policy: "otp-gb".to_owned(),
        attempts: vec![attempt()],
    }
}

fn states() -> Vec<Sample> {
    let asked = attempt();
    let progress = Progress {
        carrier: asked.carrier,
        asked: Some(Asked {
            network: asked.network,
            looked_up: asked.looked_up,
            price: asked.price,
            table: asked.table,
            policy: asked.policy,
            issued_at: asked.issued_at,
            answer: asked.answer,
            spent: asked.spent,
            remote_ids: asked.remote_ids,
            receipt: true,
        }),
        receipts: BTreeMap::from([(1, heard())]),
        segments: 2,
        silent: true,
    };
    let full = State {
        body: Some(Body {
            message: full(),
            has_content: true,
            terms: terms(),
        }),
        orders: BTreeMap::from([(OrderNumber(1), progress)]),
        issued: OrderNumber(4),
        closed: OrderNumber(3),
        dead_end: OrderNumber(2),
        parked: OrderNumber(1),
        ordered: OrderNumber(4),
        timer: Some(UnixMs(1_767_225_720_000)),
        ended: Some(Arc::new(ended())),
    };
    let bare = State {
        body: None,
        orders: BTreeMap::new(),
        issued: OrderNumber(0),
        closed: OrderNumber(0),
        dead_end: OrderNumber(0),
        parked: OrderNumber(0),
        ordered: OrderNumber(0),
        timer: None,
        ended: None,
    };
    vec![
        Sample::new("state", full, state_to_bytes, state_from_bytes),
        Sample::new("state.bare", bare, state_to_bytes, state_from_bytes),
    ]
}

fn events() -> Vec<Sample> {
    let late = LateReceipt {
        order: order_ref(),
        receipt: heard(),
        account: AccountId::new("acme").unwrap(),
        reference: "order 17".to_owned(),
        ended: EndState::Unknown,
        copy_of: Some(id(7)),
    };
    let bare = TerminalEvent {
        message: Message {
            content: Content::Text(String::new()),
            ..bare()
        },
        state: EndState::Rejected,
        carrier: None,
        table: String::new(),
        policy: String::new(),
        attempts: Vec::new(),
        ..ended()
    };
    let ended = |event| Event::Ended(Arc::new(event));
    vec![
        Sample::new("event.ended", ended(self::ended()), event_to_bytes, event_from_bytes),
        Sample::new("event.ended.bare", ended(bare), event_to_bytes, event_from_bytes),
        Sample::new(
            "event.late",
            Event::Late(Box::new(late)),
            event_to_bytes,
            event_from_bytes,
        ),
    ]
}
