//! The `drive-emulator` binary.
fn main() {}
