//! redivis-sql
fn main() {}
