//! The store in a Redis keeps every guarantee.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may, and runs a real server"
)]

#[path = "rig/fixture.rs"]
mod fixture;
#[path = "rig/server.rs"]
mod server;

use fixture::OnRedis;
use server::Server;

/// One that loses nothing when it is killed.
async fn on_redis() -> OnRedis {
    OnRedis::new(Server::start(&["--appendonly yes", "--appendfsync always"])).await
}

store::conformance_suite!(on_redis());
