//! The `tecnico` binary: everything lies in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tecnico::app::main(std::env::args_os())
}
