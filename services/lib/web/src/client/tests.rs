//! What the client reads in the headers of an answer.

use super::*;

/// Seconds; `-` = nothing that can be understood.
fn waits(written: &[(HeaderName, &'static str)]) -> String {
    let headers = written.iter().cloned();
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    retry_after(&headers.collect()).map_or("-".to_owned(), |wait| wait.as_secs().to_string())
}

#[test]
fn retry_after_is_seconds_or_a_date_by_the_server_s_own_clock() {
    let now = (DATE, "Fri, 31 Dec 1999 23:59:29 GMT");
    assert_eq!(waits(&[(RETRY_AFTER, "120")]), "120");
    assert_eq!(
        waits(&[(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT"), now.clone()]),
        "30"
    );
    assert_eq!(
        waits(&[(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:00 GMT"), now.clone()]),
        "-",
        "it is over"
    );
    assert_eq!(
        waits(&[(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT")]),
        "-",
        "no clock to go by"
    );
    assert_eq!(waits(&[(RETRY_AFTER, "soon"), now]), "-");
    assert_eq!(waits(&[]), "-");
}
