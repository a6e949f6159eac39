//! A real mount, where FUSE can run: what others change on Drive is seen in it without asking.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::ANA;
use super::setup::Rclone;

/// `rclone mount`, unmounted when this is dropped.
struct Mount {
    at: PathBuf,
    child: Child,
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a test that failed may still have the directory open.
        let _ = Command::new("fusermount3").args(["-u", "-z"]).arg(&self.at).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why there is no FUSE on this machine, if there is none.
fn no_fuse() -> Option<String> {
    let device = OpenOptions::new().read(true).write(true).open("/dev/fuse");
    device.err().map(|error| format!("/dev/fuse cannot be opened: {error}"))
}

/// What is in a directory of the mount, sorted; nothing while it cannot be read.
fn names(of: &Path) -> Vec<String> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until a folder of the mount has these names. The emulator answers in this process: reading waits for it off
/// its threads.
async fn shows(mount: &mut Mount, folder: &Path, wanted: &[&str]) {
    let deadline = Instant::now() + Duration::from_mins(2);
    loop {
        let folder = folder.to_owned();
        let found = tokio::task::spawn_blocking(move || names(&folder)).await.expect("no panic");
        if found == wanted {
            return;
        }
        assert!(mount.child.try_wait().expect("asked").is_none(), "rclone ended");
        assert!(Instant::now() < deadline, "wanted {wanted:?}, found {found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_follows_the_changes() {
    if let Some(reason) = no_fuse() {
        let _ = writeln!(std::io::stderr(), "SKIPPED, nothing was mounted: {reason}");
        return;
    }
    let rclone = Rclone::start().await;
    let control = &rclone.rig.control;
    let orders = control.mkdir(ANA, "root", "orders").expect("a folder");
    let first = control.put(ANA, &orders, "first.txt", b"one", "text/plain").expect("a file");
    // The directory cache lives for hours: only the poll of changes tells of what is new.
    let (at, child) = rclone.mount("ana:", &["--poll-interval", "200ms", "--dir-cache-time", "10h"]);
    let mut mount = Mount { at, child };
    let folder = mount.at.join("orders");
    shows(&mut mount, &folder, &["first.txt"]).await;
    control.put(ANA, &orders, "second.txt", b"two", "text/plain").expect("a file");
    shows(&mut mount, &folder, &["first.txt", "second.txt"]).await;
    control.rename(ANA, &first, "renamed.txt").expect("it is renamed");
    shows(&mut mount, &folder, &["renamed.txt", "second.txt"]).await;
    let file = folder.join("renamed.txt");
    let read = tokio::task::spawn_blocking(move || fs::read(file)).await.expect("no panic");
    assert_eq!(read.expect("it is read"), b"one");
    let (from, to) = (rclone.dir().join("written.txt"), folder.join("written.txt"));
    fs::write(&from, "from the mount").expect("a file");
    tokio::task::spawn_blocking(move || fs::copy(from, to)).await.expect("no panic").expect("it is written");
    control.trash(ANA, &first).expect("it is trashed");
    shows(&mut mount, &folder, &["second.txt", "written.txt"]).await;
    assert!(rclone.rig.count("changes.list") >= 3, "the mount asks for changes");
    assert!(rclone.rig.count("files.create") >= 1, "what is written into the mount reaches Drive");
    rclone.rig.nothing_unknown();
}
