//! `redivis-sql login | logout | whoami`: a person signs in in a browser, and the shell keeps what that gives.
//!
//! In: arguments, the environment. Out: a file of credentials that only its owner can read, for every later run. The rules of the
//! protocol and of the file are `redivis::oauth`'s; here is what a person reads and types.

mod args;
mod identity;
mod names;
mod sign_in;
mod sign_out;

pub(crate) use args::Login;
pub(crate) use identity::whoami;
pub(crate) use names::known;
pub(crate) use sign_in::login;
pub(crate) use sign_out::logout;
