//! Other people's HTTP, as those who ask and those who are told need it: a client that trusts whom it should and reads no more
//! than it should, texts with places in them, places in JSON, and words of strangers made fit for a log.

mod address;
mod client;
pub mod keys;
mod plain;
mod pointer;
pub mod server;
mod template;
mod tls;

pub use address::check as check_address;
pub use client::{ANSWER_OCTETS_MAX, Answer, Broken, Client, Failure, Request};
pub use hyper::{
    Method, StatusCode, Uri,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
pub use plain::{discreet, plain, quoted};
pub use pointer::text_at;
pub use rustls::RootCertStore;
pub use server::Call;
pub use template::{Escape, Template};
pub use tls::{certificates, roots};
