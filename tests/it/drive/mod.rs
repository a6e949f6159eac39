//! The Drive adapter over real HTTP.

mod emulated;
mod failures;
mod script;
mod tokens;
mod transfers;
mod wire;
