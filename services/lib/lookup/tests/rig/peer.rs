//! A server of `HlrService` that does not keep to it.

use std::{net::SocketAddr, pin::Pin};

use futures::{Stream, StreamExt, stream};
use service::Tasks;
use signalbox_proto::pb::signalbox::hlr::v1::{
    self as pb,
    hlr_service_server::{HlrService, HlrServiceServer},
    lookup_result,
};
use tonic::{Request, Response, Status, Streaming, transport::server::TcpIncoming};

/// Runs for as long as it is kept.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    _tasks: Tasks,
}

struct Liar;

impl Peer {
    pub(crate) async fn start() -> Self {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            let router = tonic::transport::Server::builder().add_service(HlrServiceServer::new(Liar));
            router.serve_with_incoming(incoming).await.unwrap();
        });
        Self { address, _tasks: tasks }
    }
}

#[tonic::async_trait]
impl HlrService for Liar {
    type LookupStreamStream = Pin<Box<dyn Stream<Item = Result<pb::LookupStreamResponse, Status>> + Send>>;

    async fn lookup(&self, request: Request<pb::LookupRequest>) -> Result<Response<pb::LookupResponse>, Status> {
        let bearer = request
            .metadata()
            .get("authorization")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let mut info = pb::NumberInfo {
            number: request.into_inner().number,
            ..pb::NumberInfo::default()
        };
        match info.number.pop().unwrap() {
            '0' => info.number.push('9'),
            '1' => return Ok(Response::new(pb::LookupResponse { number: None })),
            '2' => {
                info.number.push('2');
                info.network = Some(pb::Network {
                    mcc: "23".to_owned(),
                    mnc: "4".to_owned(),
                });
            }
            '3' => {
                info.number.push('3');
                info.cost = "-1".to_owned();
            }
            '4' => return Err(Status::permission_denied(format!("{bearer} is of no use"))),
            last => return Err(Status::internal(format!("no number +{}{last} here", info.number))),
        }
        Ok(Response::new(pb::LookupResponse { number: Some(info) }))
    }

    async fn lookup_stream(
        &self,
        request: Request<Streaming<pb::LookupStreamRequest>>,
    ) -> Result<Response<Self::LookupStreamStream>, Status> {
        let frame = request.into_inner().message().await?.unwrap();
        let result = |number: &String| pb::LookupResult {
            result: Some(lookup_result::Result::Number(pb::NumberInfo {
                number: number.clone(),
                ..pb::NumberInfo::default()
            })),
        };
        let mut results: Vec<_> = frame.numbers.iter().map(result).collect();
        let sequence = frame.sequence + u64::from(results.len() == 3);
        let is_silent = results.len() == 4;
        if results.len() == 2 {
            results.pop();
        }
        let response = pb::LookupStreamResponse { sequence, results };
        let responses = stream::iter((!is_silent).then_some(Ok(response)));
        Ok(Response::new(responses.boxed()))
    }
}
