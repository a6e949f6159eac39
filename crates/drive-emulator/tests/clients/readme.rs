//! The README's own blocks, run as they stand: what they print is what it says.

use std::path::Path;
use std::process::Command;

use crate::support::{Place, Rig, beside, finish, free, installed, limited, python};

const README: &str = include_str!("../../README.md");

/// The text of a block, by what stands behind its fence.
fn block(fence: &str) -> &'static str {
    let start = format!("```{fence}\n");
    let (_, rest) = README.split_once(&start).unwrap_or_else(|| panic!("no block {fence}"));
    rest.split_once("\n```").unwrap_or_else(|| panic!("{fence} does not end")).0
}

/// A program that finds the binary by its name and nothing of this machine's accounts.
fn command(place: &Place, program: &Path) -> Command {
    let mut command = limited(program);
    let binary = Path::new(env!("CARGO_BIN_EXE_drive-emulator")).parent().expect("a directory");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a PATH"));
    command.env_clear().env("PATH", path).env("HOME", place.path()).current_dir(place.path());
    command
}

/// Runs blocks in one shell, whose background programs end with it.
async fn shell(blocks: &str) -> String {
    let place = Place::new();
    let script = format!("trap 'kill $(jobs -p)' EXIT\n{blocks}\n");
    let mut command = command(&place, Path::new("bash"));
    command.arg(place.file("block.sh", &script));
    finish(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn five_minutes_with_curl_and_its_troubles() {
    let port = free().port().to_string();
    let here = |name: &str| block(name).replace("8080", &port);
    let said = shell(&format!("{}\n{}", here("sh quick"), here("sh trouble"))).await;
    assert_eq!(said.trim_end(), format!("{}\n{}", here("text quick"), here("text trouble")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_block() {
    let place = Place::new();
    let mut command = command(&place, &python());
    command.arg("-B").arg(place.file("drive.py", block("python drive.py")));
    assert_eq!(finish(command).await.trim_end(), block("text drive.py"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_block() {
    let (rig, place) = (Rig::start().await, Place::new());
    let mut command = command(&place, Path::new("node"));
    command.env("NODE_PATH", installed("TECNICO_TEST_NODE", "test-node").join("node_modules"));
    command.arg(place.file("drive.cjs", block("js drive.cjs"))).arg(rig.emulator.url());
    assert_eq!(finish(command).await.trim_end(), block("text drive.cjs"));
    rig.nothing_unknown();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rclone_block() {
    let proxy = beside("rclone/proxy.py");
    let script = block("sh rclone")
        .replace("8090", &free().port().to_string())
        .replace("crates/drive-emulator/tests/clients/rclone/proxy.py", &proxy.to_string_lossy())
        .replace("python3 ", &format!("{} -B ", python().display()));
    assert_eq!(shell(&script).await.trim_end(), block("text rclone"));
}
