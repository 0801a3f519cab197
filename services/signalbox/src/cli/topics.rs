//! `signalbox topics …` on the command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use sms::CarrierName;

use super::span;

#[derive(Debug, Subcommand)]
pub(crate) enum Topics {
    /// Make the topics that are missing, with the partitions and copies that the configuration states
    ///
    /// Processes make them too when they start; this is for doing it before, under a user that may. What is there is left as it
    /// is, and told where it keeps less than it should. Exits 0 where all are there, 64 where one has another partition count or
    /// the configuration is wrong, 69 where the brokers stay away.
    Create {
        #[command(flatten)]
        of: TopicsOf,
        /// How long brokers that are away are asked again, such as 2m
        #[arg(long, value_name = "SPAN", value_parser = span, default_value = "30s")]
        within: Duration,
    },
    /// Every topic there is to be, for those who make them with tools of their own; asks nobody
    List {
        #[command(flatten)]
        of: TopicsOf,
        /// For programs: one JSON object a line
        #[arg(long)]
        json: bool,
    },
}

/// Which topics are meant.
#[derive(Args, Debug)]
pub(crate) struct TopicsOf {
    /// The configuration file of any role; with [connector] the carriers of its links are included
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Include the topics of this carrier; may be given several times
    #[arg(long, value_name = "NAME", value_parser = CarrierName::new)]
    pub(crate) carrier: Vec<CarrierName>,
}
