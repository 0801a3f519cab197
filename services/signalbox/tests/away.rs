//! What a process says and does while what it stands on is away, refuses, or is of another making: it tells people and
//! probes, accepts nothing, and goes on when it can.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use backing::{Kafka, KafkaOptions, Redis, RedisOptions, shared_kafka};
use signalbox_loadtest::{stage::land::Letters, submit::submission};
use signalbox_proto::pb::signalbox::ingest::v1::{SubmitRequest, message_service_client::MessageServiceClient};

/// A test that waits longer for a line has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes out of `pipe`, line by line, read on a thread that ends with it.
#[expect(
    clippy::disallowed_methods,
    reason = "a pipe blocks whoever reads it, and a test must be able to fail"
)]
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        // Octets, not text: a line that is no UTF-8 is one to be shown, not the end.
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

/// One role over `brokers` and `redis`, ended with the test.
struct Process {
    child: Child,
    stdout: Receiver<String>,
    log: Receiver<String>,
    probes: Option<String>,
    _folder: tempfile::TempDir,
}

impl Process {
    fn start(role: &str, brokers: &str, redis: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples");
        let place = |name: &str| examples.join(name).display().to_string();
        let config = format!(
            "[bus]\nkind = \"kafka\"\nbrokers = \"{brokers}\"\n{more}\n[store]\nkind = \"redis\"\nurl = \"{redis}\"\n\
             [table]\npath = \"{}\"\n[ingest]\ngrpc = \"127.0.0.1:0\"\naccounts = \"{}\"\n\
             key_secret = \"00112233445566778899aabbccddeeff\"\n[connector]\nlinks = \"{}\"\n\
             [telemetry]\nhttp = \"127.0.0.1:0\"\n",
            place("starter"),
            place("standalone/accounts.toml"),
            place("standalone/links.toml"),
        );
        let file = folder.path().join("signalbox.toml");
        fs::write(&file, config).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .arg(role)
            .arg("--config")
            .arg(file)
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdout: lines(child.stdout.take().unwrap()),
            log: lines(child.stderr.take().unwrap()),
            child,
            probes: None,
            _folder: folder,
        }
    }

    /// Reads the log until a line with all of `words`.
    fn says(&mut self, words: &[&str]) -> String {
        let mut read = Vec::new();
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            if let Some((_, address)) = line.split_once("probes and metrics address=") {
                self.probes = Some(address.trim().to_owned());
            }
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
            read.push(line);
        }
        // Its end, if it has one, is a moment behind the end of its log.
        let _ = self.stdout.recv_timeout(Duration::from_secs(5));
        let ended = self.child.try_wait().unwrap();
        panic!("it never said {words:?}, ended: {ended:?}:\n{}", read.join("\n"));
    }

    /// Status line and body of `/readyz`.
    fn readyz(&self) -> String {
        let address = self.probes.as_ref().expect("its log named the address");
        let mut stream = TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Waits for the line that says it is ready, and returns it.
    fn ready(&mut self) -> String {
        let line = self.stdout.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| {
            panic!(
                "it is not ready:\n{}",
                self.log.try_iter().collect::<Vec<_>>().join("\n")
            )
        });
        assert!(line.starts_with("signalbox: ready"), "{line}");
        line
    }

    fn assert_not_ready(&self, why: &str) {
        let answer = self.readyz();
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains(why), "{answer}");
    }

    /// Ends it as an operator does; its exit code.
    fn drain(&mut self) -> Option<i32> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(asked.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_broker_that_is_away_at_the_start_is_told_and_waited_for() {
    let (kafka, redis) = (
        Kafka::start(KafkaOptions::default()).unwrap(),
        Redis::start(RedisOptions::default()).unwrap(),
    );
    kafka.kill(0).unwrap();
    let mut router = Process::start("router", &kafka.bootstrap(), &redis.url(), "");
    router.says(&["not ready", "check [bus] brokers"]);
    router.assert_not_ready("bus: ");
    kafka.restart(0).unwrap();
    router.says(&["bus is there again"]);
    router.ready();
    assert!(router.readyz().starts_with("HTTP/1.1 200"));
    assert_eq!(router.drain(), Some(0));
}

#[test]
fn a_stop_while_everything_is_away_is_obeyed() {
    let mut ingest = Process::start("ingest", "127.0.0.1:1", "redis://127.0.0.1:1", "");
    ingest.says(&["not ready", "check [bus] brokers"]);
    ingest.says(&["not ready", "redis://127.0.0.1:1"]);
    assert_eq!(ingest.drain(), Some(0));
}

#[test]
fn topics_with_another_partition_count_end_the_process_with_what_to_do() {
    let redis = Redis::start(RedisOptions::default()).unwrap();
    let brokers = shared_kafka().bootstrap();
    let mut first = Process::start("router", &brokers, &redis.url(), "partitions = 2");
    first.ready();
    let mut second = Process::start("ingest", &brokers, &redis.url(), "partitions = 3");
    second.child.wait().unwrap();
    let said: Vec<_> = second.log.iter().collect();
    let said = said.join("\n");
    assert_eq!(second.child.wait().unwrap().code(), Some(64), "{said}");
    assert!(
        said.contains("has 2 partitions and 3 are configured: set [bus] partitions = 2"),
        "{said}"
    );
}

/// Nothing a process could do about it itself: a wrong password, a Redis that forgets keys, and one without room.
#[test]
fn a_redis_that_cannot_be_used_is_told_with_what_to_do() {
    let options = |change: fn(&mut RedisOptions)| {
        let mut options = RedisOptions::default();
        change(&mut options);
        Redis::start(options).unwrap()
    };
    let locked = options(|options| options.password = Some("right".to_owned()));
    let forgetful = options(|options| (options.memory_max, options.policy) = (Some(64 << 20), Some("allkeys-lru")));
    let cases = [
        (
            &locked,
            locked.url().replace("right", "wrong"),
            "check the user and password in the url",
        ),
        (&forgetful, forgetful.url(), "set maxmemory-policy noeviction"),
    ];
    for (_redis, url, words) in cases {
        let mut ingest = Process::start("ingest", &shared_kafka().bootstrap(), &url, "partitions = 2");
        let line = ingest.says(&["not ready", words]);
        assert!(!line.contains("wrong"), "{line}");
        ingest.assert_not_ready(words);
        assert_eq!(ingest.drain(), Some(0));
    }
}

#[test]
fn a_store_that_becomes_full_makes_a_router_not_ready_until_there_is_room() {
    let redis = Redis::start(RedisOptions::default()).unwrap();
    let mut router = Process::start("router", &shared_kafka().bootstrap(), &redis.url(), "partitions = 2");
    router.ready();
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    router.says(&["not ready", "the store is full"]);
    router.assert_not_ready("the store is full");
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    router.says(&["store is there again"]);
    assert_eq!(router.drain(), Some(0));
}

/// Who is asked by customers goes on; who only moves what lies on the log says that it cannot.
#[test]
fn without_its_store_ingest_takes_messages_and_routers_and_connectors_are_not_ready() {
    let redis = Redis::start(RedisOptions::default()).unwrap();
    let brokers = shared_kafka().bootstrap();
    let start = |role| Process::start(role, &brokers, &redis.url(), "partitions = 2");
    let mut ingest = start("ingest");
    let line = ingest.ready();
    let address = line.rsplit_once(' ').unwrap().1.to_owned();
    let mut others = ["router", "connector"].map(start);
    for process in &mut others {
        process.ready();
    }
    redis.kill().unwrap();

    ingest.says(&["going on without", "redis://"]);
    let answer = ingest.readyz();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("without store: "),
        "{answer}"
    );
    submit(&address);
    for process in &mut others {
        process.says(&["not ready, and trying again", "nothing listens there"]);
        process.assert_not_ready("store: ");
    }
    redis.restart().unwrap();
    for process in others.iter_mut().chain([&mut ingest]) {
        process.says(&["store is there again"]);
        assert_eq!(process.drain(), Some(0));
    }
}

/// Hands one message to the ingest at `address`, which takes it.
fn submit(address: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut client = MessageServiceClient::connect(format!("http://{address}"))
            .await
            .unwrap();
        let letter = Letters::new(1, 1).unwrap().next().unwrap().unwrap();
        let message = Some(submission(letter, String::new(), None));
        let mut request = tonic::Request::new(SubmitRequest { message });
        let bearer = "Bearer example-key-for-trying-things-out".parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        let accepted = client.submit(request).await.unwrap().into_inner().accepted.unwrap();
        assert!(!accepted.message_id.is_empty());
    });
}

/// Looks for the name of our function in the binary, where nothing but the wish to the linker brings it: one that is forgotten
/// would show only when a process dies.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
#[test]
fn words_of_brokers_about_leaders_do_not_reach_librdkafka() {
    let binary = fs::read(env!("CARGO_BIN_EXE_signalbox")).unwrap();
    let name = b"__wrap_rd_kafka_metadata_update_op";
    assert!(
        binary.windows(name.len()).any(|found| found == name),
        "build.rs of signalbox does not ask the linker to leave out what crashes"
    );
}

#[test]
fn a_log_that_goes_away_is_told_and_comes_back_by_itself() {
    let (kafka, redis) = (
        Kafka::start(KafkaOptions::default()).unwrap(),
        Redis::start(RedisOptions::default()).unwrap(),
    );
    let mut router = Process::start("router", &kafka.bootstrap(), &redis.url(), "");
    router.ready();
    kafka.kill(0).unwrap();
    router.says(&["not ready", "check [bus] brokers"]);
    router.assert_not_ready("bus: ");
    kafka.restart(0).unwrap();
    router.says(&["bus is there again"]);
    assert_eq!(router.drain(), Some(0));
}
