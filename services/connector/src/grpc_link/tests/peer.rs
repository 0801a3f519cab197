//! A carrier that implements `CarrierService` by a script, on a loopback socket.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::{Stream, StreamExt as _, stream};
use service::{
    Tasks,
    time::{self, Instant},
};
use signalbox_proto::pb::signalbox::carrier::v1::{
    self as pb, answer,
    carrier_service_server::{CarrierService, CarrierServiceServer},
};
use tokio::sync::Notify;
use tonic::{
    Request, Response, Status, Streaming,
    transport::{Server, ServerTlsConfig, server::TcpIncoming},
};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What the carrier does with one submission.
#[derive(Clone, Debug)]
pub(super) enum Says {
    Answer(answer::Result),
    /// The same, and again.
    Twice(answer::Result),
    /// The answer after this time.
    After(Duration, answer::Result),
    /// An answer that says nothing.
    Empty,
    Nothing,
    /// The stream, or the call, fails so.
    Fails(Status),
}

impl Says {
    pub(super) fn taken(id: impl Into<String>) -> answer::Result {
        answer::Result::Taken(pb::Taken {
            remote_id: id.into(),
            ..pb::Taken::default()
        })
    }

    pub(super) fn refused(refusal: pb::Refusal) -> answer::Result {
        answer::Result::Refused(pb::Refused {
            refusal: refusal.into(),
            ..pb::Refused::default()
        })
    }
}

/// What it does with a submission, by how often it saw its attempt.
pub(super) type Whim = Box<dyn Fn(&pb::Submission, usize) -> Says + Send>;

/// What is agreed with this carrier.
pub(super) struct Script {
    /// What it does with the submission, which is the so-manieth of this attempt, from 1.
    pub says: Whim,
    /// Whether it implements `Submit`, and the streams of receipts and inbound messages.
    pub has_stream: bool,
    pub has_feeds: bool,
    pub key: Option<String>,
    pub window: Option<u32>,
    /// Whether it answers the first empty request alone.
    pub is_mute: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            says: Box::new(|submission, _| Says::Answer(Says::taken(format!("c-{}", submission.attempt_id)))),
            has_stream: true,
            has_feeds: true,
            key: None,
            window: None,
            is_mute: false,
        }
    }
}

/// What it saw and what it has to tell.
#[derive(Default)]
pub(super) struct Known {
    pub script: Script,
    pub submissions: Vec<pb::Submission>,
    /// Submissions of each request.
    pub batches: Vec<usize>,
    /// Most submissions that were unanswered at once.
    pub open_max: usize,
    open: usize,
    tries: BTreeMap<String, usize>,
    /// Calls of each method.
    pub calls: BTreeMap<&'static str, usize>,
    /// Receipts and inbound messages that were not confirmed.
    pub receipts: BTreeMap<String, pb::Receipt>,
    pub inbound: BTreeMap<String, pb::InboundMessage>,
    /// How often each was sent.
    pub sent: BTreeMap<String, usize>,
    pub confirmed: Vec<String>,
    pub again: Vec<String>,
    /// Most receipts that were unconfirmed on one stream.
    pub unconfirmed_max: usize,
    /// Empty requests.
    pub signs: usize,
    /// Submit streams that the other side ended.
    pub goodbyes: usize,
    /// How often streams were cut.
    cuts: usize,
}

#[derive(Clone, Default)]
struct Carrier {
    known: Arc<Mutex<Known>>,
    news: Arc<Notify>,
}

/// Runs for as long as it is kept.
pub(super) struct Peer {
    pub address: SocketAddr,
    carrier: Carrier,
    _tasks: Tasks,
}

impl Peer {
    pub(super) async fn start(script: Script) -> Self {
        Self::start_with(script, None).await
    }

    pub(super) async fn start_with(script: Script, tls: Option<ServerTlsConfig>) -> Self {
        let carrier = Carrier::default();
        carrier.lock().script = script;
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let server = CarrierServiceServer::new(carrier.clone());
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            let mut builder = Server::builder();
            if let Some(tls) = tls {
                builder = builder.tls_config(tls).unwrap();
            }
            builder.add_service(server).serve_with_incoming(incoming).await.unwrap();
        });
        Self {
            address,
            carrier,
            _tasks: tasks,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.carrier.lock()
    }

    /// Something is to be told, or was changed.
    pub(super) fn wake(&self) {
        self.carrier.news.notify_waiters();
    }

    pub(super) fn tell(&self, receipts: impl IntoIterator<Item = pb::Receipt>) {
        let named = receipts
            .into_iter()
            .map(|receipt| (receipt.receipt_id.clone(), receipt));
        self.known().receipts.extend(named);
        self.wake();
    }

    /// Breaks every stream.
    pub(super) fn cut(&self) {
        self.known().cuts += 1;
        self.wake();
    }

    pub(super) fn calls(&self, method: &str) -> usize {
        self.known().calls.get(method).copied().unwrap_or(0)
    }
}

impl Carrier {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter<T>(&self, method: &'static str, request: &Request<T>) -> Result<(), Status> {
        let mut known = self.lock();
        *known.calls.entry(method).or_default() += 1;
        let shown = request
            .metadata()
            .get("authorization")
            .map(|value| value.to_str().unwrap());
        let wanted = known.script.key.as_ref().map(|key| format!("Bearer {key}"));
        if wanted.is_some() && wanted.as_deref() != shown {
            return Err(Status::unauthenticated(format!(
                "{} is wrong",
                shown.unwrap_or("nothing")
            )));
        }
        Ok(())
    }

    fn take(&self, submission: pb::Submission) -> Says {
        let mut known = self.lock();
        let tries = known.tries.entry(submission.attempt_id.clone()).or_default();
        *tries += 1;
        let tries = *tries;
        let says = (known.script.says)(&submission, tries);
        known.submissions.push(submission);
        says
    }
}

/// One `Submit` stream of the carrier.
struct Submitting {
    carrier: Carrier,
    requests: Streaming<pb::SubmitRequest>,
    ready: VecDeque<Result<pb::SubmitResponse, Status>>,
    later: BTreeMap<(Instant, String), pb::Answer>,
    cuts: usize,
    has_greeted: bool,
    is_over: bool,
}

impl Submitting {
    fn on_request(&mut self, request: pb::SubmitRequest) {
        if request.submissions.is_empty() {
            let mut known = self.carrier.lock();
            known.signs += 1;
            if known.script.is_mute && std::mem::replace(&mut self.has_greeted, true) {
                return;
            }
            let window = known.script.window;
            drop(known);
            let answers = Vec::new();
            return self.ready.push_back(Ok(pb::SubmitResponse { answers, window }));
        }
        let count = request.submissions.len();
        {
            let mut known = self.carrier.lock();
            known.batches.push(count);
            known.open += count;
            known.open_max = known.open_max.max(known.open);
        }
        let mut answers = Vec::new();
        for submission in request.submissions {
            let attempt_id = submission.attempt_id.clone();
            let answer = |result| pb::Answer {
                attempt_id: attempt_id.clone(),
                result,
            };
            match self.carrier.take(submission) {
                Says::Answer(result) => answers.push(answer(Some(result))),
                Says::Twice(result) => answers.extend([answer(Some(result.clone())), answer(Some(result))]),
                Says::After(wait, result) => {
                    self.later
                        .insert((time::now() + wait, attempt_id.clone()), answer(Some(result)));
                }
                Says::Empty => answers.push(answer(None)),
                Says::Nothing => {}
                Says::Fails(status) => return self.ready.push_back(Err(status)),
            }
        }
        self.answer(answers);
    }

    fn answer(&mut self, answers: Vec<pb::Answer>) {
        if answers.is_empty() {
            return;
        }
        let mut known = self.carrier.lock();
        known.open = known.open.saturating_sub(answers.len());
        drop(known);
        self.ready.push_back(Ok(pb::SubmitResponse { answers, window: None }));
    }

    async fn next(mut self) -> Option<(Result<pb::SubmitResponse, Status>, Self)> {
        loop {
            if let Some(response) = self.ready.pop_front() {
                self.is_over |= response.is_err();
                return Some((response, self));
            }
            let news = Arc::clone(&self.carrier.news);
            let news = news.notified();
            if self.is_over {
                return None;
            }
            if self.carrier.lock().cuts > self.cuts {
                self.ready.push_back(Err(Status::unavailable("cut")));
                continue;
            }
            let due = self.later.first_key_value().map(|((at, _), _)| *at);
            let due = due.unwrap_or_else(|| time::now() + Duration::from_secs(3_600));
            tokio::select! {
                message = self.requests.message() => match message {
                    Ok(Some(request)) => self.on_request(request),
                    Ok(None) => {
                        self.carrier.lock().goodbyes += 1;
                        return None;
                    }
                    Err(_) => return None,
                },
                () = news => {}
                () = time::sleep_until(due) => {
                    let (_, answer) = self.later.pop_first().unwrap();
                    self.answer(vec![answer]);
                }
            }
        }
    }
}

/// What differs between the streams of receipts and of inbound messages.
trait Told: Clone + Send + 'static {
    type Request: Send + 'static;
    type Response: Send + 'static;
    fn kept(known: &mut Known) -> &mut BTreeMap<String, Self>;
    fn response(items: Vec<Self>) -> Self::Response;
    fn replies(request: Self::Request) -> (u32, Vec<String>, Vec<String>);
}

impl Told for pb::Receipt {
    type Request = pb::ReceiptsRequest;
    type Response = pb::ReceiptsResponse;
    fn kept(known: &mut Known) -> &mut BTreeMap<String, Self> {
        &mut known.receipts
    }
    fn response(receipts: Vec<Self>) -> pb::ReceiptsResponse {
        pb::ReceiptsResponse { receipts }
    }
    fn replies(request: pb::ReceiptsRequest) -> (u32, Vec<String>, Vec<String>) {
        (request.window, request.confirmed, request.again)
    }
}

impl Told for pb::InboundMessage {
    type Request = pb::InboundRequest;
    type Response = pb::InboundResponse;
    fn kept(known: &mut Known) -> &mut BTreeMap<String, Self> {
        &mut known.inbound
    }
    fn response(messages: Vec<Self>) -> pb::InboundResponse {
        pb::InboundResponse { messages }
    }
    fn replies(request: pb::InboundRequest) -> (u32, Vec<String>, Vec<String>) {
        (request.window, request.confirmed, request.again)
    }
}

/// One stream of receipts or inbound messages.
struct Telling<T: Told> {
    carrier: Carrier,
    requests: Streaming<T::Request>,
    /// Sent on this stream and not confirmed.
    sent: BTreeSet<String>,
    window: usize,
    cuts: usize,
}

impl<T: Told> Telling<T> {
    fn due(&mut self) -> Vec<T> {
        let mut known = self.carrier.lock();
        let room = self.window.saturating_sub(self.sent.len()).min(500);
        let kept = T::kept(&mut known);
        let fresh = kept.iter().filter(|(id, _)| !self.sent.contains(*id)).take(room);
        let fresh: Vec<(String, T)> = fresh.map(|(id, item)| (id.clone(), item.clone())).collect();
        for (id, _) in &fresh {
            self.sent.insert(id.clone());
            *known.sent.entry(id.clone()).or_default() += 1;
        }
        known.unconfirmed_max = known.unconfirmed_max.max(self.sent.len());
        fresh.into_iter().map(|(_, item)| item).collect()
    }

    fn on_request(&mut self, request: T::Request) {
        let (window, confirmed, again) = T::replies(request);
        self.window = self.window.max(window as usize);
        let mut known = self.carrier.lock();
        for id in &confirmed {
            self.sent.remove(id);
            T::kept(&mut known).remove(id);
        }
        self.sent.retain(|id| !again.contains(id));
        known.confirmed.extend(confirmed);
        known.again.extend(again);
    }

    async fn next(mut self) -> Option<(Result<T::Response, Status>, Self)> {
        loop {
            let news = Arc::clone(&self.carrier.news);
            let news = news.notified();
            let cuts = self.carrier.lock().cuts;
            if cuts > self.cuts {
                self.cuts = usize::MAX;
                return Some((Err(Status::unavailable("cut")), self));
            }
            if self.cuts == usize::MAX {
                return None;
            }
            let due = self.due();
            if !due.is_empty() {
                return Some((Ok(T::response(due)), self));
            }
            tokio::select! {
                message = self.requests.message() => match message {
                    Ok(Some(request)) => self.on_request(request),
                    _ => return None,
                },
                () = news => {}
            }
        }
    }
}

impl Carrier {
    fn telling<T: Told>(
        &self,
        method: &'static str,
        request: Request<Streaming<T::Request>>,
    ) -> Result<Response<Answers<T::Response>>, Status> {
        self.enter(method, &request)?;
        let known = self.lock();
        if !known.script.has_feeds {
            return Err(Status::unimplemented(""));
        }
        let telling = Telling::<T> {
            carrier: self.clone(),
            requests: request.into_inner(),
            sent: BTreeSet::new(),
            window: 0,
            cuts: known.cuts,
        };
        let first = stream::iter([Ok(T::response(Vec::new()))]);
        Ok(Response::new(
            first.chain(stream::unfold(telling, Telling::next)).boxed(),
        ))
    }
}

#[tonic::async_trait]
impl CarrierService for Carrier {
    type SubmitStream = Answers<pb::SubmitResponse>;
    type ReceiptsStream = Answers<pb::ReceiptsResponse>;
    type InboundStream = Answers<pb::InboundResponse>;

    async fn submit(
        &self,
        request: Request<Streaming<pb::SubmitRequest>>,
    ) -> Result<Response<Self::SubmitStream>, Status> {
        self.enter("Submit", &request)?;
        let known = self.lock();
        if !known.script.has_stream {
            return Err(Status::unimplemented("no streams here"));
        }
        let submitting = Submitting {
            carrier: self.clone(),
            requests: request.into_inner(),
            ready: VecDeque::new(),
            later: BTreeMap::new(),
            cuts: known.cuts,
            has_greeted: false,
            is_over: false,
        };
        Ok(Response::new(stream::unfold(submitting, Submitting::next).boxed()))
    }

    async fn submit_one(
        &self,
        request: Request<pb::SubmitOneRequest>,
    ) -> Result<Response<pb::SubmitOneResponse>, Status> {
        self.enter("SubmitOne", &request)?;
        let says = self.take(request.into_inner().submission.unwrap());
        let result = match says {
            Says::Answer(result) | Says::Twice(result) => Some(result),
            Says::After(wait, result) => {
                time::sleep(wait).await;
                Some(result)
            }
            Says::Empty => None,
            Says::Nothing => std::future::pending().await,
            Says::Fails(status) => return Err(status),
        };
        let answer = pb::Answer {
            attempt_id: String::new(),
            result,
        };
        Ok(Response::new(pb::SubmitOneResponse { answer: Some(answer) }))
    }

    async fn receipts(
        &self,
        request: Request<Streaming<pb::ReceiptsRequest>>,
    ) -> Result<Response<Self::ReceiptsStream>, Status> {
        self.telling::<pb::Receipt>("Receipts", request)
    }

    async fn inbound(
        &self,
        request: Request<Streaming<pb::InboundRequest>>,
    ) -> Result<Response<Self::InboundStream>, Status> {
        self.telling::<pb::InboundMessage>("Inbound", request)
    }
}
