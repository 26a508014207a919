//! Talking to the target.
//!
//! - [`BaseUrl`]: where the target is.
//! - [`Dialer`]: from there to a [`Stream`], over TCP, TLS or a Unix domain socket; [`Trust`] says
//!   whose certificates count.
//! - [`RequestEncoder`]: a command as the bytes of a request, as Limosa sends it or byte for byte
//!   as the course's simulator does.
//! - [`http1`]: one connection that sends those bytes and reads the answer. Limosa speaks HTTP/1.1
//!   itself where it measures, since the instants of the first byte and of the last, whether
//!   anything was sent at all, and bytes that should not be there are the measurement; parsing is
//!   `httparse`'s.
//! - [`Sender`]: connections, timeouts, and what the sender knows of a request's effect.
//! - [`readback`]: reading the target back through its public API, with reqwest.

mod base_url;
mod dial;
mod encode;
pub(crate) mod fetch;
pub mod http1;
pub mod readback;
mod sender;
mod stream;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;

pub use base_url::{BaseUrl, BaseUrlError};
pub use dial::{DialError, Dialer};
pub use encode::{ClientKind, RequestEncoder};
pub use sender::{Attempt, KeepAlive, Sender, Timeouts};
pub use stream::Stream;
pub use tls::{Trust, TrustError};
