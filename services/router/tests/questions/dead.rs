//! Records that were put aside: listed, shown and put back, over a real connection.

use prost_types::Timestamp;
use signalbox_proto::{
    pb::signalbox::routing::v1::{
        self as pb, ReplayResult, dead_service_client::DeadServiceClient, show_dead_response::Reading,
    },
    record, topics,
};
use sms::Lane;
use tonic::{Code, transport::Channel};

use crate::rig::{Rig, reason, table, violations};

type Client = DeadServiceClient<Channel>;

async fn client(rig: &Rig) -> Client {
    let channel = Channel::from_shared(rig.url.clone()).unwrap().connect().await.unwrap();
    DeadServiceClient::new(channel)
}

async fn list(client: &mut Client, request: pb::ListDeadRequest) -> Vec<pb::DeadRecord> {
    client.list_dead(request).await.unwrap().into_inner().records
}

/// The dead records once there are `count`.
async fn listed(client: &mut Client, count: usize) -> Vec<pb::DeadRecord> {
    loop {
        let found = list(client, pb::ListDeadRequest::default()).await;
        if found.len() >= count {
            return found;
        }
        service::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn replay(client: &mut Client, ids: &[&str], again: bool) -> Vec<(ReplayResult, String)> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let replays = client.replay_dead(pb::ReplayDeadRequest { ids, again }).await;
    let replays = replays.unwrap().into_inner().replays.into_iter();
    replays.map(|replay| (replay.result(), replay.reason)).collect()
}

#[tokio::test]
async fn what_cannot_be_read_is_listed_with_its_fault_and_shown_without_its_octets() {
    let rig = Rig::start(table(&["a"])).await;
    let message = record::accepted_to_bytes(&rig.message());
    let mut damaged = message.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let (newer, cut) = (record::of_a_later_format(&message), message.slice(..4));
    let topic = topics::accepted(Lane::Normal);
    for octets in [newer.clone(), damaged.into(), cut, message] {
        rig.publish(topic.clone(), octets).await;
    }
    let mut client = client(&rig).await;
    let found = listed(&mut client, 3).await;
    let faults: Vec<_> = found.iter().map(|record| record.fault.as_str()).collect();
    assert_eq!(faults.len(), 3, "{found:?}");
    for fault in ["newer", "checksum", "truncated"] {
        assert!(faults.contains(&fault), "{faults:?}");
    }
    assert!(found.is_sorted_by_key(|record| record.set_aside_at.map(|at| (at.seconds, at.nanos))));
    let first = found.iter().find(|record| record.fault == "newer").unwrap();
    assert_eq!((first.topic.as_str(), first.key), (topic.as_str(), 1));
    assert_eq!((first.size, first.omitted), (newer.len() as u64, 0));
    assert!(first.stored_at.is_some() && first.replayed_at.is_none());
    let show = |with_octets| pb::ShowDeadRequest {
        id: first.id.clone(),
        with_octets,
    };
    let shown = client.show_dead(show(false)).await.unwrap().into_inner();
    assert!(shown.octets.is_empty());
    let Some(Reading::Unreadable(why)) = shown.reading else {
        panic!("readable: {shown:?}");
    };
    assert!(why.starts_with("written in format 2"), "{why}");
    assert_eq!(client.show_dead(show(true)).await.unwrap().into_inner().octets, newer);
}

#[tokio::test]
async fn a_record_that_can_be_read_by_now_goes_back_once_and_again_when_asked() {
    let rig = Rig::start(table(&["a"])).await;
    let topic = topics::accepted(Lane::Normal);
    let message = rig.message();
    // As an older router put it aside, whose format this one has outgrown.
    let octets = record::accepted_to_bytes(&message);
    let dead = record::DeadRecord::new(topic.as_str(), octets, record::Fault::Newer, "written in format 1");
    rig.publish(topics::dead(), record::dead_to_bytes(&dead)).await;
    let mut client = client(&rig).await;
    let id = listed(&mut client, 1).await.remove(0).id;
    let shown = client.show_dead(pb::ShowDeadRequest {
        id: id.clone(),
        with_octets: false,
    });
    let Some(Reading::Readable(reading)) = shown.await.unwrap().into_inner().reading else {
        panic!("not readable");
    };
    assert_eq!(
        (reading.kind.as_str(), reading.account.as_str()),
        ("accepted message", "acme")
    );
    assert_eq!(reading.message_id, message.id.to_string());
    let mut orders = rig.orders("a").await;
    assert_eq!(
        replay(&mut client, &[&id], false).await,
        [(ReplayResult::Replayed, String::new())]
    );
    let order = orders.next_batch(1).await.unwrap();
    let order = record::order_from_bytes(&order.records[0].value).unwrap();
    assert_eq!(order.message, message);
    let listed = list(&mut client, pb::ListDeadRequest::default()).await;
    assert!(listed.len() == 1 && listed[0].replayed_at.is_some(), "{listed:?}");
    assert_eq!(replay(&mut client, &[&id], false).await[0].0, ReplayResult::DoneBefore);
    assert_eq!(replay(&mut client, &[&id], true).await[0].0, ReplayResult::Replayed);
}

#[tokio::test]
async fn what_cannot_be_put_back_says_why() {
    let rig = Rig::start(table(&["a"])).await;
    let message = record::accepted_to_bytes(&rig.message());
    rig.publish(topics::accepted(Lane::Normal), record::of_a_later_format(&message))
        .await;
    let no_topic = record::DeadRecord::new("store/state", message.clone(), record::Fault::Checksum, "x");
    rig.publish(topics::dead(), record::dead_to_bytes(&no_topic)).await;
    let mut long = record::DeadRecord::new(
        topics::accepted(Lane::Bulk).as_str(),
        message,
        record::Fault::Invalid,
        "x",
    );
    long.omitted = 5;
    rig.publish(topics::dead(), record::dead_to_bytes(&long)).await;
    rig.publish(topics::dead(), bytes::Bytes::from_static(b"\xff")).await;
    let mut client = client(&rig).await;
    for record in listed(&mut client, 4).await {
        let (result, why) = replay(&mut client, &[&record.id], false).await.remove(0);
        let wanted = match record.topic.as_str() {
            "signalbox.accepted.normal" => "finish the upgrade, then replay",
            "store/state" => "is no topic that is read here",
            "signalbox.accepted.bulk" => "5 octets are missing",
            _ => "signalbox.dead is no topic that is read here",
        };
        assert!(
            result == ReplayResult::Refused && why.contains(wanted),
            "{record:?}: {why}"
        );
    }
    assert_eq!(
        replay(&mut client, &["1-00000000"], false).await[0].0,
        ReplayResult::NotFound
    );
}

/// Its state is gone: whether it ended is known to nobody.
#[tokio::test]
async fn what_moves_a_message_on_that_may_have_ended_long_ago_is_refused() {
    let rig = Rig::start(table(&["a"])).await;
    let message = rig.message();
    let (mut client, mut seen) = (client(&rig).await, Vec::new());
    for (hours, wanted) in [(30, ReplayResult::Refused), (20, ReplayResult::Replayed)] {
        let over = message.accepted_at - std::time::Duration::from_secs(hours * 3_600);
        let waiting = journey::Waiting {
            number: journey::OrderNumber::FIRST,
            attempts: Vec::new(),
            until: over,
            deadline: over - message.class.grace(),
            stay: None,
            again: false,
            look_again: false,
            message: message.clone(),
        };
        let delayed = journey::Delayed::Message(Box::new(waiting));
        let octets = record::delayed_to_bytes(&delayed, over);
        let topic = topics::retry("5s");
        let dead = record::DeadRecord::new(topic.as_str(), octets, record::Fault::Newer, "written in format 1");
        rig.publish(topics::dead(), record::dead_to_bytes(&dead)).await;
        let found = list(&mut client, pb::ListDeadRequest::default()).await;
        let id = &found
            .iter()
            .find(|record| record.replayed_at.is_none() && !seen.contains(&record.id))
            .unwrap()
            .id;
        let (result, why) = replay(&mut client, &[id], false).await.remove(0);
        assert_eq!(result, wanted, "{why}");
        seen.push(id.clone());
    }
}

#[tokio::test]
async fn pages_and_filters_name_each_record_once() {
    let rig = Rig::start(table(&["a"])).await;
    for number in 0..25_u8 {
        let (topic, fault) = match number % 5 {
            0 => (topics::outcomes(), record::Fault::Orphan),
            _ => (topics::receipts(), record::Fault::Newer),
        };
        let dead = record::DeadRecord::new(topic.as_str(), vec![number].into(), fault, "x");
        rig.publish(topics::dead(), record::dead_to_bytes(&dead)).await;
    }
    let mut client = client(&rig).await;
    let (mut pages, mut request) = (Vec::new(), pb::ListDeadRequest::default());
    request.page_size = 7;
    loop {
        let page = client.list_dead(request.clone()).await.unwrap().into_inner();
        pages.push(page.records.len());
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [7, 7, 7, 4]);
    let wrong = client.list_dead(pb::ListDeadRequest {
        page_token: "x".to_owned(),
        ..pb::ListDeadRequest::default()
    });
    assert_eq!(violations(&wrong.await.unwrap_err())[0].0, "page_token");
    let filtered = |topic: &str, fault: &str| pb::ListDeadRequest {
        topic: topic.to_owned(),
        fault: fault.to_owned(),
        ..pb::ListDeadRequest::default()
    };
    for (topic, fault, count) in [
        ("outcomes", "", 5),
        ("signalbox.receipts", "", 20),
        ("", "orphan", 5),
        ("receipts", "orphan", 0),
    ] {
        assert_eq!(
            list(&mut client, filtered(topic, fault)).await.len(),
            count,
            "{topic} {fault}"
        );
    }
    let later = pb::ListDeadRequest {
        since: Some(Timestamp {
            seconds: 32_503_680_000,
            nanos: 0,
        }),
        ..pb::ListDeadRequest::default()
    };
    assert!(list(&mut client, later).await.is_empty());
}

#[tokio::test]
async fn what_is_asked_wrongly_names_its_field() {
    let rig = Rig::start(table(&["a"])).await;
    let mut client = client(&rig).await;
    let page_size = client.list_dead(pb::ListDeadRequest {
        page_size: 501,
        ..pb::ListDeadRequest::default()
    });
    assert_eq!(violations(&page_size.await.unwrap_err())[0].0, "page_size");
    let show = client.show_dead(pb::ShowDeadRequest {
        id: "x".to_owned(),
        with_octets: false,
    });
    assert_eq!(violations(&show.await.unwrap_err())[0].0, "id");
    let none = client.replay_dead(pb::ReplayDeadRequest::default()).await.unwrap_err();
    assert_eq!(violations(&none)[0].0, "ids");
    let absent = client.show_dead(pb::ShowDeadRequest {
        id: "1-00000000".to_owned(),
        with_octets: false,
    });
    let absent = absent.await.unwrap_err();
    assert_eq!(
        (absent.code(), reason(&absent)),
        (Code::NotFound, "DEAD_NOT_FOUND".to_owned())
    );
}
