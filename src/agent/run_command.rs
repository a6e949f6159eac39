//! Running a program nobody here wrote: its own process group, a time limit, and bounded memory for what it prints.

use std::collections::VecDeque;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::config::env_names::{CREDENTIALS_DIRECTORY, VM_API_KEY};

/// How long a program that is out of time has to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// How long what it started may still hold its output open once it has ended.
const LEFTOVERS: Duration = Duration::from_millis(500);
/// How much of the end of stdout is kept.
const STDOUT_BYTES: usize = 64 * 1024;
/// How much of the end of stderr is kept.
const STDERR_BYTES: usize = 8 * 1024;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By itself.
    Exit(i32),
    /// By a signal that was not ours, its own or that of what it ran.
    Signal(i32),
    /// By us, when its time was up.
    OutOfTime,
}

/// A program that ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// How.
    pub how: How,
    /// The end of what it printed.
    pub stdout: String,
    /// The end of what it complained.
    pub stderr: String,
}

/// Runs `command` for at most `limit`. An error means that it could not be started.
pub(super) async fn run(mut command: Command, limit: Duration) -> io::Result<Ended> {
    // The keys are no business of a program that judges files, nor where systemd put copies of them.
    command.env_remove(VM_API_KEY).env_remove(CREDENTIALS_DIRECTORY);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    let mut child = command.spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut stdout = Tail::of(child.stdout.take(), STDOUT_BYTES);
    let mut stderr = Tail::of(child.stderr.take(), STDERR_BYTES);
    let how = if let Ok(status) = tokio::time::timeout(limit, child.wait()).await {
        how(status?)
    } else {
        signal(group, Signal::TERM);
        if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
            signal(group, Signal::KILL);
            child.wait().await?;
        }
        How::OutOfTime
    };
    // Whatever it started and left behind ends with it.
    signal(group, Signal::KILL);
    Ok(Ended { how, stdout: stdout.end().await, stderr: stderr.end().await })
}

/// A shell that a signal interrupts, or whose program one ended, says 128 and the signal's number. Those that come from
/// outside (HUP, INT, KILL, TERM: a machine that shuts down or has no memory left) judge no file.
fn how(status: ExitStatus) -> How {
    match (status.code(), status.signal()) {
        (Some(code @ (129 | 130 | 137 | 143)), _) => How::Signal(code - 128),
        (Some(code), _) => How::Exit(code),
        (None, signal) => How::Signal(signal.unwrap_or_default()),
    }
}

fn signal(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It fails where the group is empty already, which is what is wanted.
        let _ = kill_process_group(group, signal);
    }
}

/// The end of a stream that is read to its end, however long it is.
struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    reading: Option<JoinHandle<()>>,
}

impl Tail {
    fn of(stream: Option<impl AsyncRead + Unpin + Send + 'static>, most: usize) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let reading = stream.map(|mut stream| {
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 16 * 1024];
                while let Ok(n @ 1..) = stream.read(&mut buffer).await {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    kept.extend(&buffer[..n]);
                    let over = kept.len().saturating_sub(most);
                    kept.drain(..over);
                }
            })
        });
        Self { kept, reading }
    }

    /// What is kept once the stream has ended; a stream that somebody holds open is let go of.
    async fn end(&mut self) -> String {
        if let Some(mut reading) = self.reading.take()
            && tokio::time::timeout(LEFTOVERS, &mut reading).await.is_err()
        {
            reading.abort();
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(kept.make_contiguous()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    async fn sh(script: &str, limit: Duration) -> Ended {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, limit).await.expect("sh starts")
    }

    #[tokio::test]
    async fn exit_codes_signals_and_the_end_of_what_was_printed() {
        let ended = sh("echo um; echo dois; echo porque >&2; exit 3", GRACE).await;
        assert_eq!((ended.how, ended.stdout.as_str(), ended.stderr.as_str()), (How::Exit(3), "um\ndois\n", "porque\n"));
        assert_eq!(sh("kill -9 $$", GRACE).await.how, How::Signal(9));
        assert_eq!(sh("trap 'exit 143' TERM; kill $$", GRACE).await.how, How::Signal(15));
        assert_eq!(sh("sh -c 'kill -9 $$'; exit $?", GRACE).await.how, How::Signal(9), "what it ran was killed, and it says so");
        assert_eq!(sh("exit 139", GRACE).await.how, How::Exit(139), "a fault of the program's own is its answer");
    }

    #[tokio::test]
    async fn a_flood_of_output_keeps_its_end_only() {
        let ended = sh("head -c 30000000 /dev/zero | tr '\\0' x; echo fim", Duration::from_mins(1)).await;
        assert!(ended.stdout.len() <= STDOUT_BYTES && ended.stdout.ends_with("xfim\n"));
    }

    #[tokio::test]
    async fn out_of_time_the_whole_group_ends_even_one_that_ignores_the_first_signal() {
        let dir = tempfile::tempdir().expect("temp dir");
        let pids = dir.path().join("pids");
        let began = Instant::now();
        let script = format!("trap '' TERM; sh -c 'trap \"\" TERM; sleep 60' & echo $! $$ > {}; sleep 60; sleep 60", pids.display());
        let ended = sh(&script, Duration::from_millis(300)).await;
        assert_eq!(ended.how, How::OutOfTime);
        assert!(began.elapsed() < Duration::from_secs(10));
        for pid in std::fs::read_to_string(&pids).expect("written").split_whitespace() {
            let until = Instant::now() + Duration::from_secs(5);
            // A killed process may stay as a zombie until its new parent looks.
            let alive = |pid: &str| {
                std::fs::read_to_string(format!("/proc/{pid}/stat"))
                    .is_ok_and(|s| !s.rsplit(") ").next().is_some_and(|r| r.starts_with('Z')))
            };
            while alive(pid) && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(!alive(pid), "{pid} lives on");
        }
    }

    #[tokio::test]
    async fn what_is_left_behind_in_the_background_does_not_hold_us() {
        let began = Instant::now();
        let ended = sh("(sleep 30; echo tarde) & echo pronto", Duration::from_mins(1)).await;
        assert_eq!((ended.how, ended.stdout.as_str()), (How::Exit(0), "pronto\n"));
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
