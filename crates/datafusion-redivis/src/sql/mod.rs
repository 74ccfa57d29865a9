//! Text to what DataFusion can plan: references without quotes, URLs, table functions, identifiers.
//!
//! In: parsed statements. Out: the same statements, in words that DataFusion's planner knows. Uses `catalog` and what is below
//! it. [`statement`] is what the others walk over.

pub(crate) mod functions;
pub(crate) mod identifiers;
pub(crate) mod references;
pub(crate) mod statement;
pub(crate) mod urls;

#[cfg(test)]
mod tests;
