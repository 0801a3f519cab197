//! A carrier that does nothing but answer: every message is taken at once and forgotten. It has no log, no receipts and no lock.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::{Bytes, BytesMut};
use service::{Tasks, time};
use smpp::{Input, Output, ServerConfig, Session, Status, codec};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// `command_id` of `submit_sm`.
const SUBMIT_SM: u32 = 4;
/// Octets read at once.
const READ_OCTETS: usize = 64 * 1024;

/// The carrier, until it is dropped.
pub(super) struct Carrier {
    pub(super) address: SocketAddr,
    _tasks: Tasks,
}

impl Carrier {
    /// Listens on a free port of the loopback.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("listen")?;
        let address = listener.local_addr().context("own address")?;
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream).await;
            }
        });
        Ok(Self { address, _tasks: tasks })
    }
}

/// Answers one client until it leaves. Messages are answered here, and everything else by a session.
async fn serve(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut session = Session::server(ServerConfig::new("loopback")).expect("the name fits");
    let began = time::now();
    let (mut read, mut out, mut next_id) = (BytesMut::new(), BytesMut::new(), 0);
    tell(&mut session, began, Input::Opened, &mut out);
    loop {
        read.reserve(READ_OCTETS);
        if !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
            return;
        }
        while let Some(pdu) = first(&mut read) {
            if word(&pdu, 4) == Some(SUBMIT_SM) {
                next_id += 1;
                let sequence = word(&pdu, 12).unwrap_or_default();
                let id = format!("{next_id:016x}");
                codec::write_submit_reply(&mut out, sequence, Status::ROK, &id).expect("the id is short");
            } else if tell(&mut session, began, Input::Octets(pdu), &mut out) {
                let _ = stream.write_all(&out).await;
                return;
            }
        }
        if stream.write_all_buf(&mut out).await.is_err() {
            return;
        }
    }
}

/// The first PDU of `octets`, taken off; `None` = it is not whole.
fn first(octets: &mut BytesMut) -> Option<Bytes> {
    let length = word(octets, 0)? as usize;
    (octets.len() >= length).then(|| octets.split_to(length).freeze())
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// Tells the session, and says whether it has ended.
fn tell(session: &mut Session, began: time::Instant, input: Input, out: &mut BytesMut) -> bool {
    let mut outputs = Vec::new();
    session.handle(began.elapsed(), input, &mut outputs);
    let mut is_over = false;
    for output in outputs {
        match output {
            Output::Write(octets) => out.extend_from_slice(&octets),
            Output::BindAsked { ticket, .. } => is_over |= tell(session, began, Input::accept(ticket), out),
            Output::Close(_) => is_over = true,
            _ => {}
        }
    }
    is_over
}
