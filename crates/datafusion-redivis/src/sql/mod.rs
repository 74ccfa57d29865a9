//! Text to what DataFusion can plan: identifiers, table functions, URLs.
//!
//! In: parsed statements. Out: the same statements, in words that DataFusion's planner knows. Uses `catalog` and what is below
//! it.

pub(crate) mod functions;
pub(crate) mod identifiers;
