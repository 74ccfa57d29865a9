//! Statements on Redivis as plans: definitions, procedures, `INSERT` and `COPY`.
//!
//! In: parsed statements. Out: logical plans, and what carries them out. Uses `catalog` and what is below it.

mod carried;
mod casts;
mod copy;
pub(crate) mod definition;
pub(crate) mod insert;
mod procedure;

pub(crate) use self::casts::NoImplicitCasts;
pub(crate) use self::copy::Copy;
pub(crate) use self::definition::Definition;
pub(crate) use self::procedure::Procedure;
