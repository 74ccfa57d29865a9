//! Who is asking: the bearer token, and where it comes from.
//!
//! In: a [`Token`], or a [`TokenSource`] that gives the current one. Out, for requests alone: the token to send now, and another
//! one where it was refused. Uses errors, nothing else: which URLs are told the token is the request's business.

mod current;
mod single_flight;
mod source;
mod token;

pub(crate) use current::Credentials;
pub use source::TokenSource;
pub use token::Token;
