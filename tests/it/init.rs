//! `tecnico init`: with answers from a file, and asked by a program that plays a person at a terminal.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::python;
use crate::support::world::{ADMIN, Ran, World, finish};

/// What makes good answers wrong.
type Change = Box<dyn Fn(String) -> String>;

/// A machine without a config, beside a world that has a Drive.
struct Fresh {
    world: World,
}

impl Fresh {
    async fn new() -> Self {
        let world = World::new().await;
        std::fs::create_dir(world.path("fresh")).expect("made");
        Self { world }
    }

    fn config(&self) -> PathBuf {
        self.world.path("fresh/config.toml")
    }

    /// Good answers, with more or other lines.
    fn answers(&self, change: impl Fn(String) -> String) {
        let text = format!(
            "credentials = \"{}\"\nparent_folder = \"https://drive.google.com/drive/folders/{}?usp=sharing\"\nbase_dir = \"{}\"\nendpoint = \"{}/\"\n",
            self.world.path("service-account.json").display(),
            self.world.parent,
            self.world.path("fresh/vm").display(),
            self.world.emulator.url()
        );
        std::fs::write(self.world.path("answers.toml"), change(text)).expect("written");
    }

    async fn tecnico(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
        command.arg("--config").arg(self.config()).args(args).stdin(Stdio::null()).env_remove("CREDENTIALS_DIRECTORY");
        finish(command).await
    }

    async fn init(&self) -> Ran {
        let answers = self.world.path("answers.toml").display().to_string();
        self.tecnico(&["init", "--json", "--answers", &answers]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_become_a_config_that_works_and_is_never_overwritten() {
    let fresh = Fresh::new().await;
    fresh.answers(|text| text);
    let done = fresh.init().await.expect(0).json();
    assert_eq!((done["schema"].as_str(), done["account"].as_str().is_some_and(|a| a.contains('@'))), (Some("tecnico.init/1"), true));
    for (file, mode) in [("keys", 0o700), ("keys/service-account.json", 0o600), ("keys/segredo.key", 0o600), ("config.toml", 0o640)] {
        let metadata = fresh.world.path("fresh").join(file).metadata().expect("made");
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
    }
    let config = std::fs::read_to_string(fresh.config()).expect("a config");
    assert!(config.contains("# The Drive folder that holds every technician's tree") && config.contains(&fresh.world.parent));

    let created = fresh.tecnico(&["create", "42", "--email", "ana@example.com", "--json"]).await.expect(0).json();
    assert_eq!(created["status"], "created");
    fresh.tecnico(&["doctor"]).await.expect(0);

    let again = fresh.init().await.expect(73).json();
    assert_eq!(again["error"]["code"], "config_exists");
    assert_eq!(std::fs::read_to_string(fresh.config()).expect("a config"), config);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_a_shared_drive_brings_its_drive_along() {
    let fresh = Fresh::new().await;
    let control = fresh.world.control();
    let drive = control.shared_drive("Operação", ADMIN).expect("a drive");
    let key: serde_json::Value =
        serde_json::from_slice(&std::fs::read(fresh.world.path("service-account.json")).expect("a key")).expect("JSON");
    control.drive_member(&drive, key["client_email"].as_str().expect("an e-mail"), "organizer").expect("a member");
    let folder = control.mkdir(ADMIN, &drive, "Tecnicos").expect("a folder");
    fresh.answers(|text| text.replace(&fresh.world.parent, &folder));
    fresh.init().await.expect(0);
    let config = std::fs::read_to_string(fresh.config()).expect("a config");
    assert!(config.contains(&format!("shared_drive_id = \"{drive}\"")), "{config}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_answer_is_named_and_nothing_is_written() {
    let fresh = Fresh::new().await;
    let parent = fresh.world.parent.clone();
    let wrong = |from: &'static str, to: &'static str| move |text: String| text.replace(from, to);
    let open = fresh.world.path("open.json");
    std::fs::copy(fresh.world.path("service-account.json"), &open).expect("copied");
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).expect("changed");
    fresh.world.write_secret("garbage.json", "{}");
    let cases: Vec<(Change, i32, &str)> = vec![
        (Box::new(wrong("service-account.json", "none.json")), 78, "key_missing"),
        (Box::new(wrong("service-account.json", "open.json")), 77, "key_readable_by_others"),
        (Box::new(wrong("service-account.json", "garbage.json")), 77, "key_malformed"),
        (Box::new(move |t: String| t.replace(&parent, "1Unknown")), 77, "parent_unusable"),
        (Box::new(wrong("parent_folder", "parent_folder_x")), 65, "answers_wrong"),
        (Box::new(|_| "parent_folder = \"1AbC\"\n".to_owned()), 65, "answers_missing"),
        (Box::new(|t| t + "backend_url = \"ftp://backend.example.com\"\n"), 78, "config_wrong"),
        (Box::new(|t| t + "command = [\"no-such-program\"]\n"), 78, "processor_missing"),
        (Box::new(wrong("fresh/vm", "no/such/vm")), 78, "base_dir_missing"),
    ];
    for (at, (change, exit, code)) in cases.iter().enumerate() {
        fresh.answers(change);
        let ran = fresh.init().await;
        let refused = ran.json();
        assert_eq!((ran.code, refused["error"]["code"].as_str()), (Some(*exit), Some(*code)), "case {at}: {refused}");
        assert_eq!(std::fs::read_dir(fresh.world.path("fresh")).expect("there").count(), 0, "case {at} wrote something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nobody_is_asked() {
    let fresh = Fresh::new().await;
    let refused = fresh.tecnico(&["init", "--json"]).await.expect(64).json();
    assert_eq!(refused["error"]["code"], "no_terminal");
}

/// Google stands behind the questions, so that what a person answers is only tried as far as reading the key.
const PERSON: &str = r#"
import os, pty, sys, select
program, config, missing = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program, ["tecnico", "--config", config, "init"])
seen, at = b"", 0
def until(text):
    global seen, at
    while text not in seen[at:]:
        ready, _, _ = select.select([terminal], [], [], 30)
        if not ready: sys.exit("waited for %r, saw %r" % (text, seen))
        seen += os.read(terminal, 4096)
    at = seen.index(text, at) + len(text)
until(b"1/5"); os.write(terminal, missing.encode() + b"\n")
until(b"2/5"); os.write(terminal, b"1AbC\n")
until(b"no:"); until(b"fix:"); until(b"1/5")
os.write(terminal, b"\x03")
while True:
    try:
        if not os.read(terminal, 4096): break
    except OSError: break
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_again_after_a_wrong_answer_and_may_leave() {
    let fresh = Fresh::new().await;
    let config = fresh.config().display().to_string();
    let missing = fresh.world.path("none.json").display().to_string();
    let ended = python::run(PERSON, &[env!("CARGO_BIN_EXE_tecnico"), &config, &missing]).expect("the person came through");
    assert_ne!(ended.trim(), "0");
    assert!(!fresh.config().exists());
}
