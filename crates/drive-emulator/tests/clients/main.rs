//! Real clients that nobody here wrote, unmodified, against the emulator (`drive-v3-behaviour` 10).
//!
//! Each test starts an emulator in process and the client as a child process. `scripts/test` installs the clients;
//! a test whose client is missing fails and says so.

mod discovery;
mod node;
mod python;
mod rclone;
mod readme;
mod support;
