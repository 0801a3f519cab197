//! `backing`: fetches Kafka and Redis, and starts and stops them for a laptop or around one command.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use backing::{Kafka, KafkaOptions, KafkaSpeed, Redis, RedisOptions, RedisPersistence};
use clap::{Args, Parser, Subcommand};

mod around;
mod detached;

#[derive(Parser)]
#[command(about = "Apache Kafka and Redis on the loopback, with no container engine")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch what is missing: Kafka from Maven Central; as root of a Debian machine Java, Maven, Redis and Knot as well
    Fetch,
    /// Start both and leave them running
    Up(Servers),
    /// Say whether they run, and where
    Status,
    /// Stop what `up` started; what they held is gone
    Down,
    /// Run a command with SIGNALBOX_KAFKA and SIGNALBOX_REDIS set to fresh ones, and stop these after it
    With {
        #[command(flatten)]
        servers: Free,
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// What `up` leaves running: it holds both until it is killed
    #[command(hide = true)]
    Hold(Servers),
}

#[derive(Args)]
struct Servers {
    /// Kafka brokers, 1 or 3
    #[arg(long, default_value_t = 1)]
    brokers: usize,
    /// Port of the first broker; the others have those that follow
    #[arg(long, default_value_t = 9092)]
    kafka_port: u16,
    /// Port of Redis
    #[arg(long, default_value_t = 6379)]
    redis_port: u16,
}

#[derive(Args)]
struct Free {
    /// Kafka brokers, 1 or 3
    #[arg(long, default_value_t = 1)]
    brokers: usize,
}

/// Both servers, set up for throughput; Redis keeps what it is told.
struct Both {
    kafka: Kafka,
    redis: Redis,
}

impl Both {
    fn start(brokers: usize, kafka_port: Option<u16>, redis_port: Option<u16>) -> anyhow::Result<Self> {
        ensure!(
            matches!(brokers, 1 | 3),
            "--brokers {brokers}: one broker, or three that can lose one"
        );
        let redis = Redis::start(RedisOptions {
            persistence: RedisPersistence::EverySecond,
            port: redis_port,
            ..RedisOptions::default()
        });
        let redis = redis.context("Redis")?;
        let kafka = Kafka::start(KafkaOptions {
            brokers,
            speed: KafkaSpeed::Peak,
            port: kafka_port,
            ..KafkaOptions::default()
        });
        let kafka = kafka.context("Kafka")?;
        Ok(Self { kafka, redis })
    }
}

fn main() -> ExitCode {
    run(Arguments::parse().command).unwrap_or_else(|error| {
        eprintln!("backing: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Fetch => backing::fetch()?,
        Command::Up(servers) => detached::up(&servers)?,
        Command::Status => detached::status()?,
        Command::Down => detached::down()?,
        Command::Hold(servers) => hold(&servers)?,
        Command::With { servers, command } => {
            let both = Both::start(servers.brokers, None, None)?;
            return around::run(&both, &command);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts both, says where, and stays until killed: then they end as the servers of any dead owner do.
fn hold(servers: &Servers) -> anyhow::Result<()> {
    let both = Both::start(servers.brokers, Some(servers.kafka_port), Some(servers.redis_port))?;
    let mut out = io::stdout();
    writeln!(out, "{}\n{}", both.kafka.bootstrap(), both.redis.url())?;
    out.flush()?;
    loop {
        std::thread::park();
    }
}
