//! Signing in with the shell, at a server that logs in whoever opens its page: on a terminal, from scripts, and afterwards.

mod flow;
mod home;
mod refusals;
mod renewal;
