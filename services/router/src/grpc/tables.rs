//! `TableService`: publishing tables, going back, and what each router serves.

mod answer;
mod handed;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream, stream::BoxStream};
use service::{Stop, Tasks, resume_panic, time};
use signalbox_proto::{
    pb::signalbox::routing::v1::{self as pb, table_service_server::TableService},
    tables::PIECE_OCTETS_MAX,
};
use table::cases;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status, Streaming};

use super::{counted, error::Refusal};
use crate::tables::{FetchError, HISTORY_MAX, Note, PublishError, Tables, Version, Watch, files};
use handed::Handed;

/// Calls in flight, of all callers together: one is worked on, the others wait for it. More are refused.
const CALLS_MAX: usize = 4;
/// Callers that watch.
const WATCHERS_MAX: usize = 32;

type Parts<T> = BoxStream<'static, Result<T, Status>>;

/// Takes tables and tells of them.
#[derive(Clone)]
pub(super) struct TableDesk {
    /// `None` = this router reads its table from a directory.
    tables: Option<Tables>,
    calls: Arc<Semaphore>,
    watchers: Arc<Semaphore>,
    turn: Arc<Semaphore>,
    stop: Stop,
}

/// A table that was tried.
struct Tried {
    version: String,
    warnings: String,
    /// Why it is refused; `None` = it is sound.
    refused: Option<String>,
}

/// A caller that watches.
struct Watching {
    tables: Tables,
    watch: Watch,
    told: Option<pb::WatchTablesResponse>,
    stop: Stop,
    _place: OwnedSemaphorePermit,
}

impl TableDesk {
    pub(super) fn new(tables: Option<Tables>, stop: Stop) -> Self {
        Self {
            tables,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
            turn: Arc::new(Semaphore::new(1)),
            stop,
        }
    }

    fn tables(&self) -> Result<&Tables, Refusal> {
        if self.stop.is_requested() {
            return Err(Refusal::Draining);
        }
        self.tables.as_ref().ok_or(Refusal::NoTables)
    }

    /// Takes a place, and waits for the turn.
    async fn begin(&self) -> Result<[OwnedSemaphorePermit; 2], Refusal> {
        let call = Arc::clone(&self.calls).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        Ok([call, turn.expect("it is never closed")])
    }

    async fn publish(&self, parts: Streaming<pb::PublishTableRequest>) -> Result<pb::PublishTableResponse, Refusal> {
        let tables = self.tables()?;
        let _place = self.begin().await?;
        let handed = handed::read(parts).await?;
        let in_force = tables.stands_on(handed.base)?;
        let tried = self.tried(handed.packed.clone()).await?;
        let mut response = pb::PublishTableResponse {
            warnings: tried.warnings,
            version: tried.version.clone(),
            ..pb::PublishTableResponse::default()
        };
        if let Some(refused) = tried.refused {
            response.result = Some(pb::publish_table_response::Result::Refused(refused));
            return Ok(response);
        }
        let is_there = |version: &Version| version.publication.version == tried.version;
        let published = if handed.check_only || in_force.as_ref().is_some_and(is_there) {
            in_force
        } else {
            response.is_new = true;
            let Handed {
                packed,
                base,
                confirm_within,
                note,
                ..
            } = handed;
            Some(
                tables
                    .publish(&packed, &tried.version, base, confirm_within, note)
                    .await?,
            )
        };
        let published = published.as_ref().map(answer::published);
        response.result = published.map(pb::publish_table_response::Result::Published);
        Ok(response)
    }

    /// Unpacks, checks and compiles a table and runs its cases, on a thread of its own.
    async fn tried(&self, packed: Bytes) -> Result<Tried, Refusal> {
        let mut work = Tasks::new();
        work.spawn_blocking(move || tried(&packed));
        match work.join_next().await.expect("one task was started") {
            Ok(tried) => tried.map_err(|what| Refusal::wrong("packed", what)),
            Err(error) => {
                resume_panic(error);
                // Only a runtime that shuts down cancels it.
                Err(Refusal::Draining)
            }
        }
    }

    async fn confirm(&self, request: pb::ConfirmTableRequest) -> Result<pb::ConfirmTableResponse, Refusal> {
        let tables = self.tables()?;
        let who = handed::text("who", request.who, handed::WHO_CHARS_MAX)?;
        let _place = self.begin().await?;
        let confirmed = tables.confirm(request.number, who).await?;
        Ok(pb::ConfirmTableResponse {
            confirmed: Some(answer::published(&confirmed)),
        })
    }

    async fn undo(&self, request: pb::UndoTableRequest) -> Result<pb::UndoTableResponse, Refusal> {
        let tables = self.tables()?;
        let note = Note {
            who: handed::text("who", request.who, handed::WHO_CHARS_MAX)?,
            note: handed::text("note", request.note, handed::NOTE_CHARS_MAX)?,
        };
        let base = handed::base(request.base);
        let _place = self.begin().await?;
        let undone = tables.stands_on(base)?;
        let older = tables.older(request.number)?;
        let packed = tables.fetch_packed(&older.publication).await?;
        // What was sound once may not be to this version.
        if let Some(refused) = self.tried(packed).await?.refused {
            return Err(Refusal::TableUnusable(refused));
        }
        let published = tables.publish_again(&older, base, note).await?;
        Ok(pb::UndoTableResponse {
            undone: undone.as_ref().map(answer::published),
            published: Some(answer::published(&published)),
        })
    }

    fn list(&self, request: pb::ListTablesRequest) -> Result<pb::ListTablesResponse, Refusal> {
        let tables = self.tables()?;
        let size = match request.size as usize {
            0 => HISTORY_MAX,
            size => size,
        };
        let history = tables.ledger().history(tables.now());
        Ok(pb::ListTablesResponse {
            tables: history.iter().take(size).map(answer::published).collect(),
        })
    }

    async fn fetch(&self, request: pb::FetchTableRequest) -> Result<Parts<pb::FetchTableResponse>, Refusal> {
        use pb::fetch_table_response::Part;
        let tables = self.tables()?;
        let _place = self.begin().await?;
        let history = tables.ledger().history(tables.now());
        let is_meant = |version: &Version| match request.number {
            0 => version.is_in_force(),
            number => version.publication.number == number,
        };
        let version = history.into_iter().find(is_meant);
        let version = version.ok_or(Refusal::NoSuchTable(request.number))?;
        let packed = tables.fetch_packed(&version.publication).await?;
        let pieces = (0..packed.len()).step_by(PIECE_OCTETS_MAX);
        let pieces =
            pieces.map(move |from| Part::Packed(packed.slice(from..packed.len().min(from + PIECE_OCTETS_MAX))));
        let parts = std::iter::once(Part::Table(answer::published(&version))).chain(pieces);
        let parts = parts.map(|part| Ok(pb::FetchTableResponse { part: Some(part) }));
        Ok(stream::iter(parts).boxed())
    }

    fn watch(&self) -> Result<Parts<pb::WatchTablesResponse>, Refusal> {
        let tables = self.tables()?;
        let place = Arc::clone(&self.watchers)
            .try_acquire_owned()
            .map_err(|_| Refusal::Busy)?;
        let watching = Watching {
            tables: tables.clone(),
            watch: tables.watch(),
            told: None,
            stop: self.stop.clone(),
            _place: place,
        };
        let told = |mut watching: Watching| async {
            let next = watching.next().await?;
            Some((Ok(next), watching))
        };
        Ok(stream::unfold(watching, told).boxed())
    }
}

impl Watching {
    /// What is to be told next; `None` = the router goes away.
    async fn next(&mut self) -> Option<pb::WatchTablesResponse> {
        loop {
            let (status, silence) = {
                let (now, ledger) = (self.tables.now(), self.tables.ledger());
                (
                    answer::status(&ledger, now),
                    ledger.next_silence(now).map(|at| at.since(now)),
                )
            };
            if self.told.as_ref().is_none_or(|told| answer::differs(told, &status)) {
                self.told = Some(status.clone());
                return Some(status);
            }
            let silence = silence.unwrap_or(Duration::from_secs(3_600)) + Duration::from_millis(1);
            tokio::select! { biased;
                () = self.stop.requested() => return None,
                () = self.tables.changed(&mut self.watch) => {}
                () = time::sleep(silence) => {}
            }
        }
    }
}

/// Tries the packed table; an error is one of packing.
fn tried(packed: &[u8]) -> Result<Tried, String> {
    let files = files(packed)?;
    let proven = cases::prove(&files);
    let (warnings, refused) = match proven {
        Ok((_, warnings)) if warnings.is_empty() => (String::new(), None),
        Ok((_, warnings)) => (warnings.to_string(), None),
        Err(refused) => (String::new(), Some(refused.to_string())),
    };
    Ok(Tried {
        version: files.version(),
        warnings,
        refused,
    })
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Base(_) => Self::TableBase(error.to_string()),
            PublishError::Nothing(what) => Self::TableNothing(what),
            PublishError::NoSuch(number) => Self::NoSuchTable(number),
            PublishError::Log(what) => Self::Log(what),
        }
    }
}

impl From<FetchError> for Refusal {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Away { .. } => Self::Log(error.to_string()),
            FetchError::Gone(number) => Self::NoSuchTable(number),
            FetchError::Unusable { .. } => Self::TableUnusable(error.to_string()),
        }
    }
}

#[tonic::async_trait]
impl TableService for TableDesk {
    type FetchTableStream = Parts<pb::FetchTableResponse>;
    type WatchTablesStream = Parts<pb::WatchTablesResponse>;

    async fn publish_table(
        &self,
        request: Request<Streaming<pb::PublishTableRequest>>,
    ) -> Result<Response<pb::PublishTableResponse>, Status> {
        counted("table_publish", self.publish(request.into_inner()).await)
    }

    async fn confirm_table(
        &self,
        request: Request<pb::ConfirmTableRequest>,
    ) -> Result<Response<pb::ConfirmTableResponse>, Status> {
        counted("table_confirm", self.confirm(request.into_inner()).await)
    }

    async fn undo_table(
        &self,
        request: Request<pb::UndoTableRequest>,
    ) -> Result<Response<pb::UndoTableResponse>, Status> {
        counted("table_undo", self.undo(request.into_inner()).await)
    }

    async fn list_tables(
        &self,
        request: Request<pb::ListTablesRequest>,
    ) -> Result<Response<pb::ListTablesResponse>, Status> {
        counted("table_list", self.list(request.into_inner()))
    }

    async fn fetch_table(
        &self,
        request: Request<pb::FetchTableRequest>,
    ) -> Result<Response<Self::FetchTableStream>, Status> {
        counted("table_fetch", self.fetch(request.into_inner()).await)
    }

    async fn watch_tables(
        &self,
        _: Request<pb::WatchTablesRequest>,
    ) -> Result<Response<Self::WatchTablesStream>, Status> {
        counted("table_watch", self.watch())
    }
}
