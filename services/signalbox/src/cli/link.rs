//! The command line of `signalbox link`.

use std::str::FromStr;

use clap::{Args, Subcommand};

use super::RouterTls;

/// How to reach running connectors.
#[derive(Args, Clone, Debug)]
pub(crate) struct Connectors {
    /// Address where a connector answers operators; may be given several times
    #[arg(
        id = "connector",
        long = "connector",
        value_name = "URL",
        env = "SIGNALBOX_CONNECTOR",
        value_delimiter = ',',
        default_value = "http://127.0.0.1:7074"
    )]
    pub(crate) urls: Vec<String>,
    #[command(flatten)]
    pub(crate) tls: RouterTls,
}

/// A rate, or what the configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateWord(pub(crate) Option<u32>);

impl FromStr for RateWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let most = connector::RATE_MAX;
        if text == "configured" {
            return Ok(Self(None));
        }
        let rate = text.parse().ok().filter(|rate| (1..=most).contains(rate));
        rate.map(|rate| Self(Some(rate)))
            .ok_or_else(|| format!("write parts a second, 1 to {most}, or configured for what links.toml says"))
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Link {
    /// Every link: state, binds, window, rate, queue, round trip, last error
    ///
    /// RATE/S is the link's share of its account's rate at the moment, LIMIT/S what it is a share of; P50 the median of the last 64
    /// answers that were timed; UNMAPPED counts answers of the carrier that no map knows. Exits 0, 69 where a connector is away.
    List {
        #[command(flatten)]
        connectors: Connectors,
        /// For programs: one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Submit nothing new over a link until it is resumed
    ///
    /// It stays connected and receipts go on. Routers ask other carriers from now on; what waits for the link is held, and goes to
    /// another connector of the carrier where one is up. Messages of which a part was sent are finished. Exits 0, 1 where no
    /// connector asked has the link, 69 where one is away.
    Pause {
        #[command(flatten)]
        connectors: Connectors,
        /// Name of the link
        name: String,
    },
    /// Take messages over a link again, after a pause or a drain
    ///
    /// Exits 0, 1 where no connector asked has the link, 69 where one is away.
    Resume {
        #[command(flatten)]
        connectors: Connectors,
        /// Name of the link
        name: String,
    },
    /// Finish what is in flight, hand back the queue, disconnect, and stay so until the link is resumed
    ///
    /// What is handed back goes on to other carriers. What is not answered within the connector's drain limit is unknown, as when it
    /// stops. Exits 0, 1 where no connector asked has the link or it takes too long, 69 where one is away.
    Drain {
        #[command(flatten)]
        connectors: Connectors,
        /// Name of the link
        name: String,
        /// Do not wait until it is drained
        #[arg(long)]
        no_wait: bool,
    },
    /// Set the rate of a link's account, over all links and connectors that share it
    ///
    /// It counts in place of the `rate` in links.toml, also after that is edited and after restarts, until `configured` is set. Exits
    /// 0, 1 where no connector asked has the link, 69 where one is away.
    Rate {
        #[command(flatten)]
        connectors: Connectors,
        /// Name of the link
        name: String,
        /// Parts a second, 1 to 100000, or `configured` for what links.toml says
        #[arg(value_name = "RATE")]
        rate: RateWord,
    },
    /// Ask the carrier for a sign of life on every bind that is up (SMPP: enquire_link)
    ///
    /// Exits 0 where every bind was answered, 1 where one was not or the kind of link has no test, 69 where a connector is away.
    Test {
        #[command(flatten)]
        connectors: Connectors,
        /// Name of the link
        name: String,
        /// For programs: one JSON object a line
        #[arg(long)]
        json: bool,
    },
}
