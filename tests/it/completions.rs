//! The completions, in the shells themselves.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::world::World;

/// A world with two technicians, one of them awkward to type, and `tecnico` on a path of its own.
async fn world() -> World {
    let world = World::new().await;
    world.json(0, &["create", "ana@example.com"]).await;
    world.json(0, &["create", "b 7"]).await;
    std::fs::create_dir(world.path("bin")).expect("made");
    symlink(env!("CARGO_BIN_EXE_tecnico"), world.path("bin/tecnico")).expect("linked");
    world
}

/// Runs a program of a shell with the completions of that shell in `$1`.
fn shell(world: &World, shell: &str, args: &[&str], program: &str) -> String {
    let script = world.path("completions");
    let printed = Command::new(env!("CARGO_BIN_EXE_tecnico")).args(["completions", shell]).output().expect("starts");
    assert!(printed.status.success(), "{printed:?}");
    std::fs::write(&script, printed.stdout).expect("written");
    let path = format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(shell);
    command.args(args).args(["-c", program]).env("PATH", path).env("SCRIPT", script).env("HOME", world.path(""));
    let output = command.env("TECNICO_CONFIG", world.path("config.toml")).output();
    let output = output.unwrap_or_else(|e| panic!("{shell} is missing: run scripts/test, which installs what the tests need ({e})"));
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_commands_flags_and_users() {
    let world = world().await;
    let complete = |words: &str| {
        let program = format!(
            "source \"$SCRIPT\"; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _tecnico_with_users tecnico \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        shell(&world, "bash", &["--norc"], &program)
    };
    assert_eq!(complete("tecnico sha"), "share\n");
    assert_eq!(complete("tecnico share --rev"), "--revoke\n");
    assert_eq!(complete("tecnico share a"), "ana@example.com\n");
    assert_eq!(complete("tecnico check ana@example.com b"), "b\\ 7\n");
    assert!(!complete("tecnico share ''").contains('['), "a placeholder is offered");
    assert!(!complete("tecnico share --with a").contains("ana@"), "a user is offered where an address is wanted");
    assert!(!complete("tecnico list a").contains("ana@"));
}

#[tokio::test(flavor = "multi_thread")]
async fn fish_completes_users() {
    let world = world().await;
    let complete = |line: &str| shell(&world, "fish", &["--no-config"], &format!("source $SCRIPT; complete -C '{line}'"));
    assert_eq!(complete("tecnico share a"), "ana@example.com\n");
    assert!(complete("tecnico sha").starts_with("share\t"));
}

#[tokio::test(flavor = "multi_thread")]
async fn zsh_takes_the_script_and_asks_for_users() {
    let world = world().await;
    let program = "compdef() { :; }; source $SCRIPT; compadd() { print -rl -- $users }; _tecnico_users";
    assert_eq!(shell(&world, "zsh", &["-f"], program), "ana@example.com\nb 7\n");
    let script = std::fs::read_to_string(world.path("completions")).expect("written");
    assert!(script.matches(":_tecnico_users'").count() >= 3, "users are asked for nowhere");
}

#[test]
fn a_key_pressed_without_a_config_says_and_makes_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let run = |config: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
        command
            .args(["completions", "users"])
            .env("HOME", dir.path())
            .env_remove("XDG_CONFIG_HOME")
            .env("TECNICO_CONFIG", dir.path().join(config));
        command.output().expect("starts")
    };
    std::fs::write(dir.path().join("fresh.toml"), "[drive]\nparent_folder_id = \"a\"\n[ledger]\npath = \"l.db\"\n").expect("written");
    for config in ["none.toml", "fresh.toml"] {
        let output = run(config);
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    }
    assert!(!dir.path().join("l.db").exists(), "a keypress made a ledger");
}
