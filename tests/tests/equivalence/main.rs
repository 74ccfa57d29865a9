//! What arrives equals what is stored: random tables, random queries, random breaks on the wire, streams that disagree.
//!
//! Every case is made from a seed that its failure names, so that it can be run again alone.

mod answer;
mod disagree;
mod files;
mod limits;
mod resume;
mod session;
