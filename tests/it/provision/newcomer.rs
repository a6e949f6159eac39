//! What people who had never seen the program stumbled over.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::support::world::{Ran, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_share_with_everybody_can_be_taken_back() {
    let world = World::new().await;
    let created = world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    let novos = created["drive_folders"]["novos_folder_id"].as_str().expect("an id");
    world.control().share("ana@example.com", novos, "anyone", "reader").expect("shared by link");
    let found = world.json(1, &["check", "42"]).await;
    assert_eq!(found["findings"][0]["place"], "anyone");
    assert!(found["findings"][0]["fix"].as_str().is_some_and(|f| f.contains("share 42 --with anyone --revoke")), "{found}");
    world.run(&["share", "42", "--with", "anyone", "--revoke"]).await.expect(0);
    world.run(&["check", "42"]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_cannot_be_written_is_told() {
    let world = World::new().await;
    world.run(&["create", "42", "--email", "ana@example.com"]).await.expect(0);
    let mut command = world.command(&["list"]);
    command.stdout(OpenOptions::new().write(true).open("/dev/full").expect("opened")).stderr(Stdio::piped());
    let ran = Ran::of(&command.spawn().expect("starts").wait_with_output().expect("ends")).expect(74);
    assert!(ran.stderr.contains("could not be written"), "{}", ran.stderr);
}

#[test]
fn the_settings_are_shown_without_the_sandboxs_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
        Ran::of(&command.arg("--sandbox").arg(dir.path().join("sb")).args(words).output().expect("runs")).expect(0)
    };
    run(&["create", "42"]);
    let ran = run(&["config"]);
    assert!(ran.stdout.contains("[drive]") && !ran.stdout.contains("PRIVATE KEY"), "{}", ran.stdout);
}

#[test]
fn the_demo_writes_nothing_into_a_directory_in_use() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("config.toml"), "precious").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    Ran::of(&command.arg("demo").arg(dir.path()).output().expect("runs")).expect(73);
    assert_eq!(std::fs::read_to_string(dir.path().join("config.toml")).expect("there"), "precious");
}
