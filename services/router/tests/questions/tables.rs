//! Publishing tables over a real connection: what is taken, what is refused, and what is told of it.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use signalbox_proto::{
    pb::signalbox::routing::v1::{
        self as pb, publish_table_request::Part, publish_table_response::Result as Answer,
        table_service_client::TableServiceClient,
    },
    tables::{PIECE_OCTETS_MAX, pack, unpack},
};
use table::files::{self, Files};
use tonic::{Code, Status, transport::Channel};

use crate::rig::{Rig, reason, table, violations};

type Client = TableServiceClient<Channel>;

async fn client(rig: &Rig) -> Client {
    let channel = Channel::from_shared(rig.url.clone()).unwrap().connect().await.unwrap();
    TableServiceClient::new(channel)
}

async fn rig() -> (Rig, Client) {
    let rig = Rig::publishing(table(&["a"])).await;
    let client = client(&rig).await;
    (rig, client)
}

/// The shipped starter table, called `name`.
fn starter(name: &str) -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples/starter");
    let mut files = files::read(&dir).unwrap();
    let text = String::from_utf8(files.get("table.toml").unwrap().to_vec()).unwrap();
    files.insert(
        "table.toml",
        text.replace("name = \"starter\"", &format!("name = \"{name}\"")),
    );
    files
}

fn head(base: u64) -> pb::PublishHead {
    pb::PublishHead {
        base: Some(base),
        who: "ann".to_owned(),
        note: "a test".to_owned(),
        ..pb::PublishHead::default()
    }
}

async fn send(client: &mut Client, parts: Vec<Part>) -> Result<pb::PublishTableResponse, Status> {
    let parts = parts
        .into_iter()
        .map(|part| pb::PublishTableRequest { part: Some(part) });
    let parts: Vec<_> = parts.collect();
    Ok(client.publish_table(tokio_stream::iter(parts)).await?.into_inner())
}

async fn publish(
    client: &mut Client,
    head: pb::PublishHead,
    files: &Files,
) -> Result<pb::PublishTableResponse, Status> {
    let packed = pack(files.iter()).unwrap();
    // Pieces of a few octets come to the same.
    let pieces = packed
        .chunks(100)
        .map(|piece| Part::Packed(Bytes::copy_from_slice(piece)));
    send(client, std::iter::once(Part::Head(head)).chain(pieces).collect()).await
}

fn number(response: &pb::PublishTableResponse) -> u64 {
    match &response.result {
        Some(Answer::Published(published)) => published.number,
        other => panic!("not published: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_published_can_be_fetched_and_stands_in_the_history() {
    let (_rig, mut client) = rig().await;
    let (first, second) = (starter("first"), starter("second"));
    assert_eq!(number(&publish(&mut client, head(0), &first).await.unwrap()), 1);
    let response = publish(&mut client, head(1), &second).await.unwrap();
    assert_eq!(
        (number(&response), response.is_new, response.version),
        (2, true, second.version())
    );
    let listed = client
        .list_tables(pb::ListTablesRequest { size: 0 })
        .await
        .unwrap()
        .into_inner()
        .tables;
    let found: Vec<_> = listed
        .iter()
        .map(|one| (one.number, one.state(), one.who.as_str(), one.note.as_str()))
        .collect();
    let (in_force, replaced) = (pb::TableState::InForce, pb::TableState::Replaced);
    assert_eq!(found, [(2, in_force, "ann", "a test"), (1, replaced, "ann", "a test")]);
    for (asked, files) in [(0, &second), (1, &first)] {
        let mut parts = client
            .fetch_table(pb::FetchTableRequest { number: asked })
            .await
            .unwrap()
            .into_inner();
        let mut packed = Vec::new();
        while let Some(part) = parts.message().await.unwrap() {
            if let Some(pb::fetch_table_response::Part::Packed(piece)) = part.part {
                packed.extend_from_slice(&piece);
            }
        }
        let fetched = unpack(&packed)
            .unwrap()
            .into_iter()
            .map(|(path, content)| (path, content.to_vec()));
        assert_eq!(Files::gather(fetched).unwrap().version(), files.version());
    }
    let error = client
        .fetch_table(pb::FetchTableRequest { number: 9 })
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), reason(&error).as_str()),
        (Code::NotFound, "TABLE_NOT_FOUND")
    );
}

#[tokio::test]
async fn a_table_that_does_not_check_is_refused_with_file_and_line() {
    let (_rig, mut client) = rig().await;
    let mut files = starter("bad");
    files.insert("carriers.toml", "[[carrier]]\nname = \"atlas\"\ncurency = \"EUR\"\n");
    let response = publish(&mut client, head(0), &files).await.unwrap();
    let Some(Answer::Refused(why)) = response.result else {
        panic!("it was published")
    };
    assert!(
        why.contains("carriers.toml:3: error[T002]: unknown key \"carrier.curency\""),
        "{why}"
    );
    assert!(
        client
            .list_tables(pb::ListTablesRequest { size: 0 })
            .await
            .unwrap()
            .into_inner()
            .tables
            .is_empty()
    );
}

#[tokio::test]
async fn a_table_that_decides_other_than_its_cases_say_is_refused() {
    let (_rig, mut client) = rig().await;
    let mut files = starter("other");
    files.insert(
        "cases.toml",
        "[[case]]\nname = \"paris\"\nto = \"33612345678\"\nat = \"2026-11-21T12:00:00Z\"\nreject = \"never\"\n",
    );
    let response = publish(&mut client, head(0), &files).await.unwrap();
    let Some(Answer::Refused(why)) = response.result else {
        panic!("it was published")
    };
    assert!(why.contains("case \"paris\" fails"), "{why}");
}

#[tokio::test]
async fn a_check_publishes_nothing_and_neither_does_what_is_in_force_already() {
    let (_rig, mut client) = rig().await;
    let files = starter("first");
    let check = pb::PublishHead {
        check_only: true,
        ..head(0)
    };
    let checked = publish(&mut client, check, &files).await.unwrap();
    assert_eq!(
        (checked.result, checked.is_new, checked.version),
        (None, false, files.version())
    );
    publish(&mut client, head(0), &files).await.unwrap();
    let again = publish(&mut client, head(1), &files).await.unwrap();
    assert_eq!((number(&again), again.is_new), (1, false));
}

#[tokio::test]
async fn who_stands_on_another_version_is_told_which_one_is_in_force() {
    let (_rig, mut client) = rig().await;
    publish(&mut client, head(0), &starter("first")).await.unwrap();
    let error = publish(&mut client, head(0), &starter("second")).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::Aborted, "TABLE_BASE"));
    assert!(error.message().contains("published by ann: a test"), "{error}");
    let undo = pb::UndoTableRequest {
        base: Some(7),
        ..pb::UndoTableRequest::default()
    };
    assert_eq!(reason(&client.undo_table(undo).await.unwrap_err()), "TABLE_BASE");
    let confirm = pb::ConfirmTableRequest {
        number: 7,
        who: String::new(),
    };
    assert_eq!(reason(&client.confirm_table(confirm).await.unwrap_err()), "TABLE_BASE");
}

#[tokio::test]
async fn undoing_publishes_the_version_before_again() {
    let (_rig, mut client) = rig().await;
    let nothing = client.undo_table(pb::UndoTableRequest::default()).await.unwrap_err();
    assert_eq!(reason(&nothing), "TABLE_NOTHING");
    let files = [starter("first"), starter("second")];
    for (base, files) in (0..).zip(&files) {
        publish(&mut client, head(base), files).await.unwrap();
    }
    for (round, expected) in [(3, &files[0]), (4, &files[1])] {
        let undone = client
            .undo_table(pb::UndoTableRequest::default())
            .await
            .unwrap()
            .into_inner();
        let published = undone.published.unwrap();
        assert_eq!((published.number, published.version), (round, expected.version()));
        assert_eq!(undone.undone.unwrap().number, round - 1);
    }
    let to = pb::UndoTableRequest {
        number: 1,
        ..pb::UndoTableRequest::default()
    };
    let back = client.undo_table(to).await.unwrap().into_inner().published.unwrap();
    assert_eq!((back.number, back.again, back.version), (5, 1, files[0].version()));
}

#[tokio::test]
async fn a_version_to_confirm_is_pending_until_it_is() {
    let (_rig, mut client) = rig().await;
    publish(&mut client, head(0), &starter("first")).await.unwrap();
    let within = Some(prost_types::Duration { seconds: 300, nanos: 0 });
    let pending = pb::PublishHead {
        confirm_within: within,
        ..head(1)
    };
    publish(&mut client, pending, &starter("second")).await.unwrap();
    let mut statuses = client
        .watch_tables(pb::WatchTablesRequest {})
        .await
        .unwrap()
        .into_inner();
    let status = statuses.message().await.unwrap().unwrap();
    assert_eq!(status.in_force.unwrap().state(), pb::TableState::Pending);
    assert_eq!(status.returns_to.unwrap().number, 1);
    let confirmed = client
        .confirm_table(pb::ConfirmTableRequest {
            number: 2,
            who: "bob".to_owned(),
        })
        .await
        .unwrap();
    let confirmed = confirmed.into_inner().confirmed.unwrap();
    assert_eq!(
        (confirmed.is_confirmed, confirmed.state()),
        (true, pb::TableState::InForce)
    );
    loop {
        let status = statuses.message().await.unwrap().unwrap();
        if status.in_force.unwrap().is_confirmed {
            assert_eq!(status.returns_to, None);
            break;
        }
    }
}

#[tokio::test]
async fn fields_out_of_their_bounds_are_named() {
    let (_rig, mut client) = rig().await;
    let files = starter("first");
    let span = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    let heads = [
        (
            "confirm_within",
            pb::PublishHead {
                confirm_within: span(9),
                ..head(0)
            },
        ),
        (
            "confirm_within",
            pb::PublishHead {
                confirm_within: span(-1),
                ..head(0)
            },
        ),
        (
            "confirm_within",
            pb::PublishHead {
                confirm_within: span(86_401),
                ..head(0)
            },
        ),
        (
            "who",
            pb::PublishHead {
                who: "x".repeat(101),
                ..head(0)
            },
        ),
        (
            "note",
            pb::PublishHead {
                note: "x".repeat(501),
                ..head(0)
            },
        ),
        (
            "note",
            pb::PublishHead {
                note: "two\nlines".to_owned(),
                ..head(0)
            },
        ),
    ];
    for (field, head) in heads {
        let error = publish(&mut client, head, &files).await.unwrap_err();
        assert_eq!(violations(&error)[0].0, field, "{error}");
    }
    let packed = pack([("../../etc/passwd", &b"x"[..])].into_iter()).unwrap();
    for (parts, field) in [
        (vec![], "head"),
        (vec![Part::Packed(packed.clone())], "head"),
        (vec![Part::Head(head(0)), Part::Head(head(0))], "head"),
        (
            vec![Part::Head(head(0)), Part::Packed(vec![0; PIECE_OCTETS_MAX + 1].into())],
            "packed",
        ),
        (
            vec![Part::Head(head(0)), Part::Packed(Bytes::from_static(b"no gzip"))],
            "packed",
        ),
        (vec![Part::Head(head(0)), Part::Packed(packed)], "packed"),
    ] {
        let error = send(&mut client, parts).await.unwrap_err();
        assert_eq!(violations(&error)[0].0, field, "{error}");
    }
}

#[tokio::test]
async fn a_router_with_a_directory_says_that_it_takes_none() {
    let rig = Rig::start(table(&["a"])).await;
    let error = publish(&mut client(&rig).await, head(0), &starter("first"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), reason(&error).as_str()),
        (Code::FailedPrecondition, "TABLE_DIRECTORY")
    );
    assert!(error.message().contains("source = \"bus\""), "{error}");
}

/// A stream of statuses has no end of its own, and must not hold up the drain.
#[tokio::test]
async fn who_watches_is_let_go_when_the_router_goes() {
    let (mut rig, mut client) = rig().await;
    let mut statuses = client
        .watch_tables(pb::WatchTablesRequest {})
        .await
        .unwrap()
        .into_inner();
    statuses.message().await.unwrap().unwrap();
    rig.stop.request();
    let end = service::time::timeout(Duration::from_secs(10), async {
        while let Ok(Some(_)) = statuses.message().await {}
    });
    assert!(end.await.is_some());
    while let Some(ended) = rig.router.join_next().await {
        ended.unwrap().unwrap();
    }
}
