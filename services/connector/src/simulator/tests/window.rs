//! What a window carries.

use super::*;

/// Passwords, which the whole window is open to, through a carrier that answers each part after the same time, for ten seconds
/// of virtual time.
#[tokio::test(start_paused = true)]
async fn a_window_of_w_carries_w_parts_in_each_round_trip() {
    for (window, round_trip_ms) in [(1, 50_u32), (10, 50), (10, 400), (50, 100), (100, 250)] {
        let world = World::new(&["atlas"]).await;
        let expected = f64::from(window) * 10_000.0 / f64::from(round_trip_ms);
        let passwords = (1..=expected as u128 * 2).map(|n| {
            let mut password = order(n);
            password.message.class = sms::Class::Otp;
            password
        });
        world.publish(&passwords.collect::<Vec<_>>()).await;
        let config = SimulatorConfig {
            latency: Duration::from_millis(round_trip_ms.into()),
            ..SimulatorConfig::default()
        };
        let hub = Hub::recording();
        let running = Running::with_window(&world, &hub, config, window);
        run_for(10).await;
        let carried = hub.submitted().len() as f64;
        assert!(
            (expected * 0.9..=expected * 1.1).contains(&carried),
            "a window of {window} at {round_trip_ms} ms carried {carried}, not {expected}"
        );
        drop(running);
    }
}
