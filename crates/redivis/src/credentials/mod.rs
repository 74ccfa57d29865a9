//! Who is asking: the bearer token, and where it comes from.
//!
//! In: a [`Token`], or a [`TokenSource`] that gives the current one. Out, for requests alone: the token to send now, another
//! one where it was refused, and whose hosts may know it. Uses errors, nothing else.

mod current;
mod single_flight;
mod source;
mod token;
mod trust;

pub(crate) use current::Credentials;
pub(crate) use single_flight::SingleFlight;
pub use source::TokenSource;
pub use token::Token;
pub(crate) use trust::Trust;
