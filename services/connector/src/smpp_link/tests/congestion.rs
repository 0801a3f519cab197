//! A carrier that says how busy it is (`congestion_state`, SMPP 5.0 section 4.8.4.18), over TCP: the simulator behind a wire that
//! writes it into its answers.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use bytes::{Buf as _, BufMut as _};
use signalbox_proto::keys;
use tokio::io::{ReadHalf, WriteHalf};

use super::*;
use crate::quota::Ledger;

const RATE: u32 = 1_000;
/// Messages on their way to the carrier at the most, so that there is always something to send.
const AHEAD: u64 = 200;
/// `submit_sm_resp`, section 4.2.1.2.
const SUBMIT_SM_RESP: u32 = 0x8000_0004;
/// The carrier says nothing of how busy it is.
const SILENT: u8 = u8::MAX;

/// A link that always has something to send.
struct Busy {
    running: Running,
    says: Arc<AtomicU8>,
    sent: u64,
    _wire: Tasks,
}

impl Busy {
    async fn start() -> Self {
        let carrier = Smsc::start(CarrierConfig::default()).await.unwrap();
        let world = World::new(&["atlas"]).await;
        let says = Arc::new(AtomicU8::new(SILENT));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut wire = Tasks::new();
        wire.spawn(serve(listener, carrier.addr().to_string(), Arc::clone(&says)));
        let (stop, service) = connect_with(&world, address, |link| link.rate = Some(RATE));
        let running = Running {
            world,
            carrier,
            stop,
            service,
        };
        Self {
            running,
            says,
            sent: 0,
            _wire: wire,
        }
    }

    /// Keeps the carrier busy until the account's pace is as it is `wanted`; that pace.
    async fn until_pace(&mut self, wanted: impl Fn(f64) -> bool) -> f64 {
        let Self { running, sent, .. } = self;
        let seeking = async {
            loop {
                let taken = running.carrier.counts().accepted;
                while *sent < taken + AHEAD {
                    *sent += 1;
                    running.world.publish(&[order(u128::from(*sent))]).await;
                }
                match pace(&running.world).await {
                    Some(pace) if wanted(pace) => return pace,
                    _ => time::sleep(Duration::from_millis(5)).await,
                }
            }
        };
        time::timeout(Duration::from_secs(30), seeking)
            .await
            .expect("it happens within half a minute")
    }
}

/// Parts a second that the account bears at the moment, as connectors divide them; `None` = none was leased as yet.
async fn pace(world: &World) -> Option<f64> {
    let found = world.deps.store.get(vec![keys::rate("atlas")]).await.unwrap();
    let known = found.into_iter().next().flatten()?;
    Some(Ledger::from_bytes(&known.value).unwrap().pace())
}

/// Hands each connection on to `carrier`, whose answers to submissions say what `says` holds.
async fn serve(listener: TcpListener, carrier: String, says: Arc<AtomicU8>) {
    let mut wires = Tasks::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(&carrier).await.unwrap();
        let ((mut from_client, to_client), (from_server, mut to_server)) =
            (tokio::io::split(client), tokio::io::split(server));
        let says = Arc::clone(&says);
        wires.spawn(async move {
            // Whichever side ends, ends both.
            tokio::select! {
                _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
                () = answers(from_server, to_client, &says) => {}
            }
        });
    }
}

async fn answers(mut from: ReadHalf<TcpStream>, mut to: WriteHalf<TcpStream>, says: &AtomicU8) {
    let mut read = BytesMut::new();
    while from.read_buf(&mut read).await.is_ok_and(|count| count > 0) {
        let mut out = BytesMut::new();
        while let Some(length) = read.first_chunk().map(|octets| u32::from_be_bytes(*octets) as usize) {
            if read.len() < length {
                break;
            }
            out.extend_from_slice(&told(read.split_to(length), says.load(Ordering::Relaxed)));
        }
        if to.write_all(&out).await.is_err() {
            return;
        }
    }
}

/// `pdu` with the TLV, if it answers a submission and there is anything to say.
fn told(mut pdu: BytesMut, state: u8) -> BytesMut {
    let command = (&pdu[4..8]).get_u32();
    if command == SUBMIT_SM_RESP && state != SILENT {
        pdu.put_u16(smpp::tag::CONGESTION_STATE);
        pdu.put_u16(1);
        pdu.put_u8(state);
        let length = u32::try_from(pdu.len()).unwrap();
        pdu[..4].copy_from_slice(&length.to_be_bytes());
    }
    pdu
}

#[tokio::test]
async fn the_rate_falls_while_the_carrier_is_congested_and_comes_back_once_it_is_not() {
    let rate = f64::from(RATE);
    let mut busy = Busy::start().await;
    assert_eq!(busy.until_pace(|_| true).await, rate, "nothing was said");
    busy.says.store(95, Ordering::Relaxed);
    let cut = busy.until_pace(|pace| pace < rate).await;
    assert_eq!(cut, rate / 2.0, "half of it at once");
    let low = busy.until_pace(|pace| pace < cut).await;
    busy.says.store(30, Ordering::Relaxed);
    busy.until_pace(|pace| pace > low + rate / 10.0).await;
    let counts = busy.running.carrier.counts();
    assert_eq!(
        (counts.throttled, counts.refused, counts.dropped),
        (0, 0, 0),
        "it was asked for by nothing else"
    );
    busy.running.stopped().await.unwrap();
}
