//! redivis-server
fn main() {}
