//! Between a link and its carrier: passes octets on and keeps them, to be read by somebody who knows SMPP from elsewhere.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use bytes::{BufMut as _, BytesMut};
use service::Tasks;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Port of SMPP in what is kept, by which a decoder knows it.
const SMPP_PORT: u16 = 2775;
/// `LINKTYPE_RAW`: packets begin with their IP header.
const RAW: u32 = 101;

/// Octets of one read: the connection, whether they are ours, and they.
type Piece = (u16, bool, Vec<u8>);

/// A tap that runs until dropped.
pub(super) struct Tap {
    pub address: SocketAddr,
    kept: Arc<Mutex<Vec<Piece>>>,
    _tasks: Tasks,
}

impl Tap {
    pub(super) async fn before(carrier: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Arc::default();
        let mut tasks = Tasks::new();
        tasks.spawn(accept(listener, carrier, Arc::clone(&kept)));
        Self {
            address,
            kept,
            _tasks: tasks,
        }
    }

    /// Everything kept as a capture file: each PDU a TCP segment of its own, and what is no whole PDU the last of its side.
    fn capture(&self) -> Vec<u8> {
        let mut file = BytesMut::new();
        file.put_slice(&[0xA1, 0xB2, 0xC3, 0xD4, 0, 2, 0, 4]);
        [0, 0, 0x4_0000, RAW].into_iter().for_each(|field| file.put_u32(field));
        let mut sides = BTreeMap::<(u16, bool), (BytesMut, u32)>::new();
        for (connection, is_ours, octets) in &*self.kept.lock().unwrap() {
            let (partial, sent) = sides.entry((*connection, *is_ours)).or_insert((BytesMut::new(), 1));
            partial.extend_from_slice(octets);
            while let Some(length) = partial.first_chunk().map(|head| u32::from_be_bytes(*head) as usize)
                && (4..=partial.len()).contains(&length)
            {
                packet(&mut file, (*connection, *is_ours), sent, &partial.split_to(length));
            }
        }
        for (side, (partial, mut sent)) in sides {
            if !partial.is_empty() {
                packet(&mut file, side, &mut sent, &partial);
            }
        }
        file.to_vec()
    }

    /// What `tshark` says of it: the commands it saw, and the packets it complains about.
    pub(super) fn decoded_by(&self, tshark: &Path) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("link.pcap");
        std::fs::write(&file, self.capture()).unwrap();
        let run = |arguments: &[&str]| {
            let output = Command::new(tshark)
                .arg("-r")
                .arg(&file)
                .args(arguments)
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let commands = run(&["-Y", "smpp", "-T", "fields", "-e", "smpp.command_id"]);
        let commands = commands.split(['\n', ',']).filter(|word| !word.is_empty());
        let complaints = run(&["-Y", "_ws.malformed || _ws.expert.severity >= 8388608", "-V"]);
        (commands.map(str::to_owned).collect(), complaints)
    }
}

/// Appends a packet with these octets over IPv4 and TCP; `sent` is the number of the first of them.
fn packet(file: &mut BytesMut, (connection, is_ours): (u16, bool), sent: &mut u32, octets: &[u8]) {
    let client = 40_000 + connection;
    let (from, to) = if is_ours {
        (client, SMPP_PORT)
    } else {
        (SMPP_PORT, client)
    };
    let length = 40 + u32::try_from(octets.len()).unwrap();
    [1, 0, length, length].into_iter().for_each(|field| file.put_u32(field));
    file.put_slice(&[0x45, 0]);
    file.put_u16(u16::try_from(length).unwrap());
    file.put_slice(&[0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    [from, to].into_iter().for_each(|port| file.put_u16(port));
    [*sent, 1].into_iter().for_each(|number| file.put_u32(number));
    file.put_slice(&[0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
    file.put_slice(octets);
    *sent += u32::try_from(octets.len()).unwrap();
}

async fn accept(listener: TcpListener, carrier: SocketAddr, kept: Arc<Mutex<Vec<Piece>>>) {
    let mut pipes = Tasks::new();
    for connection in 0.. {
        let (ours, _) = listener.accept().await.unwrap();
        let theirs = TcpStream::connect(carrier).await.unwrap();
        let ((our_reader, our_writer), (their_reader, their_writer)) = (ours.into_split(), theirs.into_split());
        pipes.spawn(pipe(our_reader, their_writer, (connection, true), Arc::clone(&kept)));
        pipes.spawn(pipe(their_reader, our_writer, (connection, false), Arc::clone(&kept)));
    }
}

async fn pipe(
    mut from: impl AsyncRead + Unpin + Send,
    mut to: impl AsyncWrite + Unpin + Send,
    (connection, is_ours): (u16, bool),
    kept: Arc<Mutex<Vec<Piece>>>,
) {
    let mut octets = BytesMut::with_capacity(64 * 1_024);
    while let Ok(1..) = from.read_buf(&mut octets).await {
        let piece = octets.split().to_vec();
        let is_passed_on = to.write_all(&piece).await.is_ok();
        kept.lock().unwrap().push((connection, is_ours, piece));
        if !is_passed_on {
            return;
        }
    }
    let _ = to.shutdown().await;
}

/// What the other tests lean on: an unreadable PDU is complained about, so that silence says something.
#[tokio::test]
async fn a_message_that_ends_too_early_is_complained_about() {
    let Some(tshark) = backing::tshark() else {
        backing::skipped("tshark is not installed");
        return;
    };
    let tap = Tap::before(([127, 0, 0, 1], 9).into()).await;
    let octets = [0, 0, 0, 20, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5, 0, 65];
    tap.kept.lock().unwrap().push((0, true, octets.to_vec()));
    let (commands, complaints) = tap.decoded_by(&tshark);
    assert_eq!(
        (commands.as_slice(), complaints.is_empty()),
        (&["0x00000004".to_owned()][..], false)
    );
}
