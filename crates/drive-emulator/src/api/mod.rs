//! The HTTP surface of Drive v3.

pub mod about;
pub mod batch;
pub mod bearer;
pub mod call;
pub mod capabilities;
pub mod changes;
pub mod drives;
pub mod export;
pub mod files;
pub mod list;
pub mod media;
pub mod params;
pub mod permissions;
pub mod push;
pub mod render;
pub mod revisions;
pub mod routes;
pub mod scopes;
pub mod serve;
pub mod upload;
