use super::*;

#[test]
fn load_stays_on_this_machine() {
    for far in [
        "http://10.0.0.1:7070",
        "192.0.2.7:7070",
        "http://[2001:db8::1]:7070",
        "0.0.0.0:7070",
    ] {
        assert!(
            far.parse::<Target>()
                .unwrap_err()
                .to_string()
                .contains("is not on this machine"),
            "{far}"
        );
    }
    for near in [
        "http://127.0.0.1:7070",
        "127.0.0.1:7070/",
        "http://[::1]:7070",
        "http://localhost:7070",
    ] {
        assert!(near.parse::<Target>().is_ok(), "{near}");
    }
}

#[test]
fn what_is_no_address_is_refused_with_an_example() {
    assert!(
        "127.0.0.1"
            .parse::<Target>()
            .unwrap_err()
            .to_string()
            .contains("http://HOST:PORT")
    );
    assert!(
        "https://127.0.0.1:1"
            .parse::<Target>()
            .unwrap_err()
            .to_string()
            .contains("TLS")
    );
}
