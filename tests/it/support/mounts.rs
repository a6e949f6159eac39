//! Commands with a mount of their own, which nobody else on the machine sees.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use super::world::{Ran, finish};

/// Whether this machine lets its users mount in a namespace of their own; where it does not, that is said.
pub fn may_mount() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    *MAY.get_or_init(|| {
        let tried = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
        let may = tried.is_ok_and(|o| o.status.success());
        if !may {
            // Past the capture of the test's output, which shows nothing of a test that passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED or weaker: this machine lets nobody mount (unshare -rm)");
        }
        may
    })
}

/// Runs a command after `mount`, in which `$0` is the folder; `None` where nobody may mount.
pub async fn mounted(mount: &str, folder: &Path, command: Command) -> Option<Ran> {
    if !may_mount() {
        return None;
    }
    let mut inside = Command::new("unshare");
    inside.args(["-rm", "sh", "-c", &format!("{mount} && exec \"$@\"")]).arg(folder);
    inside.arg(command.get_program()).args(command.get_args());
    Some(finish(inside).await)
}

/// Runs a command in which `folder` is on a read-only file system; `None` where nobody may mount.
pub async fn read_only(folder: &Path, command: Command) -> Option<Ran> {
    mounted("mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\"", folder, command).await
}

/// A shell that runs a program as `mounting` says where it may mount, and as `plain` says where it may not.
pub fn shell(mounting: &str, plain: &str, program: &Command) -> Command {
    let mounts = may_mount();
    let mut command = Command::new(if mounts { "unshare" } else { "sh" });
    if mounts {
        command.args(["-rm", "sh"]);
    }
    command.args(["-c", if mounts { mounting } else { plain }, "sh"]).arg(program.get_program()).args(program.get_args());
    command
}
