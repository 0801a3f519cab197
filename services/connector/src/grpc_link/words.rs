//! What a carrier says, made fit for logs and causes: short, printable, without numbers of people and without our key.

use source::Secret;
use tonic::Status;
use web::{discreet, plain};

use super::client::is_broken;

/// Knows what must not be said.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(Vec<Secret>);

impl Words {
    pub(super) fn new(key: Option<Secret>) -> Self {
        Self(key.into_iter().collect())
    }

    /// What the carrier says as it may be logged.
    pub(super) fn fit(&self, text: &str) -> String {
        plain(text, &self.0).trim().to_owned()
    }

    /// What this machine says of a connection, in which there may be addresses of hosts.
    pub(super) fn of_connection(&self, text: &str) -> String {
        discreet(text, &self.0).trim().to_owned()
    }

    /// What `status` says, with its code.
    pub(super) fn status(&self, status: &Status) -> String {
        if is_broken(status) {
            return self.of_connection(&format!("the connection broke: {}", deepest(status)));
        }
        let said = format!("{:?}: {}", status.code(), status.message());
        self.fit(said.trim_end_matches([':', ' ']))
    }
}

/// The first cause: what is around it says little.
fn deepest(status: &Status) -> String {
    let mut cause: &dyn std::error::Error = status;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_and_our_key_are_not_repeated() {
        let words = Words::new(Some(Secret::new("s3cret-of-ours")));
        let status = |message: &str| words.status(&Status::resource_exhausted(message));
        assert_eq!(status("slow down"), "ResourceExhausted: slow down");
        assert_eq!(status(""), "ResourceExhausted");
        assert_eq!(status("no 447700900123"), "ResourceExhausted: no ************");
        assert_eq!(status("S3CRET-OF-OURS is wrong"), "a text that repeats a secret");
        assert_eq!(
            words.of_connection("http://127.0.0.1:50051: refused"),
            "http://127.0.0.1:50051: refused"
        );
    }
}
