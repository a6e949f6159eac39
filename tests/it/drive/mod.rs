//! The Drive adapter over real HTTP.

mod emulated;
mod emulated_content;
mod failures;
mod script;
mod tokens;
mod transfers;
mod wire;
