//! What went wrong with a Redis, in words for the one who runs it.

use ::redis::{ErrorKind, RedisError, ServerError};

use crate::StoreError;

/// What `error` of the connection to `url` means.
pub(super) fn of_connection(url: &str, error: &RedisError) -> StoreError {
    if let Some(code) = error.code() {
        return of_code(url, code, error.detail().unwrap_or_default());
    }
    let text = error.to_string();
    let help = match error.kind() {
        ErrorKind::AuthenticationFailed => "check the user and password in the url",
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType | ErrorKind::RESP3NotSupported => {
            "it does not answer as a Redis does; check host and port, and whether it wants TLS (rediss://)"
        }
        _ if error.is_timeout() => "it did not answer in time; check that it runs and is not overloaded",
        _ if error.is_connection_refusal() => "nothing listens there; check host and port, and that it runs",
        _ if is_tls(&text) => {
            "TLS failed; check ca, certificate and key, the name in the url, and that the server speaks TLS"
        }
        _ => "check that it runs and can be reached",
    };
    StoreError::Away(format!("redis at {url}: {text}; {help}"))
}

/// The server at `url` began to answer and did not get on.
pub(super) fn late(url: &str) -> StoreError {
    StoreError::Away(format!(
        "redis at {url}: it did not answer in time; check that it runs and is not overloaded"
    ))
}

/// What the answer `error` of the server at `url` means.
pub(super) fn of_answer(url: &str, error: &ServerError) -> StoreError {
    of_code(url, error.code(), error.details().unwrap_or_default())
}

fn of_code(url: &str, code: &str, detail: &str) -> StoreError {
    let code = cause(code, detail);
    if code == "OOM" {
        return StoreError::Full(format!(
            "redis at {url} has no memory left; raise maxmemory, or give it more memory"
        ));
    }
    let help = match code {
        "NOAUTH" => "it wants a password; put it into the url, redis://:password@host",
        "WRONGPASS" => "it refuses the user or password in the url",
        "NOPERM" => {
            "the user in the url may not do this; allow it ~signalbox:* +@read +@write +@scripting +info +time +config|get"
        }
        "LOADING" => "it is still loading its data; wait",
        "READONLY" | "MASTERDOWN" => "it is a replica; name the primary in the url",
        "MISCONF" => "it cannot save its data and therefore refuses writes; look at its disk",
        "BUSY" => "a script keeps it busy; wait, or end the script",
        "MOVED" | "ASK" => "part of the store is on another node of the cluster; it will be looked for",
        "CLUSTERDOWN" => "the cluster has no server for some slots; look at CLUSTER INFO",
        "NOREPLICAS" => "it has fewer replicas than min-replicas-to-write asks for",
        _ => "is it a Redis of version 6 or later?",
    };
    StoreError::Away(format!("redis at {url}: {code} {detail}; {help}"))
}

/// The code that tells what is wrong. Before version 7 an error within a script is an `ERR`, and its own code is in the text.
fn cause<'a>(code: &'a str, detail: &'a str) -> &'a str {
    const WITHIN_SCRIPTS: [&str; 8] = [
        "OOM",
        "READONLY",
        "MASTERDOWN",
        "LOADING",
        "MISCONF",
        "NOPERM",
        "NOREPLICAS",
        "CLUSTERDOWN",
    ];
    if code != "ERR" || !detail.starts_with("Error running script") {
        return code;
    }
    let mut words = detail.split_whitespace().map(|word| word.trim_start_matches('-'));
    words.find(|word| WITHIN_SCRIPTS.contains(word)).unwrap_or(code)
}

/// Whether the connection is of no use any more after this answer, since the server became something else.
pub(super) fn ends_connection(error: &ServerError) -> bool {
    matches!(
        cause(error.code(), error.details().unwrap_or_default()),
        "READONLY" | "MASTERDOWN" | "LOADING" | "NOAUTH" | "MOVED" | "ASK" | "CLUSTERDOWN"
    )
}

/// An answer that no Redis gives to what was asked.
pub(super) fn unexpected(what: &str) -> StoreError {
    StoreError::Away(format!(
        "redis gave an answer to {what} that no Redis gives; check what listens there"
    ))
}

fn is_tls(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["tls", "certificate", "handshake", "peer sent"]
        .iter()
        .any(|word| text.contains(word))
}

#[cfg(test)]
mod tests;
