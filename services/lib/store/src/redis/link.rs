//! The connection to a Redis: one for all clones of a handle, made when it is needed, made anew when it broke, and asked
//! whether it still leads to what was there before.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use ::redis::{AsyncConnectionConfig, Client, Cmd, ConnectionAddr, Pipeline, Value, aio::MultiplexedConnection};
use tokio::sync::Mutex;
use tracing::{info, warn};

use super::{bucket::Bucket, fault, placement::Placement, scripts, scripts::SCRIPTS, server::Server};
use crate::StoreError;

/// Longest time until somebody answers, and until a connection is fit for use.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(4);
/// Longest time an answer may take. A disk that syncs every write is slow at times.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);
/// How long after a failure the next connection is tried; doubled with each failure, and calls until then fail at once.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(1);

/// The way to one server.
pub(super) struct Link {
    url: String,
    client: Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// Why the last try failed, and when the next one may be.
    failed: Option<(StoreError, Instant)>,
    failures: u32,
    /// Number of the last connection.
    number: u64,
}

/// A connection that leads to a server fit for a store.
#[derive(Clone)]
pub(super) struct Live {
    connection: MultiplexedConnection,
    pub(super) server: Server,
    number: u64,
}

impl Link {
    /// The way to the server at `url`, not tried yet.
    pub(super) fn new(url: String, client: Client) -> Self {
        Self {
            url,
            client,
            state: Mutex::default(),
        }
    }

    /// Whether it leads to this host and port.
    pub(super) fn is_at(&self, host: &str, port: u16) -> bool {
        match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(own, at)
            | ConnectionAddr::TcpTls {
                host: own, port: at, ..
            } => *at == port && (own == host || host.is_empty()),
            _ => false,
        }
    }

    /// Sends `commands` as one and gives their answers, in order. Scripts that the server has forgotten are sent again.
    ///
    /// # Errors
    /// The server is away or refuses one of them; others may have been carried out.
    pub(super) async fn call(&self, commands: Vec<Cmd>) -> Result<Vec<Value>, StoreError> {
        let live = &self.live().await?;
        let pipeline = pipeline(commands);
        let mut answers = self.send(live, &pipeline).await?;
        let is_forgotten = |answer: &Value| matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT");
        if answers.iter().any(is_forgotten) {
            self.send(live, &scripts::load_all()).await?;
            let (places, again): (Vec<_>, Vec<_>) = (answers.iter_mut().zip(pipeline.cmd_iter().cloned()))
                .filter(|(answer, _)| is_forgotten(answer))
                .unzip();
            for (place, answer) in places.into_iter().zip(self.send(live, &self::pipeline(again)).await?) {
                *place = answer;
            }
        }
        self.refuse_errors(live, answers).await
    }

    /// The connection; waits for it to be made, at most as long as that may take.
    pub(super) async fn live(&self) -> Result<Live, StoreError> {
        let mut state = self.state.lock().await;
        if let Some(live) = &state.live {
            return Ok(live.clone());
        }
        if let Some((error, retry_at)) = &state.failed
            && now() < *retry_at
        {
            return Err(error.clone());
        }
        match self.connect_in_time().await {
            Ok((connection, server)) => {
                let number = state.number + 1;
                let live = Live {
                    connection,
                    server,
                    number,
                };
                info!(url = self.url, "connected to redis");
                *state = State {
                    live: Some(live.clone()),
                    number,
                    ..State::default()
                };
                Ok(live)
            }
            Err(error) => {
                let wait = (RETRY_FIRST * 2_u32.pow(state.failures.min(8))).min(RETRY_LAST);
                if state.failures == 0 {
                    warn!(%error, "cannot use redis, trying again");
                }
                state.failures += 1;
                state.failed = Some((error.clone(), now() + wait));
                Err(error)
            }
        }
    }

    /// Looks whether the server is still fit for a store: its settings can change under way. Where it syncs in another way
    /// than it did, or is another, the buckets are told on a new connection, so that a restart is judged by what holds now.
    pub(super) async fn inspect(&self) -> Result<(), StoreError> {
        let live = self.live().await?;
        match self.ask(&mut live.connection.clone()).await {
            Ok(server) if server == live.server => Ok(()),
            Ok(_) => {
                let changed = "what it says of itself and of syncing its writes has changed";
                let why = StoreError::Away(format!("redis at {}: {changed}", self.url));
                self.close(&live, &why).await;
                self.live().await.map(drop)
            }
            Err(error) => {
                self.close(&live, &error).await;
                Err(error)
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a real server that does not answer")]
    async fn connect_in_time(&self) -> Result<(MultiplexedConnection, Server), StoreError> {
        let connected = tokio::time::timeout(HANDSHAKE_LIMIT, self.connect()).await;
        connected.unwrap_or_else(|_| Err(fault::late(&self.url)))
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, Server), StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(ANSWER_LIMIT));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connecting
            .await
            .map_err(|error| fault::of_connection(&self.url, &error))?;
        let server = self.ask(&mut connection).await?;
        let mut pipeline = scripts::load_all();
        let own = match self.find_placement(&mut connection, &server).await? {
            Some(placement) => placement.own(),
            None => Bucket::all().collect(),
        };
        for bucket in own {
            let keys = [bucket.epoch(), bucket.run()];
            let arguments = [&server.run_id, server.durability()].map(str::as_bytes);
            pipeline.add_command(scripts::run(&SCRIPTS.arrive, &keys, &arguments));
        }
        let answers = self.exchange(&mut connection, &pipeline).await?;
        match answers.iter().find_map(error_of) {
            Some(error) => Err(fault::of_answer(&self.url, error)),
            None => Ok((connection, server)),
        }
    }

    /// Where the server says the buckets are; `None` = it is alone and has all.
    ///
    /// # Errors
    /// The server is away, or its cluster has no server for some buckets.
    pub(super) async fn placement(&self) -> Result<Option<Placement>, StoreError> {
        let live = self.live().await?;
        let result = self.find_placement(&mut live.connection.clone(), &live.server).await;
        if let Err(error) = &result {
            self.close(&live, error).await;
        }
        result
    }

    async fn find_placement(
        &self,
        connection: &mut MultiplexedConnection,
        server: &Server,
    ) -> Result<Option<Placement>, StoreError> {
        if !server.is_clustered {
            return Ok(None);
        }
        let mut pipeline = Pipeline::new();
        pipeline.cmd("CLUSTER").arg("MYID").cmd("CLUSTER").arg("SLOTS");
        for bucket in Bucket::all() {
            pipeline.cmd("CLUSTER").arg("KEYSLOT").arg(bucket.epoch());
        }
        let answers = self.exchange(connection, &pipeline).await?;
        match answers.iter().find_map(error_of) {
            Some(error) => Err(fault::of_answer(&self.url, error)),
            None => Placement::of_answers(&self.url, answers).map(Some),
        }
    }

    /// Asks the server about itself.
    async fn ask(&self, connection: &mut MultiplexedConnection) -> Result<Server, StoreError> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("INFO").cmd("CONFIG").arg("GET").arg("*fsync*");
        let answers = self.exchange(connection, &pipeline).await?;
        let [info, settings] = <[Value; 2]>::try_from(answers).map_err(|_| fault::unexpected("INFO"))?;
        if let Some(error) = error_of(&info) {
            return Err(fault::of_answer(&self.url, error));
        }
        let info: String = ::redis::from_redis_value(info).map_err(|_| fault::unexpected("INFO"))?;
        // Refused where others run the server: then it is taken for one that may lose the last writes.
        let settings: HashMap<String, String> = ::redis::from_redis_value(settings).unwrap_or_default();
        Server::of_info(&self.url, &info, &settings)
    }

    async fn send(&self, live: &Live, pipeline: &Pipeline) -> Result<Vec<Value>, StoreError> {
        let result = self.exchange(&mut live.connection.clone(), pipeline).await;
        if let Err(error) = &result {
            self.close(live, error).await;
        }
        result
    }

    async fn exchange(
        &self,
        connection: &mut MultiplexedConnection,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, StoreError> {
        let count = pipeline.len();
        let result = connection.send_packed_commands(pipeline, 0, count).await;
        match result {
            Ok(answers) if answers.len() == count => Ok(answers),
            Ok(_) => Err(fault::unexpected("a pipeline")),
            Err(error) => Err(fault::of_connection(&self.url, &error)),
        }
    }

    /// The answers, if none of them is an error. `Full` is said only if nothing was carried out.
    async fn refuse_errors(&self, live: &Live, answers: Vec<Value>) -> Result<Vec<Value>, StoreError> {
        let errors: Vec<_> = answers.iter().filter_map(error_of).collect();
        let Some(first) = errors.first() else {
            return Ok(answers);
        };
        let refusal = fault::of_answer(&self.url, first);
        if errors.iter().any(|error| fault::ends_connection(error)) {
            self.close(live, &refusal).await;
        }
        match refusal {
            StoreError::Full(why) if errors.len() < answers.len() => Err(StoreError::Away(why)),
            error => Err(error),
        }
    }

    /// Gives up `live`; the next call makes another connection.
    async fn close(&self, live: &Live, why: &StoreError) {
        let mut state = self.state.lock().await;
        if state.live.as_ref().is_some_and(|there| there.number == live.number) {
            warn!(%why, "gave up a connection to redis");
            state.live = None;
        }
    }
}

fn pipeline(commands: Vec<Cmd>) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(commands.len());
    for command in commands {
        pipeline.add_command(command);
    }
    pipeline
}

fn error_of(answer: &Value) -> Option<&::redis::ServerError> {
    match answer {
        Value::ServerError(error) => Some(error),
        _ => None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pause between connections to a real server"
)]
fn now() -> Instant {
    Instant::now()
}
