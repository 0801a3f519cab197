//! A client of a running router's tables.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use signalbox_proto::{
    pb::signalbox::routing::v1::{
        self as pb, fetch_table_response, publish_table_request::Part, table_service_client::TableServiceClient,
    },
    tables::{PACKED_OCTETS_MAX, PIECE_OCTETS_MAX},
};
use table::files::Files;
use tonic::{Code, Status, Streaming, transport::Channel};

use crate::{
    cli::{Routers, Signed},
    client::{self, explain},
};

use super::{Found, unpacked};

/// Asks one router.
pub(super) struct Asked(TableServiceClient<Channel>);

/// How a version is published.
pub(super) struct Head {
    /// Number of the version in force; 0 = none.
    pub(super) base: u64,
    pub(super) confirm_within: Option<Duration>,
    pub(super) signed: Signed,
    pub(super) check_only: bool,
}

impl Asked {
    /// Connects to the first of `routers` that answers.
    ///
    /// # Errors
    /// A malformed address, certificates that are missing or cannot be read, or nobody answers ([`client::Away`]).
    pub(super) async fn connect(routers: &Routers) -> anyhow::Result<Self> {
        let mut away = None;
        for url in &routers.urls {
            match client::channel(url, routers.tls.of_client()).await {
                Ok(channel) => {
                    let client = TableServiceClient::new(channel);
                    return Ok(Self(client.max_decoding_message_size(router::RESPONSE_OCTETS_MAX)));
                }
                Err(error) if error.is::<client::Away>() => away = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(away.unwrap_or_else(|| anyhow::anyhow!("--router names no router")))
    }

    /// The version in force, with its files; `None` = there is none.
    pub(super) async fn fetch(&mut self) -> anyhow::Result<Option<(pb::PublishedTable, Files)>> {
        let mut parts = match self.0.fetch_table(pb::FetchTableRequest { number: 0 }).await {
            Ok(parts) => parts.into_inner(),
            Err(status) if status.code() == Code::NotFound => return Ok(None),
            Err(status) => return Err(explain(&status)),
        };
        let (mut table, mut packed) = (pb::PublishedTable::default(), BytesMut::new());
        while let Some(part) = parts.message().await.map_err(|status| explain(&status))? {
            match part.part {
                Some(fetch_table_response::Part::Table(head)) => table = head,
                Some(fetch_table_response::Part::Packed(piece)) => packed.extend_from_slice(&piece),
                None => {}
            }
            anyhow::ensure!(
                packed.len() <= PACKED_OCTETS_MAX,
                "the router hands over too large a table"
            );
        }
        Ok(Some((table, unpacked(&packed)?)))
    }

    pub(super) async fn publish(&mut self, head: Head, packed: Bytes) -> Found<pb::PublishTableResponse> {
        let head = pb::PublishHead {
            base: Some(head.base),
            confirm_within: head.confirm_within.map(prost_types::Duration::try_from).transpose()?,
            who: head.signed.who,
            note: head.signed.note,
            check_only: head.check_only,
        };
        let pieces = (0..packed.len()).step_by(PIECE_OCTETS_MAX);
        let pieces: Vec<_> = pieces
            .map(|from| Part::Packed(packed.slice(from..packed.len().min(from + PIECE_OCTETS_MAX))))
            .collect();
        let parts = std::iter::once(Part::Head(head)).chain(pieces);
        let parts = parts.map(|part| pb::PublishTableRequest { part: Some(part) });
        found(self.0.publish_table(tokio_stream::iter(parts)).await)
    }

    pub(super) async fn confirm(&mut self, number: u64, who: String) -> Found<pb::PublishedTable> {
        let confirmed = found(self.0.confirm_table(pb::ConfirmTableRequest { number, who }).await)?;
        Ok(confirmed.map(|response| response.confirmed.unwrap_or_default()))
    }

    pub(super) async fn undo(
        &mut self,
        base: Option<u64>,
        number: u64,
        signed: Signed,
    ) -> Found<pb::UndoTableResponse> {
        let Signed { who, note } = signed;
        found(
            self.0
                .undo_table(pb::UndoTableRequest {
                    base,
                    number,
                    who,
                    note,
                })
                .await,
        )
    }

    pub(super) async fn list(&mut self) -> anyhow::Result<Vec<pb::PublishedTable>> {
        let listed = self.0.list_tables(pb::ListTablesRequest { size: 0 }).await;
        Ok(listed.map_err(|status| explain(&status))?.into_inner().tables)
    }

    pub(super) async fn watch(&mut self) -> anyhow::Result<Streaming<pb::WatchTablesResponse>> {
        let watched = self.0.watch_tables(pb::WatchTablesRequest {}).await;
        Ok(watched.map_err(|status| explain(&status))?.into_inner())
    }
}

/// The answer; what speaks of the state of tables, not of the call, is a finding.
fn found<T>(answer: Result<tonic::Response<T>, Status>) -> Found<T> {
    match answer {
        Ok(answer) => Ok(Ok(answer.into_inner())),
        Err(status) if is_finding(&status) => Ok(Err(status.message().to_owned())),
        Err(status) => Err(explain(&status)),
    }
}

fn is_finding(status: &Status) -> bool {
    use tonic_types::StatusExt as _;
    let details = status.get_error_details();
    let reason = details.error_info().map_or("", |info| info.reason.as_str());
    ["TABLE_BASE", "TABLE_NOTHING", "TABLE_NOT_FOUND", "TABLE_UNUSABLE"].contains(&reason)
}
