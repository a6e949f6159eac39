//! The errors Drive gives, by name (`drive-v3-behaviour` 6b and the items named in each).

mod credentials;
mod forbidden;
mod missing;
mod trouble;
mod wrong;
