//! The emulator over real HTTP. Tests are named after the items of the behaviour specification they hold.

mod b0_requests;
mod b0_transport;
mod b11_switches;
mod b1_create;
mod b1_fields;
mod b1_resumable;
mod b1_sessions;
mod b2_content;
mod b2_files;
mod b2_listing;
mod b2_moving;
mod b2_reading;
mod b3_rules;
mod b3_sharing;
mod b4_changes;
mod b4_logs;
mod b5_push;
mod b6_errors;
mod b7_robots;
mod b8_batch;
mod conformance;
mod control_api;
mod credentials;
mod readers;
mod serving;
mod support;
