//! The README's own blocks, run as they stand: what they print is what it says.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{Rig, beside, finish, installed, limited, python};

const README: &str = include_str!("../../README.md");

/// Tests of one process that made a directory.
static MADE: AtomicU32 = AtomicU32::new(0);

/// The text of a block, by what stands behind its fence.
fn block(fence: &str) -> &'static str {
    let start = format!("```{fence}\n");
    let (_, rest) = README.split_once(&start).unwrap_or_else(|| panic!("no block {fence}"));
    rest.split_once("\n```").unwrap_or_else(|| panic!("{fence} does not end")).0
}

/// A directory of its own, which goes with it.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let name = format!("readme-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&dir).expect("a directory for the test");
        Self(dir)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.0.join(name), text).expect("a file");
        self.0.join(name)
    }

    /// A program that finds the binary by its name and nothing of this machine's accounts.
    fn command(&self, program: &Path) -> Command {
        let mut command = limited(program);
        let binary = Path::new(env!("CARGO_BIN_EXE_drive-emulator")).parent().expect("a directory");
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a PATH"));
        command.env_clear().env("PATH", path).env("HOME", &self.0).current_dir(&self.0);
        command
    }

    /// Runs blocks in one shell, whose background programs end with it.
    async fn shell(&self, blocks: &str) -> String {
        let script = format!("trap 'kill $(jobs -p)' EXIT\n{blocks}\n");
        let mut command = self.command(Path::new("bash"));
        command.arg(self.file("block.sh", &script));
        finish(command).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A directory left behind harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that was free a moment ago.
fn free() -> String {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.expect("a free port").port().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_minutes_with_curl_and_its_troubles() {
    let port = free();
    let here = |name: &str| block(name).replace("8080", &port);
    let said = Place::new().shell(&format!("{}\n{}", here("sh quick"), here("sh trouble"))).await;
    assert_eq!(said.trim_end(), format!("{}\n{}", here("text quick"), here("text trouble")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_block() {
    let place = Place::new();
    let mut command = place.command(&python());
    command.arg("-B").arg(place.file("drive.py", block("python drive.py")));
    assert_eq!(finish(command).await.trim_end(), block("text drive.py"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_block() {
    let (rig, place) = (Rig::start().await, Place::new());
    let mut command = place.command(Path::new("node"));
    command.env("NODE_PATH", installed("TECNICO_TEST_NODE", "test-node").join("node_modules"));
    command.arg(place.file("drive.cjs", block("js drive.cjs"))).arg(rig.emulator.url());
    assert_eq!(finish(command).await.trim_end(), block("text drive.cjs"));
    rig.nothing_unknown();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rclone_block() {
    let proxy = beside("rclone/proxy.py");
    let script = block("sh rclone")
        .replace("8090", &free())
        .replace("crates/drive-emulator/tests/clients/rclone/proxy.py", &proxy.to_string_lossy())
        .replace("python3 ", &format!("{} -B ", python().display()));
    assert_eq!(Place::new().shell(&script).await.trim_end(), block("text rclone"));
}
