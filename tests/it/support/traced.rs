//! A process watched at each of its system calls (ptrace), to be killed exactly after something that only the kernel
//! sees it do: the n-th rename, or the n-th commit of its ledger.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// No run takes this long.
const HANGS: Duration = Duration::from_mins(3);

/// What a process does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A rename, also one that is refused because the name is taken.
    Rename,
    /// The disk has what was written to the ledger's log.
    Commit,
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Traced {
    /// How many renames it came to.
    pub renames: u64,
    /// How many commits it came to.
    pub commits: u64,
    /// Its exit code; none where it was killed.
    pub code: Option<i32>,
}

/// Runs a command to its end, or until so many effects of one sort are done: no thread of it does anything after that.
pub fn run(command: &Command, kill_after: Option<(Effect, u64)>) -> anyhow::Result<Traced> {
    // Only the thread that starts a process may watch it: one of its own, so that it waits for nobody else's.
    std::thread::scope(|scope| scope.spawn(|| watch(command, kill_after)).join()).map_err(|_| anyhow!("the watcher panicked"))?
}

fn watch(command: &Command, kill_after: Option<(Effect, u64)>) -> anyhow::Result<Traced> {
    let mut child = held_back(command).spawn().context("the binary starts")?;
    let pid = Pid::from_raw(child.id().cast_signed());
    let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    if let Err(e) = ptrace::seize(pid, options) {
        // Before its standard input closes: what nobody watches must not run.
        child.kill()?;
        child.wait()?;
        return Err(e).context("this system lets nobody watch a process of his own (ptrace)");
    }
    ptrace::interrupt(pid)?;
    drop(child.stdin.take());
    std::thread::scope(|scope| {
        let (ended, end) = mpsc::channel::<()>();
        scope.spawn(move || end.recv_timeout(HANGS) == Err(mpsc::RecvTimeoutError::Timeout) && kill(pid, Signal::SIGKILL).is_ok());
        let traced = follow(pid, kill_after);
        drop(ended);
        traced
    })
}

/// The command, waiting until its standard input is closed.
fn held_back(command: &Command) -> Command {
    let mut held = Command::new("sh");
    held.args(["-c", "read -r _; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => held.env(name, value),
            None => held.env_remove(name),
        };
    }
    held.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    held
}

fn follow(pid: Pid, kill_after: Option<(Effect, u64)>) -> anyhow::Result<Traced> {
    let mut traced = Traced::default();
    loop {
        let (thread, signal) = match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)) {
            Ok(WaitStatus::Exited(who, code)) if who == pid => return Ok(Traced { code: Some(code), ..traced }),
            Ok(WaitStatus::Signaled(who, ..)) if who == pid => {
                let reached = kill_after.is_some_and(|(effect, n)| traced.count(effect) >= n);
                return if reached { Ok(traced) } else { bail!("it hangs, or somebody else killed it") };
            }
            Ok(WaitStatus::PtraceSyscall(thread)) => {
                let done = just_done(thread);
                match done {
                    Some(Effect::Rename) => traced.renames += 1,
                    Some(Effect::Commit) => traced.commits += 1,
                    None => {}
                }
                if kill_after.is_some_and(|(effect, n)| done == Some(effect) && traced.count(effect) == n) {
                    kill(pid, Signal::SIGKILL)?;
                    continue;
                }
                (thread, None)
            }
            Ok(WaitStatus::Stopped(thread, signal)) => (thread, Some(signal)),
            Ok(WaitStatus::PtraceEvent(thread, ..)) => (thread, None),
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(e) => return Err(e).context("waiting for it"),
        };
        match ptrace::syscall(thread, signal) {
            Ok(()) | Err(Errno::ESRCH) => {} // gone meanwhile
            Err(e) => return Err(e).context("letting it go on"),
        }
    }
}

impl Traced {
    fn count(&self, effect: Effect) -> u64 {
        match effect {
            Effect::Rename => self.renames,
            Effect::Commit => self.commits,
        }
    }
}

/// The effect of the system call that `thread` comes back from. Its number and arguments stand in /proc, in hexadecimal.
fn just_done(thread: Pid) -> Option<Effect> {
    if ptrace::syscall_info(thread).ok()?.op != libc::PTRACE_SYSCALL_INFO_EXIT {
        return None;
    }
    let call = std::fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let mut words = call.split_whitespace();
    let number: libc::c_long = words.next()?.parse().ok()?;
    if [libc::SYS_renameat, libc::SYS_renameat2].contains(&number) {
        return Some(Effect::Rename);
    }
    if ![libc::SYS_fsync, libc::SYS_fdatasync].contains(&number) {
        return None;
    }
    let file = i32::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
    let path = std::fs::read_link(format!("/proc/{thread}/fd/{file}")).ok()?;
    path.to_string_lossy().ends_with("-wal").then_some(Effect::Commit)
}
