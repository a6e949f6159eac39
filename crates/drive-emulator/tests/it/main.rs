//! The emulator over real HTTP. Tests are named after the items of the behaviour specification they hold.

mod b0_transport;
mod b1_create;
mod b1_resumable;
mod b2_content;
mod b2_files;
mod b3_sharing;
mod b4_changes;
mod b5_push;
mod b8_batch;
mod control_api;
mod credentials;
mod readers;
mod serving;
mod support;
