//! Round trips of every record over random values, and refusals that name the field.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use journey::{
    Answer, Asked, Attempt, Body, Cause, Charge, EndState, LateReceipt, Mask, NetworkOrigin, OnUnknown, OrderNumber,
    OrderRef, Outcome, Price, Progress, SegmentReceipt, TerminalEvent, Terms, Waiting,
};
use proptest::{collection::vec, option, prelude::*};
use sms::{
    AccountId, CarrierName, Class, Content, Encoding, MessageId, Msisdn, Receipt, ReceiptFault, ReceiptState, Sender,
    TraceContext, UnixMs, VendorField,
};

use super::*;
use prost::Message as _;

mod golden;

fn instant() -> impl Strategy<Value = UnixMs> {
    any::<u64>().prop_map(UnixMs)
}

fn span() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_millis)
}

fn carrier() -> impl Strategy<Value = CarrierName> {
    "[a-z0-9-]{1,32}".prop_map(|name| CarrierName::new(&name).unwrap())
}

fn number() -> impl Strategy<Value = OrderNumber> {
    any::<u32>().prop_map(OrderNumber)
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Gsm7), Just(Encoding::Ucs2), Just(Encoding::Binary)]
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        ".*".prop_map(Content::Text),
        (vec(any::<u8>(), 0..50), option::of(vec(any::<u8>(), 1..9))).prop_map(|(data, header)| Content::Binary {
            data: data.into(),
            header: header.map(Bytes::from)
        }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let who = (
        any::<u128>(),
        "[a-z0-9._-]{1,64}",
        any::<u64>(),
        "[A-Za-z0-9 ]{1,11}",
        "[0-9]{3,15}",
    );
    let what = (
        content(),
        encoding(),
        any::<u8>(),
        proptest::sample::select(Class::ALL.to_vec()),
    );
    let rest = (
        instant(),
        option::of(span()),
        any::<bool>(),
        ".*",
        (original(), trace()),
    );
    (who, what, rest).prop_map(
        |((id, account, key, from, to), (content, encoding, segments, class), rest)| {
            let (accepted_at, ttl, receipt, reference, (copy_of, trace)) = rest;
            Message {
                id: MessageId(uuid::Uuid::from_u128(id)),
                account: AccountId::new(&account).unwrap(),
                key: RecordKey(key),
                from: Sender::new(&from).unwrap(),
                to: Msisdn::new(&to).unwrap(),
                content,
                encoding,
                segments,
                class,
                accepted_at,
                ttl,
                receipt,
                reference,
                copy_of,
                trace,
            }
        },
    )
}

fn trace() -> impl Strategy<Value = Option<Box<TraceContext>>> {
    let context = |octets: [u8; 24]| TraceContext::from_octets(&octets).map(Box::new);
    option::of(any::<[u8; 24]>()).prop_map(move |octets| octets.and_then(context))
}

fn original() -> impl Strategy<Value = Option<MessageId>> {
    option::of(any::<u128>().prop_map(|id| MessageId(uuid::Uuid::from_u128(id))))
}

fn without_content() -> impl Strategy<Value = Message> {
    message().prop_map(|message| Message {
        content: Content::Text(String::new()),
        ..message
    })
}

fn price() -> impl Strategy<Value = Price> {
    (any::<i64>(), ".*", any::<i64>()).prop_map(|(unit_micros, currency, cost_micros)| Price {
        unit_micros,
        currency,
        cost_micros,
    })
}

fn receipt() -> impl Strategy<Value = Receipt> {
    use ReceiptState::{Accepted, Deleted, Delivered, Enroute, Expired, Rejected, Undeliverable, Unknown};
    let states = vec![
        Enroute,
        Accepted,
        Delivered,
        Expired,
        Deleted,
        Undeliverable,
        Rejected,
        Unknown,
    ];
    let faults = vec![
        ReceiptFault::Handset,
        ReceiptFault::Route,
        ReceiptFault::Number,
        ReceiptFault::Recipient,
    ];
    let what = (proptest::sample::select(states), proptest::sample::select(faults));
    let vendor = (any::<u16>(), vec(any::<u8>(), 0..4)).prop_map(|(tag, value)| VendorField { tag, value });
    (what, ".*", ".*", option::of(instant()), vec(vendor, 0..3)).prop_map(
        |((state, fault), raw, error, done_at, vendor)| Receipt {
            state,
            fault,
            raw,
            error,
            done_at,
            vendor,
        },
    )
}

fn heard() -> impl Strategy<Value = SegmentReceipt> {
    (any::<u8>(), receipt(), instant()).prop_map(|(segment, receipt, at)| SegmentReceipt { segment, receipt, at })
}

fn answer() -> impl Strategy<Value = Answer> {
    (".*", ".*", ".*", instant(), option::of(charge())).prop_map(|(outcome, code, detail, at, charge)| Answer {
        outcome,
        code,
        detail,
        at,
        charge,
    })
}

fn charge() -> impl Strategy<Value = Box<Charge>> {
    (any::<u8>(), any::<Option<i64>>(), ".*", ".*").prop_map(|(segments, cost_micros, currency, network)| {
        Box::new(Charge {
            segments,
            cost_micros,
            currency,
            network,
        })
    })
}

fn looked_up() -> impl Strategy<Value = Box<NetworkOrigin>> {
    (
        ".*",
        ".*",
        option::of(any::<bool>()),
        any::<bool>(),
        any::<i64>(),
        instant(),
    )
        .prop_map(|(source, provider, ported, is_sure, cost_micros, asked_at)| {
            Box::new(NetworkOrigin {
                source,
                provider,
                ported,
                is_sure,
                cost_micros,
                asked_at,
            })
        })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let network = (".*", option::of(looked_up()));
    let asked = (number(), carrier(), network, option::of(price()), ".*", ".*", instant());
    (asked, answer(), any::<bool>(), vec(".*", 0..3), vec(heard(), 0..3)).prop_map(
        |((number, carrier, network, price, table, policy, issued_at), answer, spent, remote_ids, receipts)| Attempt {
            number,
            carrier,
            network: network.0,
            looked_up: network.1,
            price,
            table,
            policy,
            issued_at,
            answer,
            spent,
            remote_ids,
            receipts,
        },
    )
}

fn terms() -> impl Strategy<Value = Terms> {
    let on_unknown = prop_oneof![Just(OnUnknown::Resend), Just(OnUnknown::Wait), Just(OnUnknown::Fail)];
    (
        any::<u32>(),
        instant(),
        span(),
        on_unknown,
        option::of(span()),
        option::of(span()),
    )
        .prop_map(
            |(attempts_max, deadline, grace, on_unknown, receipt_within, spill_after)| Terms {
                attempts_max,
                deadline,
                grace,
                on_unknown,
                receipt_within,
                spill_after,
            },
        )
}

fn mask() -> impl Strategy<Value = Mask> {
    (
        option::of("[A-Za-z]{1,11}"),
        option::of("[0-9]{3,15}"),
        option::of((content(), encoding(), any::<u8>())),
    )
        .prop_map(|(from, to, content)| Mask {
            from: from.map(|from| Sender::new(&from).unwrap()),
            to: to.map(|to| Msisdn::new(&to).unwrap()),
            content,
        })
}

fn order() -> impl Strategy<Value = Order> {
    let asked = (
        message(),
        number(),
        carrier(),
        (".*", option::of(looked_up())),
        option::of(price()),
        mask(),
        any::<bool>(),
    );
    (asked, terms(), ".*", ".*", instant(), vec(attempt(), 0..3)).prop_map(
        |((message, number, carrier, network, price, mask, receipt), terms, table, policy, issued_at, attempts)| {
            Order {
                message,
                number,
                carrier,
                network: network.0,
                looked_up: network.1,
                price,
                mask,
                receipt,
                terms,
                table,
                policy,
                issued_at,
                attempts,
            }
        },
    )
}

fn cause() -> impl Strategy<Value = Cause> {
    (".*", ".*").prop_map(|(code, detail)| Cause { code, detail })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        vec(".*", 0..4).prop_map(|remote_ids| Outcome::Accepted { remote_ids }),
        (span(), cause()).prop_map(|(retry_after, cause)| Outcome::Hold { retry_after, cause }),
        cause().prop_map(|cause| Outcome::Next { cause }),
        cause().prop_map(|cause| Outcome::Fail { cause }),
        cause().prop_map(|cause| Outcome::LinkDown { cause }),
        instant().prop_map(|since| Outcome::Unknown { since }),
    ]
}

fn order_ref() -> impl Strategy<Value = OrderRef> {
    (any::<u128>(), any::<u64>(), number(), carrier()).prop_map(|(id, key, number, carrier)| OrderRef {
        message: MessageId(uuid::Uuid::from_u128(id)),
        key: RecordKey(key),
        number,
        carrier,
    })
}

fn unmatched() -> impl Strategy<Value = Unmatched> {
    (carrier(), ".*", receipt(), instant(), option::of(any::<u64>())).prop_map(
        |(carrier, remote_id, receipt, first_seen, party)| Unmatched {
            carrier,
            remote_id,
            receipt,
            first_seen,
            party,
        },
    )
}

fn progress() -> impl Strategy<Value = (OrderNumber, Progress)> {
    let asked = (attempt(), any::<bool>()).prop_map(|(attempt, receipt)| Asked {
        network: attempt.network,
        looked_up: attempt.looked_up,
        price: attempt.price,
        table: attempt.table,
        policy: attempt.policy,
        issued_at: attempt.issued_at,
        answer: attempt.answer,
        spent: attempt.spent,
        remote_ids: attempt.remote_ids,
        receipt,
    });
    (
        number(),
        carrier(),
        option::of(asked),
        vec(heard(), 0..4),
        any::<u8>(),
        any::<bool>(),
    )
        .prop_map(|(number, carrier, asked, heard, segments, silent)| {
            let receipts: BTreeMap<_, _> = heard.into_iter().map(|heard| (heard.segment, heard)).collect();
            (
                number,
                Progress {
                    carrier,
                    asked,
                    receipts,
                    segments,
                    silent,
                },
            )
        })
}

fn terminal() -> impl Strategy<Value = TerminalEvent> {
    let decided = (option::of(carrier()), ".*", ".*");
    let state = proptest::sample::select(EndState::ALL.to_vec());
    (
        without_content(),
        state,
        cause(),
        instant(),
        decided,
        vec(attempt(), 0..3),
    )
        .prop_map(
            |(message, state, cause, ended_at, (carrier, table, policy), attempts)| TerminalEvent {
                message,
                state,
                cause,
                ended_at,
                carrier,
                table,
                policy,
                attempts,
            },
        )
}

fn state() -> impl Strategy<Value = State> {
    let body = prop_oneof![
        (message(), terms()).prop_map(|(message, terms)| Body {
            message,
            has_content: true,
            terms
        }),
        (without_content(), terms()).prop_map(|(message, terms)| Body {
            message,
            has_content: false,
            terms
        }),
    ];
    let orders = vec(progress(), 0..3).prop_map(|orders| orders.into_iter().collect());
    let rest = (
        (number(), number(), number(), number(), number()),
        option::of(instant()),
        option::of(terminal().prop_map(Arc::new)),
    );
    (option::of(body), orders, rest).prop_map(|(body, orders, (numbers, timer, ended))| {
        let (issued, closed, dead_end, parked, ordered) = numbers;
        State {
            body,
            orders,
            issued,
            closed,
            dead_end,
            parked,
            ordered,
            timer,
            ended,
        }
    })
}

fn event() -> impl Strategy<Value = Event> {
    let ended = proptest::sample::select(EndState::ALL.to_vec());
    let late = (order_ref(), heard(), "[a-z]{1,64}", ".*", ended, original()).prop_map(
        |(order, receipt, account, reference, ended, copy_of)| LateReceipt {
            order,
            receipt,
            account: AccountId::new(&account).unwrap(),
            reference,
            ended,
            copy_of,
        },
    );
    prop_oneof![
        terminal().prop_map(|event| Event::Ended(Arc::new(event))),
        late.prop_map(|event| Event::Late(Box::new(event)))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_come_back(message in message()) {
        prop_assert_eq!(accepted_from_bytes(&accepted_to_bytes(&message)), Ok(message));
    }

    #[test]
    fn orders_come_back(order in order()) {
        prop_assert_eq!(order_from_bytes(&order_to_bytes(&order)), Ok(order));
    }

    #[test]
    fn answers_come_back_without_what_is_no_longer_needed(
        (order, outcome, at) in (order(), outcome(), instant()),
        charge in option::of(charge()),
    ) {
        let charge = charge.filter(|_| matches!(outcome, Outcome::Accepted { .. }));
        let answer = OrderAnswer { order: order.order_ref(), outcome, at, returned: Box::new(order), charge };
        let mut expected = answer.clone();
        if matches!(answer.outcome, Outcome::Accepted { .. }) {
            expected.returned.mask.content = None;
            if !answer.returned.may_fail_over() {
                expected.returned.message.content = Content::Text(String::new());
            }
        }
        prop_assert_eq!(outcome_from_bytes(&outcome_to_bytes(&answer)), Ok(expected));
    }

    #[test]
    fn receipts_come_back(
        (order, segment, segments) in (order_ref(), any::<u8>(), option::of(1_u8..)), receipt in receipt(), at in instant(),
        trace in trace(),
    ) {
        let record = ReceiptRecord { order: order.clone(), segment, segments, receipt, at };
        prop_assert_eq!(receipt_from_bytes(&receipt_to_bytes(&record)), Ok(record));
        let correlation = Correlation { order, segment, segments: segments.unwrap_or(1), trace };
        prop_assert_eq!(correlation_from_bytes(&correlation_to_bytes(&correlation)), Ok(correlation));
    }

    #[test]
    fn what_is_known_of_numbers_comes_back(
        (network, provider) in ("[0-9]{0,6}", "[a-z0-9-]{0,32}"),
        (ported, roaming) in (any::<Option<bool>>(), any::<Option<bool>>()),
        reach in prop_oneof![
            Just(HandsetReach::Unknown), Just(HandsetReach::Connected), Just(HandsetReach::Absent), Just(HandsetReach::Dead),
        ],
        (asked_at, expires_at, reach_until) in any::<(u32, u32, u32)>(),
    ) {
        let known = LookedUp { network, ported, reach, roaming, provider, asked_at, expires_at, reach_until };
        prop_assert_eq!(LookedUp::from_bytes(&known.to_bytes()), Ok(known));
    }

    #[test]
    fn what_waits_comes_back(
        (message, number, attempts) in (message(), number(), vec(attempt(), 0..3)),
        (until, deadline, stay) in (instant(), instant(), option::of(carrier())),
        (again, look_again) in any::<(bool, bool)>(),
        (receipt, key, waited) in (unmatched(), any::<u64>(), any::<u32>()),
    ) {
        let waiting = Waiting { message, number, attempts, until, deadline, stay, again, look_again };
        let message = Delayed::Message(Box::new(waiting));
        prop_assert_eq!(unmatched_from_bytes(&unmatched_to_bytes(&receipt)), Ok(receipt.clone()));
        let waited = Duration::from_millis(waited.into());
        let receipt = Delayed::Receipt { receipt, key: RecordKey(key), waited };
        for delayed in [message, receipt] {
            let octets = delayed_to_bytes(&delayed, until);
            prop_assert_eq!(delayed_put_at(&octets), Some(until));
            prop_assert_eq!(delayed_from_bytes(&octets, RecordKey(key)), Ok(delayed));
        }
    }

    #[test]
    fn states_come_back(state in state()) {
        prop_assert_eq!(state_from_bytes(&state_to_bytes(&state)), Ok(state));
    }

    #[test]
    fn events_come_back_and_are_equal_octets(event in event()) {
        let octets = event_to_bytes(&event);
        prop_assert_eq!(event_to_bytes(&event_from_bytes(&octets).unwrap()), octets.clone());
        prop_assert_eq!(event_from_bytes(&octets), Ok(event));
    }

    /// Random octets must be refused or read, never panic.
    #[test]
    fn garbage_never_panics(octets in vec(any::<u8>(), 0..200)) {
        let octets = Bytes::from(octets);
        let _ = accepted_from_bytes(&octets);
        let _ = order_from_bytes(&octets);
        let _ = outcome_from_bytes(&octets);
        let _ = receipt_from_bytes(&octets);
        let _ = unmatched_from_bytes(&octets);
        let _ = correlation_from_bytes(&octets);
        let _ = delayed_from_bytes(&octets, RecordKey(0));
        let _ = state_from_bytes(&octets);
        let _ = event_from_bytes(&octets);
        let _ = dead_from_bytes(&octets);
    }
}

#[test]
fn a_refusal_names_the_field() {
    assert_eq!(order_from_bytes(&Bytes::new()), Err(Invalid::Truncated { octets: 0 }));
    let empty = seal::seal(Kind::Order, &pb::Order::default());
    assert_eq!(order_from_bytes(&empty), Err(Invalid::Missing("message")));
    let written = pb::Accepted {
        id: vec![0; 16],
        account: "acme".into(),
        from: "x".into(),
        ..Default::default()
    };
    let refused = accepted_from_bytes(&written.encode_to_vec().into()).unwrap_err();
    assert!(
        refused.to_string().starts_with("field to: number has 0 characters"),
        "{refused}"
    );
}

/// An entry whose id or digest was changed would name another message, or refuse its own repeat.
#[test]
fn an_idempotency_entry_tells_every_changed_bit_and_reads_as_ever() {
    let entry = KeyEntry {
        is_final: true,
        id: MessageId(uuid::Uuid::from_u128(5)),
        digest: [7; 32],
    };
    let octets = entry.to_bytes();
    assert_eq!(KeyEntry::from_bytes(&octets), Some(entry.clone()));
    for bit in 0..octets.len() * 8 {
        let mut changed = octets.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(KeyEntry::from_bytes(&changed), None, "bit {bit}");
    }
    for end in 0..octets.len() {
        assert_eq!(KeyEntry::from_bytes(&octets[..end]), None, "cut to {end}");
    }
    let bare = [&[1], &octets[1..50]].concat();
    assert_eq!(KeyEntry::from_bytes(&bare), Some(entry));
}

#[test]
fn a_doubt_that_cannot_be_read_is_an_error() {
    let octets = doubt_to_bytes(UnixMs(17));
    assert_eq!(doubt_from_bytes(&octets, Some(&octets)), Ok(UnixMs(17)));
    assert_eq!(
        doubt_from_bytes(&octets, None),
        Ok(UnixMs(17)),
        "an older version wrote it"
    );
    for octets in [&b""[..], b"1x", b"\xff"] {
        assert!(doubt_from_bytes(octets, None).is_err());
    }
    for changed in [&b"1"[..], b"16", b""] {
        assert!(doubt_from_bytes(changed, Some(&octets)).is_err());
    }
    assert_eq!(doubt_from_values(&[None, None]), Ok(None));
}
