//! A handset writes: in at a carrier over SMPP, out at `WatchInbound`, with exactly the text.

use std::{process::Command, time::Duration};

use service::time;
use signalbox_loadtest::smsc::{Config, Handle, Smsc, inbound};
use sms::Reference;

use crate::rig::{KEY, PATIENCE, Standalone};

/// A router and its carrier.
struct Setting {
    carrier: Handle,
    router: Standalone,
}

impl Setting {
    async fn start() -> Self {
        let carrier = Smsc::start(Config::default()).await.unwrap();
        let mut router = Standalone::new("numbers = [\"atlas/70001\", \"44770090*\"]");
        router.table(&["atlas"], "");
        router.write(
            "links.toml",
            &format!(
                "[[link]]\nname = \"atlas\"\nkind = \"smpp\"\ncarriers = [\"atlas\"]\naddress = \"{}\"\n\
                 system_id = \"test\"\npassword = \"test\"\nreconnect_min = \"100ms\"\nreconnect_max = \"200ms\"\n",
                carrier.addr()
            ),
        );
        router.start();
        Self { carrier, router }
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
            .args(["--server", &self.router.server, "--count", &count.to_string()])
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
    setting.router.kill();
    setting.router.start();
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
