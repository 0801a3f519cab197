//! What a wire does to a connection through it, against an end that sends back what it hears.

use std::time::Duration;

use service::{Tasks, time};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Mode, Relay};

/// Longer than the loopback takes, on a machine that is busy with other things.
const SILENCE: Duration = Duration::from_millis(300);

struct Bench {
    relay: Relay,
    near: TcpStream,
    _echo: Tasks,
}

async fn bench() -> Bench {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut echo = Tasks::new();
    echo.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut octet = [0];
            while stream.read_exact(&mut octet).await.is_ok() && stream.write_all(&octet).await.is_ok() {}
        }
    });
    let relay = Relay::start(address).await.unwrap();
    let near = TcpStream::connect(relay.address()).await.unwrap();
    let mut bench = Bench {
        relay,
        near,
        _echo: echo,
    };
    assert_eq!(bench.ask(1).await, Some(1));
    bench
}

impl Bench {
    /// What comes back; `None` = the connection is closed. Waits for as long as it takes.
    async fn ask(&mut self, octet: u8) -> Option<u8> {
        self.near.write_all(&[octet]).await.ok()?;
        self.hear().await
    }

    async fn hear(&mut self) -> Option<u8> {
        let mut answer = [0];
        self.near.read_exact(&mut answer).await.ok().map(|_| answer[0])
    }

    async fn is_silent(&mut self) -> bool {
        time::timeout(SILENCE, self.hear()).await.is_none()
    }
}

#[tokio::test]
async fn a_cut_closes_connections_and_takes_no_new_ones_until_it_is_open_again() {
    let mut bench = bench().await;
    bench.relay.set(Mode::Cut);
    assert_eq!(bench.hear().await, None);
    bench.near = TcpStream::connect(bench.relay.address()).await.unwrap();
    assert_eq!(bench.ask(2).await, None);
    bench.relay.set(Mode::Open);
    bench.near = TcpStream::connect(bench.relay.address()).await.unwrap();
    assert_eq!(bench.ask(3).await, Some(3));
}

#[tokio::test]
async fn what_is_held_up_arrives_later() {
    let mut bench = bench().await;
    bench.relay.set(Mode::Stalled);
    bench.near.write_all(&[2]).await.unwrap();
    assert!(bench.is_silent().await);
    bench.relay.set(Mode::Open);
    assert_eq!(bench.hear().await, Some(2));
}

#[tokio::test]
async fn a_connection_that_is_half_open_stays_deaf_and_a_new_one_is_not() {
    let mut bench = bench().await;
    bench.relay.set(Mode::HalfOpen);
    bench.near.write_all(&[2]).await.unwrap();
    assert!(bench.is_silent().await);
    bench.relay.set(Mode::Open);
    bench.near.write_all(&[3]).await.unwrap();
    assert!(bench.is_silent().await);
    bench.near = TcpStream::connect(bench.relay.address()).await.unwrap();
    assert_eq!(bench.ask(4).await, Some(4));
}
