//! `signalbox-loadtest decide`: how fast a large table decides, and whether it decides right.

/// Compiles a table over the real numbering plan, decides with it, and holds every answer against a straightforward
/// reference.
///
/// Prices, carriers and policies are invented. Exit code 1: table and reference differ; whether a target is met changes
/// nothing, as machines differ.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Rate rows of all carriers together
    #[arg(long, value_name = "N", default_value_t = 600_000)]
    pub rows: usize,
    /// Carriers
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub carriers: usize,
    /// Policies
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub policies: usize,
    /// Different messages to decide, prepared before any clock runs
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub queries: usize,
    /// Rounds; every figure is the median over them
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub rounds: usize,
    /// The same seed gives the same table and messages
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Also a twentieth and five times the rows, and how deciding grows from the one to the other
    #[arg(long)]
    pub growth: bool,
    /// Also decide while another thread compiles the table anew and puts it in force, again and again
    #[arg(long)]
    pub swap: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
