//! What reading costs and how it stops: memory, the flow of bytes, what is left when a reader goes away, and what `doctor` reports of it.
//!
//! One binary, because each that links DataFusion takes long to link.

mod doctor;
mod flow;
mod interrupt;
mod leaving;
mod memory;
mod prompt;
mod query;
mod tables;
mod upload;
mod wire;
