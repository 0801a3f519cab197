//! The command line of tables that are published.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{RouterTls, span};

/// How to reach one of several running routers: any of them speaks for all.
#[derive(Args, Clone, Debug)]
pub(crate) struct Routers {
    /// Address where a router answers questions; of several, apart by commas or given again, the first that answers is asked
    #[arg(
        long = "router",
        value_name = "URL",
        env = "SIGNALBOX_ROUTER",
        default_value = "http://127.0.0.1:7072",
        value_delimiter = ','
    )]
    pub(crate) urls: Vec<String>,
    #[command(flatten)]
    pub(crate) tls: RouterTls,
}

/// Who changes what is in force, and why.
#[derive(Args, Clone, Debug)]
pub(crate) struct Signed {
    /// Why, in a line of up to 500 characters: it is kept in the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,
    /// Who, up to 100 characters
    #[arg(long, value_name = "NAME", env = "USER", default_value = "", hide_env_values = true)]
    pub(crate) who: String,
}

#[derive(Args, Debug)]
pub(crate) struct Publish {
    /// The table's directory
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) routers: Routers,
    /// Every router returns from it by itself unless it is confirmed within this span, 10s to 24h
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) confirm_within: Option<Duration>,
    #[command(flatten)]
    pub(crate) signed: Signed,
    /// The number of the version that the table was made from: refused where another one is in force
    #[arg(long, value_name = "NUMBER")]
    pub(crate) base: Option<u64>,
    /// Check it and show what would change, and publish nothing
    #[arg(long)]
    pub(crate) check: bool,
    /// How long to wait until every router serves it
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "30s")]
    pub(crate) wait: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct Confirm {
    /// The number of the version; absent = the one in force
    pub(crate) number: Option<u64>,
    #[command(flatten)]
    pub(crate) routers: Routers,
    /// Who, up to 100 characters
    #[arg(long, value_name = "NAME", env = "USER", default_value = "", hide_env_values = true)]
    pub(crate) who: String,
}

#[derive(Args, Debug)]
pub(crate) struct Undo {
    /// The number of the version to go back to; absent = the one that was in force before
    #[arg(long, value_name = "NUMBER")]
    pub(crate) to: Option<u64>,
    /// The number of the version to go back from: refused where another one is in force
    #[arg(long, value_name = "NUMBER")]
    pub(crate) base: Option<u64>,
    #[command(flatten)]
    pub(crate) routers: Routers,
    #[command(flatten)]
    pub(crate) signed: Signed,
    /// How long to wait until every router serves it
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "30s")]
    pub(crate) wait: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) routers: Routers,
    /// For programs: one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) routers: Routers,
    /// How long to wait until every router serves the version in force; absent = not at all
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) wait: Option<Duration>,
    /// For programs: one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
