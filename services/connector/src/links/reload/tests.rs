//! Edits of `links.toml` under running links.

use std::fs;

use ::smpp::Status;
use sms::{ReceiptFault, ReceiptState};

use super::*;
use crate::Action;

const BEFORE: &str = r#"
[map.usual]
outcomes = { RSYSERR = "next" }

[[link]]
name = "atlas"
kind = "smpp"
carriers = ["atlas"]
address = "127.0.0.1:2775"
system_id = "signalbox"
password = "secret"
map = "usual"
"#;

/// A file in a folder of its own, and the links it began with.
struct Edited {
    _folder: tempfile::TempDir,
    file: PathBuf,
    links: Vec<Running>,
}

impl Edited {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("links.toml");
        fs::write(&file, BEFORE).unwrap();
        let running = |link: LinkConfig| Running {
            maps: LiveMaps::new(Maps::of(&link)),
            link,
        };
        let links = read(&file).unwrap().into_iter().map(running).collect();
        Self {
            _folder: folder,
            file,
            links,
        }
    }

    fn look(&self, text: &str) -> (Look, Vec<String>) {
        fs::write(&self.file, text).unwrap();
        look(&self.file, &self.links)
    }

    fn action(&self, status: Status) -> Action {
        self.links[0].maps.get().outcomes.smpp.rule(status).action
    }
}

#[test]
fn an_edited_map_is_in_force_at_once() {
    let edited = Edited::new();
    assert_eq!(edited.look(BEFORE), (Look::Same, vec![]));
    assert_eq!(edited.action(Status::RSYSERR).to_string(), "next");
    let after = BEFORE.replace("\"next\" }", "\"fail\" }\nreceipt_errors = { 21b = \"number\" }");
    assert_eq!(edited.look(&after), (Look::Swapped(vec!["atlas".into()]), vec![]));
    assert_eq!(edited.action(Status::RSYSERR), Action::Fail);
    let maps = edited.links[0].maps.get();
    assert_eq!(
        maps.faults.fault(ReceiptState::Undeliverable, "21B", None),
        ReceiptFault::Number
    );
    assert_eq!(edited.look(&after), (Look::Same, vec![]));
}

#[test]
fn a_file_that_is_wrong_changes_nothing_and_says_where() {
    let edited = Edited::new();
    let (Look::Refused(problems), _) = edited.look(&BEFORE.replace("\"next\"", "\"drop\"")) else {
        panic!("it is refused");
    };
    assert!(problems.to_string().contains("links.toml:3:"), "{problems}");
    assert_eq!(edited.action(Status::RSYSERR).to_string(), "next");
    fs::remove_file(&edited.file).unwrap();
    assert!(matches!(look(&edited.file, &edited.links).0, Look::Refused(_)));
}

#[test]
fn what_takes_a_restart_is_named_and_maps_are_swapped_beside_it() {
    let edited = Edited::new();
    let after = BEFORE.replace("2775", "2776").replace("\"next\"", "\"fail\"");
    assert_eq!(
        edited.look(&after),
        (Look::Swapped(vec!["atlas".into()]), vec!["atlas".into()])
    );
    let renamed = BEFORE.replace("name = \"atlas\"", "name = \"paris\"");
    assert_eq!(
        edited.look(&renamed),
        (Look::Same, vec!["atlas".into(), "paris".into()])
    );
}
