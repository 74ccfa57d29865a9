//! Statements that run on Redivis give what they give here: generated ones, benchmarks' ones, and ones that try to break out.
//!
//! Every generated case is made from a seed that its failure names, so that it can be run again alone.

mod answer;
mod data;
mod differential;
mod generator;
mod safe;
mod session;
mod tpcds;
