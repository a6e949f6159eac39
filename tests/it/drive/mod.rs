//! The Drive adapter over real HTTP.

mod failures;
mod script;
mod tokens;
mod transfers;
mod wire;
