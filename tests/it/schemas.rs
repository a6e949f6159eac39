//! The schemas in docs/schema: they are those of the program, every one is met by a document it prints, and the page names
//! them all. That documents are as their schemas say is held wherever a test runs the binary (`support::documents`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::agent::Rig;
use crate::support::documents;
use crate::support::world::{Ran, finish};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");

fn files_in(dir: &Path) -> BTreeMap<String, String> {
    let read = std::fs::read_dir(dir).expect("a directory").flatten();
    read.map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read_to_string(e.path()).expect("a file"))).collect()
}

#[test]
fn the_schemas_are_those_of_the_program() {
    let dir = tempfile::tempdir().expect("a directory");
    let status = Command::new(env!("CARGO_BIN_EXE_tecnico")).arg("schema").arg(dir.path()).status().expect("starts");
    assert!(status.success());
    let (written, committed) = (files_in(dir.path()), files_in(&Path::new(DOCS).join("schema")));
    for name in written.keys().chain(committed.keys()) {
        let stale = "is stale: `rm docs/schema/*; cargo run -- schema docs/schema`";
        assert!(written.get(name) == committed.get(name), "docs/schema/{name} {stale}");
    }
}

#[test]
fn the_page_names_every_schema_and_exit_code() {
    let page = std::fs::read_to_string(Path::new(DOCS).join("exit-codes-and-json.md")).expect("the page");
    for name in documents::all() {
        assert!(page.contains(&format!("`{name}`")), "docs/exit-codes-and-json.md says nothing of {name}");
    }
    for exit in tecnico::error::Exit::ALL {
        let row = format!("| {} |", exit as u8);
        assert!(page.lines().any(|l| l.starts_with(&row)), "docs/exit-codes-and-json.md has no row {row}");
    }
}

/// Runs of the binary, and the schemas their documents follow.
struct Met<'r> {
    rig: &'r Rig,
    names: BTreeSet<String>,
}

impl Met<'_> {
    async fn by(&mut self, code: i32, args: &[&str]) -> Ran {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.of(finish(self.rig.world.command(&args)).await.expect(code))
    }

    fn of(&mut self, ran: Ran) -> Ran {
        let names = documents::names(&ran.stdout);
        assert!(!names.is_empty(), "{}", ran.stdout);
        self.names.extend(names);
        ran
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_schema_is_met() {
    let rig = Rig::new("").await;
    let mut met = Met { rig: &rig, names: BTreeSet::new() };
    let path = |name: &str| rig.world.path(name).display().to_string();
    let from_here = met.by(0, &["changes"]).await.json()["next"].as_str().expect("a token").to_owned();
    rig.drop_file("1.pdf", "ruim");
    for (code, args) in [
        (0, &["create", "42"][..]),
        (0, &["create", "43", "--name", "Bia", "--dry-run"]),
        (0, &["changes", "--since", &from_here]),
        (0, &["process", "42"]),
        (0, &["watch"]),
        (0, &["status"]),
        (0, &["why", "1.pdf"]),
        (0, &["retry", "--dry-run"]),
        (0, &["callbacks", "list", "--all"]),
        (0, &["callbacks", "retry"]),
        (0, &["check"]),
        (0, &["share", "42", "--list"]),
        (0, &["list"]),
        (0, &["rename", "42", "--name", "Ana Souza", "--dry-run"]),
        (0, &["rename", "42", "--name", "Ana Souza"]),
        (0, &["import", &path("vm/tecnicos.json"), "--dry-run"]),
        (0, &["config"]),
        (0, &["doctor", "--only", "disk"]),
        (0, &["ledger", "check"]),
        (0, &["ledger", "backup", &path("copy.db")]),
        (65, &["check", "nobody"]),
    ] {
        met.by(code, args).await;
    }
    let event = rig.requests().pop().expect("a callback").headers["webhook-id"].clone();
    met.by(0, &["callbacks", "show", &event]).await;
    std::fs::write(rig.world.path("rows.csv"), "user,email,name\n44,,Rui\n").expect("written");
    met.by(0, &["create", "--from", &path("rows.csv")]).await;
    met.by(0, &["remove", "44", "--dry-run"]).await;
    met.by(0, &["remove", "44", "--confirm", "44"]).await;
    met.by(0, &["demo", &path("demo")]).await;
    initialised(&mut met).await;
    served(&mut met);
    met.by(0, &["sandbox", &path("demo"), "drop", "42", &path("rows.csv")]).await;
    rig.world.lose_ledger();
    met.by(0, &["ledger", "rebuild"]).await;
    met.by(0, &["ledger", "restore", &path("copy.db")]).await;
    let mut gate = rig.world.command(&["ssh-gate", "--allow", "list", "--log", &path("gate.log")]);
    met.of(finish({
        gate.env("SSH_ORIGINAL_COMMAND", "tecnico list --json");
        gate
    })
    .await
    .expect(0));
    met.names.extend(documents::names(&std::fs::read_to_string(rig.world.path("gate.log")).expect("a log")));
    assert_eq!(met.names.into_iter().collect::<Vec<_>>(), documents::all());
}

async fn initialised(met: &mut Met<'_>) {
    let world = &met.rig.world;
    let answers = format!(
        "credentials = \"{}\"\nparent_folder = \"{}\"\nbase_dir = \"{}\"\nendpoint = \"{}/\"\n",
        world.path("service-account.json").display(),
        world.parent,
        world.path("other-vm").display(),
        world.emulator.url()
    );
    std::fs::write(world.path("answers.toml"), answers).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    command.arg("--config").arg(world.path("other/config.toml")).args(["init", "--json", "--answers"]).arg(world.path("answers.toml"));
    met.of(finish(command).await.expect(0));
}

/// Those that print and stay.
fn served(met: &mut Met<'_>) {
    let world = &met.rig.world;
    let dir = world.path("sandbox").display().to_string();
    let mut api = world.command(&["serve", "--listen", "127.0.0.1:0", "--json"]);
    api.env("VM_API_KEY", "0123456789abcdef0123456789abcdef");
    for (mut command, ending) in [(world.command(&["sandbox", &dir, "--json"]), Signal::INT), (api, Signal::TERM)] {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
        kill_process(Pid::from_raw(child.id().cast_signed()).expect("a pid"), ending).expect("signalled");
        // How it ends is for its own tests to say.
        child.wait().expect("ends");
        met.names.extend(documents::names(&line));
    }
}
