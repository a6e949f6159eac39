//! The binary as a process.

use std::ffi::OsStr;
use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

/// A running emulator, killed without a word when it goes.
pub struct Binary {
    pub process: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
}

impl Binary {
    /// Starts it, with its standard error where `stderr` says.
    pub fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>, stderr: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drive-emulator"));
        let mut process = command.args(arguments).stdout(Stdio::piped()).stderr(stderr).spawn().expect("the binary starts");
        let mut url = String::new();
        std::io::BufReader::new(process.stdout.take().expect("piped")).read_line(&mut url).expect("it prints its address");
        Self { process, url: url.trim().to_owned() }
    }

    pub fn kill(&mut self) {
        self.process.kill().expect("it is killed");
        self.process.wait().expect("it is gone");
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // The test may have killed it, or it ended, which the test has told.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
