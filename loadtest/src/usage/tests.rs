//! What is read of what the system tells.

use std::process::{Command, Stdio};

use super::*;

/// Looks for a child to appear.
const LOOKS_MAX: usize = 10_000;

#[test]
fn a_name_with_spaces_and_brackets_moves_no_field() {
    let stat = "77 (tokio (rt) 1) S 42 77 77 0 -1 4194304 900 0 0 0 130 20 0 0 20 0 5 0 1000 1 1";
    assert_eq!((parent(stat), ticks(stat)), (Some(42), Some(150)));
}

#[test]
fn a_process_is_called_by_what_it_does() {
    let named = |words: &[&str]| name_of(words.join("\0").as_bytes());
    assert_eq!(named(&["/opt/bin/signalbox", "router", "--config", "a"]), "router");
    assert_eq!(named(&["signalbox-loadtest", "submit", "--rate", "5"]), "load");
    assert_eq!(named(&["signalbox-loadtest", "smsc"]), "carriers");
    assert_eq!(named(&["/usr/bin/java", "-Xmx1g", "kafka.Kafka"]), "kafka");
    assert_eq!(named(&["/usr/bin/redis-server *:6379"]), "redis");
    assert_eq!(named(&["/bin/sleep", "9"]), "sleep");
}

#[test]
fn every_thread_of_a_process_says_what_it_is_doing() {
    let threads = threads(std::process::id());
    let own = std::thread::current();
    // A thread's name is cut at fifteen octets.
    let name = &own.name().unwrap()[..15];
    assert!(
        threads.iter().any(|thread| thread.starts_with(&format!("{name} R "))),
        "{threads:?}"
    );
    assert_eq!(super::threads(u32::MAX), Vec::<String>::new());
}

/// Looks at itself and at a child behind a shell, as servers are started.
#[test]
fn what_a_program_started_is_counted_and_the_shell_between_is_not() {
    let mut shell = Command::new("sh")
        .args(["-c", "sleep 60 & echo started; read end; kill $!"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = shell.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    // Between its fork and its exec a child still has its parent's name.
    let looks = (0..LOOKS_MAX).map(|_| family("this").unwrap());
    let found = looks
        .into_iter()
        .find(|family| family.iter().any(|process| process.name == "sleep"));
    drop(shell.stdin.take());
    shell.wait().unwrap();
    let family = found.expect("what stands behind a shell is found");
    let names: Vec<_> = family.iter().map(|process| process.name.as_str()).collect();
    assert!(names.contains(&"this") && !names.contains(&"sh"), "{names:?}");
    assert!(
        family.iter().all(|process| process.memory_kb <= process.memory_kb_max),
        "{family:?}"
    );
}

#[test]
fn a_message_costs_what_was_spent_between_two_looks() {
    let times = |ms| BTreeMap::from([("router".to_owned(), Duration::from_millis(ms))]);
    let each = processor_us(&times(1_000), &times(1_500), 10_000);
    assert_eq!(each["router"], 50.0);
}
