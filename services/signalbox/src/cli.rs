//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::client;

mod capacity;
mod link;
mod tables;
mod topics;

pub(crate) use capacity::Capacity;
pub(crate) use link::{Connectors, Link, RateWord};
pub(crate) use tables::{Confirm, History, Publish, Routers, Signed, Status, Undo};
pub(crate) use topics::{Topics, TopicsOf};

/// Signalbox: a distributed SMS message router.
#[derive(Debug, Parser)]
#[command(name = "signalbox", version, about, max_term_width = 120)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Accept messages over gRPC and hand receipts back
    Ingest(Service),
    /// Decide who takes each message, and follow it to its end
    Router(Service),
    /// Hold the links to carriers
    Connector(Service),
    /// All roles in one process, needing no service beside it
    Standalone(Service),
    /// Check, question and test a routing table
    #[command(subcommand)]
    Table(Table),
    /// Which carrier a running router would take just now, and what is left of the customer's price
    Quote(Quote),
    /// Who serves a number: whoever may know is asked in order, each step with its time
    ///
    /// Exits 0 where somebody knows, 1 where only the number's prefix speaks, 64 where the command is called wrongly, 69 where the
    /// router is away.
    Lookup(Lookup),
    /// Submit one message and wait for its receipt
    Send(Send),
    /// Messages that handsets send to the account's numbers
    #[command(subcommand)]
    Inbound(Inbound),
    /// The life of one message: every attempt, carrier, price, reason and time
    Trace(Trace),
    /// Records that were put aside because nobody could read them: list, show, put back
    #[command(subcommand)]
    Dead(Dead),
    /// The links of running connectors: how they stand, and orders to them
    ///
    /// An order is kept in the store: every connector that has the link heeds it within about a second, and again after a restart,
    /// until another one takes its place.
    #[command(subcommand)]
    Link(Link),
    /// The topics on Apache Kafka: make those that are missing, or list them
    #[command(subcommand)]
    Topics(Topics),
    /// What an installation needs for so many messages a second: pods, partitions, disk of Kafka, memory of Redis
    ///
    /// Computed from what a message was measured to cost, with every step shown. Asks nobody. Exits 0, or 64 where a number is out of
    /// its range.
    Capacity(Box<Capacity>),
    /// Route 20,000 messages over three carriers, kill one, change a price, and check the books
    Demo(Demo),
}

/// What every service takes.
#[derive(Args, Debug)]
pub(crate) struct Service {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Say everything that is wrong with the configuration, and stop
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Show the configuration in force with secrets masked, and stop
    #[arg(long)]
    pub(crate) print_config: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Table {
    /// Every problem of a table at once
    ///
    /// Exits 0 for a sound table, warnings or not, 1 for an invalid one, 64 where DIR is no directory.
    Check {
        /// The table's directory
        #[arg(required = true)]
        dir: Option<PathBuf>,
        /// For editors: one JSON array
        #[arg(long)]
        json: bool,
        /// In place of all else: what a code such as T027 means, with an example and what helps
        #[arg(long, value_name = "CODE", exclusive = true)]
        explain: Option<String>,
    },
    /// Why a message would go where it goes
    ///
    /// Exits 0, 1 where the table is invalid or a line of --batch is no query, 64 where the command is called wrongly, 69 where
    /// the router is away. With --json an invalid table is {"problems":[...]}.
    Explain(Box<Explain>),
    /// What changes from one table to another: rules, rates and carriers added, removed, changed
    ///
    /// Compares what the tables mean, not how they are written. Exits 0 for two sound tables, whether they differ or not,
    /// and 1 where one is invalid; with --json it then says {"problems":[...]}, each with its side, old or new.
    Diff {
        /// Directory of the table before
        old: PathBuf,
        /// Directory of the table after
        new: PathBuf,
        /// Every change, not only the heaviest of each group
        #[arg(long)]
        all: bool,
        /// For programs: one JSON object, complete
        #[arg(long, conflicts_with = "all")]
        json: bool,
        /// Exit 1 where the tables differ, and 64 where one is invalid
        #[arg(long)]
        exit_code: bool,
    },
    /// Run the cases of a table: failures first, then the policies that no case reaches
    ///
    /// Exits 1 where a case fails, the table is invalid or has no cases, or the coverage is below --fail-under.
    /// With --json an invalid table is {"problems":[...]}.
    Test {
        /// The table's directory, with a cases.toml
        dir: PathBuf,
        /// Fail where fewer of the policies, in percent, applied in a case
        #[arg(long, value_name = "PCT", value_parser = clap::value_parser!(u8).range(0..=100))]
        fail_under: Option<u8>,
        /// For programs: one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Bring a table into force on all routers with [table] source = "bus", none of which restarts
    ///
    /// Shows what changes, and waits until every router serves it. Exits 0, 1 where the table is invalid or fails its cases, somebody
    /// else published meanwhile, or not every router serves it in time, 64 where the command is called wrongly, 69 where no router
    /// answers.
    Publish(Box<Publish>),
    /// Let the version in force stay that was published with --confirm-within
    ///
    /// Exits 0 where it stays, 1 where it is too late or another one is in force, 64 where the command is called wrongly, 69 where no
    /// router answers.
    Confirm(Confirm),
    /// Publish the version again that was in force before: done once more, it brings back what it undid
    ///
    /// Exits as publish does.
    Undo(Box<Undo>),
    /// The versions that were published, the newest first
    ///
    /// Exits 0, 64 where the command is called wrongly, 69 where no router answers.
    History(History),
    /// Which version is in force, and which one each router serves
    ///
    /// Exits 0 where every router serves the version in force, 1 where one does not, or nothing was published, 64 where the command is
    /// called wrongly, 69 where no router answers.
    Status(Status),
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The table's directory
    #[arg(required_unless_present = "router")]
    pub(crate) dir: Option<PathBuf>,
    /// Ask this running router instead: its table in force, and its carriers as they stand
    #[arg(long, value_name = "URL", conflicts_with = "dir")]
    pub(crate) router: Option<String>,
    #[command(flatten)]
    pub(crate) tls: RouterTls,
    /// Recipient, in international format
    #[arg(
        long,
        value_name = "NUMBER",
        required_unless_present = "batch",
        conflicts_with = "batch"
    )]
    pub(crate) to: Option<String>,
    /// Sender as the customer gives it
    #[arg(long, value_name = "SENDER")]
    pub(crate) from: Option<String>,
    /// The customer's account
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// otp, transactional or promotional
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// The text; encoding and segments follow from it
    #[arg(long, conflicts_with_all = ["segments", "encoding"])]
    pub(crate) text: Option<String>,
    /// Number of segments
    #[arg(long)]
    pub(crate) segments: Option<u64>,
    /// gsm7, ucs2 or binary
    #[arg(long)]
    pub(crate) encoding: Option<String>,
    /// Instant of the decision, RFC 3339; absent = now
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Option<String>,
    /// Network that serves the number, MCC and MNC together
    #[arg(long, value_name = "MCCMNC")]
    pub(crate) network: Option<String>,
    /// Whether the number was ported
    #[arg(long)]
    pub(crate) ported: Option<bool>,
    /// The die of weighted choices
    #[arg(long)]
    pub(crate) roll: Option<u64>,
    /// What a look-up costs in the table's currency: says whether it would be worth it, by the shares of ported and dead
    /// numbers that are assumed where nothing was learnt
    #[arg(long, value_name = "PRICE", value_parser = price, conflicts_with_all = ["router", "batch"])]
    pub(crate) query_price: Option<table::Micros>,
    /// One JSON object instead of a tree
    #[arg(long)]
    pub(crate) json: bool,
    /// One query as JSON object a line of FILE (- = standard input), one explanation a line out
    #[arg(long, value_name = "FILE")]
    pub(crate) batch: Option<PathBuf>,
}

/// How to speak TLS with a router or connector that answers operators.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct RouterTls {
    /// Certificate authority of a server with TLS, a PEM file; needed where the URL is https
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Certificate to show to a server that asks for one, a PEM file
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Its private key, a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
}

impl RouterTls {
    /// What the client takes.
    pub(crate) fn of_client(&self) -> client::Tls<'_> {
        client::Tls {
            authority: self.ca.as_deref(),
            identity: self.cert.as_deref().zip(self.key.as_deref()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Inbound {
    /// Print them as they come, until interrupted
    ///
    /// Exits 64 where the server refuses the call, 69 where it is away or ends the stream.
    Watch(WatchInbound),
}

#[derive(Args, Debug)]
pub(crate) struct WatchInbound {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Go on after the response with this token, as --json says it
    #[arg(long, conflicts_with = "since")]
    pub(crate) token: Option<String>,
    /// Begin with what came at or after this instant, RFC 3339; absent = now
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// End after so many messages, exit code 0
    #[arg(long, value_name = "MESSAGES")]
    pub(crate) count: Option<u64>,
    /// For programs: one JSON object a line, and after those of each response one with the token to go on from
    #[arg(long)]
    pub(crate) json: bool,
}

/// How to reach a running router.
#[derive(Args, Clone, Debug)]
pub(crate) struct RouterServer {
    /// Address where the router answers questions
    #[arg(
        id = "router",
        long = "router",
        value_name = "URL",
        env = "SIGNALBOX_ROUTER",
        default_value = "http://127.0.0.1:7072"
    )]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) tls: RouterTls,
}

#[derive(Args, Debug)]
pub(crate) struct Quote {
    #[command(flatten)]
    pub(crate) router: RouterServer,
    /// Recipient, in international format; may be given several times
    #[arg(long, value_name = "NUMBER", required_unless_present = "network")]
    pub(crate) to: Vec<String>,
    /// Network in place of a recipient, MCC and MNC together; may be given several times
    #[arg(long, value_name = "MCCMNC")]
    pub(crate) network: Vec<String>,
    /// Sender as the customer gives it
    #[arg(long, value_name = "SENDER")]
    pub(crate) from: Option<String>,
    /// The customer's account
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// otp, transactional or promotional
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// The text; encoding and segments follow from it
    #[arg(long, conflicts_with_all = ["segments", "encoding"])]
    pub(crate) text: Option<String>,
    /// Number of segments
    #[arg(long)]
    pub(crate) segments: Option<u64>,
    /// gsm7, ucs2 or binary
    #[arg(long)]
    pub(crate) encoding: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Lookup {
    /// The number, in international format
    pub(crate) number: String,
    #[command(flatten)]
    pub(crate) router: RouterServer,
    /// Ask as this configuration file says, in place of a running router, with nothing in memory and no shared store
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ca", "cert", "key"])]
    pub(crate) config: Option<PathBuf>,
    /// Longest wait, such as 300ms; absent = as long as a transactional message waits
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) budget: Option<Duration>,
    /// For programs: one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

fn span(text: &str) -> Result<Duration, source::DurationError> {
    source::duration(text)
}

/// Which dead records are meant.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DeadFilter {
    /// Only those that stood on this topic, such as outcomes or dispatch.acme.otp
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Only those put aside for this: newer, truncated, checksum, invalid or orphan
    #[arg(long, value_name = "WORD", value_parser = ["newer", "truncated", "checksum", "invalid", "orphan"])]
    pub(crate) reason: Option<String>,
    /// Only those put aside since then: an RFC 3339 instant, or how long ago: 30m, 4h, 2d
    #[arg(long, value_name = "INSTANT")]
    pub(crate) since: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// What was put aside, the newest last
    ///
    /// Exits 0, 64 where the command is called wrongly, 69 where the router is away.
    List {
        #[command(flatten)]
        router: RouterServer,
        #[command(flatten)]
        filter: DeadFilter,
        /// For programs: one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Everything about one record but what it holds
    ///
    /// Exits 0, 1 where there is no such record, 64 where the command is called wrongly, 69 where the router is away.
    Show {
        #[command(flatten)]
        router: RouterServer,
        /// Id of the record, as list says it
        id: String,
        /// Its octets too, in hexadecimal: they may hold numbers and texts
        #[arg(long)]
        octets: bool,
    },
    /// Put records back on their topics, those that this version can read
    ///
    /// Exits 0 where all that were asked for are back, 1 where one was refused, not found or put back before, or there was none,
    /// 64 where the command is called wrongly, 69 where the router is away.
    Replay {
        #[command(flatten)]
        router: RouterServer,
        /// Ids of the records, as list says them
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// All that were not put back yet; receipts of no message only with --reason orphan
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        #[command(flatten)]
        filter: DeadFilter,
        /// Also those that were put back before
        #[arg(long)]
        again: bool,
    },
}

/// How to reach a running router.
#[derive(Args, Clone, Debug)]
pub(crate) struct Server {
    /// Address of the message service
    #[arg(
        long,
        value_name = "URL",
        env = "SIGNALBOX_SERVER",
        default_value = "http://127.0.0.1:7070"
    )]
    pub(crate) server: String,
    /// API key of the account
    #[arg(long, value_name = "KEY", env = "SIGNALBOX_API_KEY", hide_env_values = true)]
    pub(crate) api_key: String,
    /// Certificate authority of a server with TLS, a PEM file; needed where the URL is https
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Send {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Recipient, in international format
    #[arg(long, value_name = "NUMBER")]
    pub(crate) to: String,
    /// Sender: up to 11 characters, or a number
    #[arg(long, value_name = "SENDER")]
    pub(crate) from: String,
    /// What it says
    #[arg(long)]
    pub(crate) text: String,
    /// What it is for
    #[arg(long, value_enum, default_value = "transactional")]
    pub(crate) class: ClassWord,
    /// Time to live in seconds; absent = the route's or the class's
    #[arg(long, value_name = "SECONDS")]
    pub(crate) ttl: Option<u32>,
    /// Seconds to come back for while the router says that it is busy; 0 = not at all
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) patience: u32,
    /// Do not wait for the receipt
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ClassWord {
    Otp,
    Transactional,
    Promotional,
}

#[derive(Args, Debug)]
pub(crate) struct Trace {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Id of the message
    pub(crate) id: String,
}

/// What the demonstration's router stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bus {
    /// One process and one database in the demonstration's folder
    Embedded,
    /// Apache Kafka and Redis, with ingest, two routers, and a connector for each carrier as processes of their own
    Kafka,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Messages to send
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(300..=1_000_000))]
    pub(crate) messages: u32,
    /// Messages per second
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub(crate) rate: u32,
    /// Same number, same messages
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// What carries messages and holds their state
    #[arg(long, value_enum, default_value = "embedded")]
    pub(crate) bus: Bus,
    /// Brokers of Apache Kafka, for --bus kafka
    #[arg(long, value_name = "HOST:PORT,…", env = "SIGNALBOX_KAFKA")]
    pub(crate) brokers: Option<String>,
    /// Redis, for --bus kafka
    #[arg(long, value_name = "URL", env = "SIGNALBOX_REDIS", hide_env_values = true)]
    pub(crate) redis: Option<String>,
    #[command(flatten)]
    pub(crate) scene: Scene,
    /// Measure, and let no time decide the exit code; for --failover, --campaign and --bad-provider
    #[arg(long)]
    pub(crate) no_limits: bool,
    /// Seconds for which passwords are measured alone, and again beside the queue, for --campaign: 60; seconds for which a
    /// provider is slow before it fails, and so on, for --bad-provider: 10
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: Option<u32>,
    /// Leave the demo's files in this folder; absent = a temporary one that is removed
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// What happens on the way, instead of a carrier that is killed and a price that falls.
#[derive(Args, Clone, Copy, Debug, Default)]
#[group(multiple = false)]
pub(crate) struct Scene {
    /// Kill the router itself halfway and start it again; with --bus kafka a router and a connector
    #[arg(long)]
    pub(crate) crash: bool,
    /// Add a router, drain another, replace a connector and kill a router, one after the other; with --bus kafka
    #[arg(long)]
    pub(crate) rolling: bool,
    /// Empty the store halfway; with --bus kafka
    #[arg(long)]
    pub(crate) store_loss: bool,
    /// A fifth of the recipients are served by another network than their number says: once with look-ups, once without; exit 1
    /// unless all of them go by their real network, and then by the wrong one
    #[arg(long)]
    pub(crate) ported: bool,
    /// Half of the messages need a look-up and their provider is slow, fails, is gone and lies: the other half must not notice,
    /// beside a router that looks nothing up; exit 1 where their p99 grows by more than a tenth, a message is lost or late, a lie
    /// is believed, or a number or secret logged
    #[arg(long)]
    pub(crate) bad_provider: bool,
    /// Four carriers, one for each way to cut long messages, throttle in waves, keep answers back, cut connections and send receipts
    /// early, late and twice: exit 1 unless every message ends once, handsets read what was sent, and none has it twice but
    /// where its policy allows
    #[arg(long)]
    pub(crate) waves: bool,
    /// Kill a carrier that a queue waits for, and measure how fast its passwords are with the next one; exit 1 beyond 2 s
    #[arg(long)]
    pub(crate) failover: bool,
    /// Hand over a campaign of so many promotional messages, and measure passwords alone and beside it; exit 1 where their
    /// p99 grows by more than half
    #[arg(long, value_name = "MESSAGES", value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    pub(crate) campaign: Option<u32>,
    /// No events: measure
    #[arg(long)]
    pub(crate) steady: bool,
}

fn price(text: &str) -> Result<table::Micros, table::MoneyError> {
    table::Micros::parse(text)
}
