//! A handset writes: in at a carrier over SMPP, out at `WatchInbound`, with exactly the text. Real processes and sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use service::time;
use signalbox_loadtest::smsc::{Config, Handle, Smsc, inbound};
use sms::Reference;

const KEY: &str = "key-of-the-test-0123";
/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A router, its carrier, and a watcher of its inbound messages.
struct Setting {
    folder: tempfile::TempDir,
    carrier: Handle,
    router: Child,
    server: String,
}

impl Setting {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let carrier = Smsc::start(Config::default()).await.unwrap();
        let place = "kind = \"embedded\"\npath = \"data/log\"\n";
        let write = |name: &str, text: String| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "signalbox.toml",
            format!(
                "[bus]\n{place}[store]\n{place}[table]\npath = \"table\"\n[connector]\nlinks = \"links.toml\"\n\
                 [ingest]\ngrpc = \"127.0.0.1:0\"\naccounts = \"accounts.toml\"\n"
            ),
        );
        write(
            "accounts.toml",
            format!("[[account]]\nname = \"acme\"\nkeys = [\"{KEY}\"]\nnumbers = [\"atlas/70001\", \"44770090*\"]\n"),
        );
        write("table/table.toml", "name = \"plain\"\ncurrency = \"EUR\"\n".into());
        write("table/policies.toml", String::new());
        write(
            "table/numbering.csv",
            "prefix,mcc,mnc,country,operator\n33,208,,FR,\n".into(),
        );
        write(
            "table/carriers.toml",
            "[[carrier]]\nname = \"atlas\"\ncurrency = \"EUR\"\n".into(),
        );
        write(
            "table/rates/atlas.csv",
            "mcc,mnc,prefix,price,from,until\n208,,,0.05,,\n".into(),
        );
        write(
            "links.toml",
            format!(
                "[[link]]\nname = \"atlas\"\nkind = \"smpp\"\ncarriers = [\"atlas\"]\naddress = \"{}\"\n\
                 system_id = \"test\"\npassword = \"test\"\nreconnect_min = \"100ms\"\nreconnect_max = \"200ms\"\n",
                carrier.addr()
            ),
        );
        let (router, server) = start(&folder);
        Self {
            folder,
            carrier,
            router,
            server,
        }
    }

    /// The texts of the first `count` messages kept, as the command prints them for programs.
    fn texts(&self, count: usize) -> Vec<serde_json::Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .args([
                "inbound",
                "watch",
                "--json",
                "--since",
                "1970-01-01T00:00:00Z",
                "--api-key",
                KEY,
            ])
            .args(["--server", &self.server, "--count", &count.to_string()])
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert!(output.status.success(), "{out}{err}");
        let objects = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        objects.filter(|object| object.get("inbound_id").is_some()).collect()
    }

    async fn taken(&self, delivers: u64) {
        let give_up_at = time::now() + PATIENCE;
        while self.carrier.counts().inbound_taken < delivers {
            assert!(time::now() < give_up_at, "{:?}", self.carrier.counts());
            time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        let _ = self.router.kill();
        let _ = self.router.wait();
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A router in `folder`, and where it answers.
fn start(folder: &tempfile::TempDir) -> (Child, String) {
    let mut router = Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(["standalone", "--config"])
        .arg(folder.path().join("signalbox.toml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let ready = "signalbox: ready, gRPC on ";
    let lines = BufReader::new(router.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.starts_with(ready));
    let server = format!("http://{}", &line.expect("it becomes ready")[ready.len()..]);
    (router, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_handset_writes_is_what_the_account_reads_though_the_router_is_killed_between_the_parts() {
    let mut setting = Setting::start().await;
    let long = "Grüße aus Łódź, 😀 und zurück. ".repeat(9);
    let gsm = "Price: 5€ [each] @ {shop}~ ".repeat(13);
    let say = |to: &str, text: &str, reference| inbound("447700900123", to, text, reference);
    let mut delivers = say("70001", "STOP", Reference::Short(1));
    delivers.extend(say("447700900555", &gsm, Reference::Long(0x0102)));
    let mut parts = say("70001", &long, Reference::Short(2));
    parts.reverse();
    let last = parts.split_off(2);
    delivers.extend(parts);
    let first = delivers.len() as u64;
    setting.carrier.deliver(delivers);
    setting.taken(first).await;
    setting.kill();
    (setting.router, setting.server) = start(&setting.folder);
    let all = first + last.len() as u64 + 1;
    setting.carrier.deliver(last);
    setting.carrier.deliver(say("70001", "STOP", Reference::Short(1)));
    setting.taken(all).await;
    setting.carrier.deliver(say("70001", "", Reference::Short(1)));
    let messages = setting.texts(4);
    let mut texts: Vec<&str> = messages
        .iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect();
    let mut wanted = vec!["STOP", &gsm, &long, ""];
    texts.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(texts, wanted);
    assert!(
        messages
            .iter()
            .all(|message| message["missing_parts"] == serde_json::json!([]))
    );
}
