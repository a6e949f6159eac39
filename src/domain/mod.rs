//! The nouns of the product and its pure rules: no I/O, no async, nothing of any other layer.

pub mod clock;
pub mod event;
pub mod folder;
pub mod gate;
pub mod item;
pub mod reach;
pub mod tags;
pub mod technician;
pub mod text;
