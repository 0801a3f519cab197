//! The wire: `.proto` files, the code generated from them, and conversions to and from the domain types.
//!
//! Generated types ([`pb`]) stay at the edge that received them; everything further in speaks the types of `sms` and
//! `journey`.

pub mod carrier;
pub mod codec;
pub mod ingest;
pub mod keys;
pub mod record;
pub mod server;
pub mod sms;
pub mod tables;
pub mod topics;

/// Code generated from the `.proto` files, one module per package.
#[allow(missing_docs, clippy::all, reason = "generated")]
pub mod pb {
    include!(concat!(env!("OUT_DIR"), "/packages.rs"));
}

/// Encoded descriptor set of all packages, for server reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/signalbox.bin"));
