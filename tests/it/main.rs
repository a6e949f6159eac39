//! One integration binary.

mod agent;
mod callback;
mod clients;
mod completions;
mod contract;
mod corpus;
mod docs;
mod doctor;
mod drive;
mod fs_layout;
mod imports;
mod init;
mod kill;
mod ledger;
mod logs;
mod machine;
mod man;
mod packaging;
mod provision;
mod schemas;
mod serve;
mod service;
mod simulate;
mod ssh;
mod support;
