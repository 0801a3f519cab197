//! Text as people wrote it, with positions: reads TOML key by key, and collects every problem with file and line.
//!
//! A reader states what a key may hold; what does not hold is logged and reading goes on, so one run tells everything
//! that is wrong. Keys that nobody asked for are refused when their section is dropped.
//!
//! ```
//! use std::time::Duration;
//! use source::{Document, Log};
//!
//! struct Link { name: String, kind: Kind, window: u32, answer: Duration, hosts: Vec<String> }
//! #[derive(Clone, Copy, PartialEq)]
//! enum Kind { Smpp, Simulator }
//!
//! let text = r#"
//! [[link]]
//! name = "atlas"
//! kind = "smpp"
//! hosts = "127.0.0.1:2775"        # a scalar stands for a list of one
//! answer = "30s"
//! "#;
//!
//! let log = Log::new('L');                              // problems are coded L001, L002, …
//! let mut links = Vec::new();
//! if let Some(document) = Document::parse("links.toml", text, &log) {
//!     let root = document.root(&log);
//!     for link in root.key("link").required().sections(64) {
//!         links.push(Link {
//!             name: link.key("name").required().string(32).unwrap_or_default(),
//!             kind: link.key("kind").required().word(&[("smpp", Kind::Smpp), ("simulator", Kind::Simulator)])
//!                 .unwrap_or(Kind::Smpp),
//!             window: link.key("window").integer(1..=1_000).unwrap_or(10),
//!             answer: link.key("answer").duration("1s", "5m").unwrap_or(Duration::from_secs(30)),
//!             hosts: link.key("hosts").required().list(8, |host| host.string(255)).unwrap_or_default(),
//!         });
//!     }
//! }                                                     // dropping a section refuses the keys nobody read
//! let problems = log.into_problems();
//! assert!(!problems.has_errors(), "{problems}");
//! assert_eq!(links[0].hosts, ["127.0.0.1:2775"]);
//! assert!(links[0].kind == Kind::Smpp && links[0].window == 10);
//! ```
//!
//! A problem reads
//!
//! ```text
//! links.toml:3: error[L002]: unknown key "hots"
//!   keys known here: answer, hosts, kind, name, window
//!   help: did you mean "hosts"?
//! ```

mod document;
mod duration;
mod entry;
mod log;
mod nearest;
mod problem;
mod secret;
mod section;

pub use document::{DOCUMENT_OCTETS_MAX, Document};
pub use duration::{DurationError, duration, duration_text};
pub use entry::{Entry, Shape};
pub use log::Log;
pub use nearest::nearest;
pub use problem::{Code, PROBLEMS_MAX, Place, Problem, Problems, Severity};
pub use secret::{SECRET_OCTETS_MAX, Secret, SecretError, SecretSource};
pub use section::Section;

#[cfg(test)]
mod tests;
