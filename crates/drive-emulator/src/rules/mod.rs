//! What Drive allows and what follows from it, for whoever asks: HTTP calls and the control API alike.

pub mod access;
pub mod changelog;
pub mod copy;
pub mod create;
pub mod cx;
pub mod drives;
pub mod feed;
pub mod meta;
pub mod movement;
pub mod permissions;
pub mod remove;
pub mod update;
