//! From flags, environment and files to plain [`Settings`], resolved once.

pub mod settings;

pub use settings::Settings;
