//! The `tecnico` binary.
fn main() {}
