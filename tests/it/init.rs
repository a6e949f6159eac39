//! `tecnico init`: with answers from a file, and asked by a program that plays a person at a terminal.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::etc::stand_in;
use crate::support::mounts::mounted;
use crate::support::python;
use crate::support::receiver::Receiver;
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
        std::fs::create_dir(world.path("tmp")).expect("made");
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
        command.env("TMPDIR", self.world.path("tmp"));
        finish(command).await
    }

    /// No trial leaves anything, least of all a token.
    #[track_caller]
    fn assert_nothing_left(&self) {
        let left: Vec<_> = std::fs::read_dir(self.world.path("tmp")).expect("there").flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "{left:?}");
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
    fresh.assert_nothing_left();
    assert_eq!((done["schema"].as_str(), done["account"].as_str().is_some_and(|a| a.contains('@'))), (Some("tecnico.init/1"), true));
    assert_eq!((&done["drop_ins"], &done["notes"]), (&serde_json::json!([]), &serde_json::json!([])), "no unit reads it: {done}");
    for (file, mode) in [("keys", 0o700), ("keys/service-account.json", 0o600), ("keys/segredo.key", 0o600), ("config.toml", 0o640)] {
        let metadata = fresh.world.path("fresh").join(file).metadata().expect("made");
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
    }
    let config = std::fs::read_to_string(fresh.config()).expect("a config");
    assert!(config.contains("# The Drive folder that holds every technician's tree") && config.contains(&fresh.world.parent));

    // The next command it prints: nobody has made the folder yet.
    fresh.tecnico(&["doctor"]).await.expect(0);
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
    std::fs::copy("/bin/sh", fresh.world.path("a program")).expect("copied");
    std::fs::set_permissions(fresh.world.path("a program"), std::fs::Permissions::from_mode(0o755)).expect("changed");
    let base = |place: &'static str| -> Change {
        Box::new(move |t| {
            t.lines().filter(|l| !l.starts_with("base_dir")).collect::<Vec<_>>().join("\n") + &format!("\nbase_dir = \"{place}\"\n")
        })
    };
    let ledger = |place: &str| -> Change {
        let line = format!("ledger = \"{}\"\n", fresh.world.path(place).display());
        Box::new(move |text| text + &line)
    };
    let cases: Vec<(Change, i32, &str)> = vec![
        (Box::new(wrong("service-account.json", "none.json")), 78, "key_missing"),
        (Box::new(wrong("service-account.json", "open.json")), 77, "key_readable_by_others"),
        (Box::new(wrong("service-account.json", "garbage.json")), 77, "key_malformed"),
        // What it is comes before its mode.
        (Box::new(wrong("service-account.json", "a program")), 77, "key_malformed"),
        (base("/usr/local/bin/judge"), 78, "base_dir_unfit"),
        (base("/lib/tecnicos"), 78, "base_dir_unfit"),
        (base("/srv/../etc/tecnicos"), 78, "base_dir_unfit"),
        (base("/"), 78, "base_dir_unfit"),
        (base("systemctl"), 78, "base_dir_unfit"),
        (Box::new(wrong("fresh/vm", "fresh/judge {path}")), 78, "base_dir_unfit"),
        (Box::new(move |t: String| t.replace(&parent, "1Unknown")), 77, "parent_unusable"),
        (Box::new(wrong("https://drive.google.com/", "https://example.com/")), 65, "parent_invalid"),
        (Box::new(|t| t.replace("parent_folder = \"https", "parent_folder = \"root\" # https")), 65, "parent_invalid"),
        (Box::new(wrong("parent_folder", "parent_folder_x")), 65, "answers_wrong"),
        (Box::new(|_| "parent_folder = \"1AbC\"\n".to_owned()), 65, "answers_missing"),
        (Box::new(|t| t + "backend_url = \"ftp://backend.example.com\"\n"), 78, "config_wrong"),
        (Box::new(|t| t + "command = [\"no-such-program\", \"{path}\"]\n"), 78, "processor_missing"),
        (Box::new(wrong("fresh/vm", "no/such/vm")), 78, "base_dir_missing"),
        (ledger("no/such/ledger.db"), 73, "ledger_directory"),
        (ledger("garbage.json/ledger.db"), 73, "ledger_directory"),
        (ledger("fresh"), 73, "ledger_unwritable"),
        (Box::new(|t| t + "ledger = \"/proc/foo/ledger.db\"\n"), 73, "ledger_unwritable"),
        (base("/proc/foo"), 73, "base_dir_unwritable"),
    ];
    for (at, (change, exit, code)) in cases.iter().enumerate() {
        fresh.answers(change);
        let ran = fresh.init().await;
        let refused = ran.json();
        assert_eq!((ran.code, refused["error"]["code"].as_str()), (Some(*exit), Some(*code)), "case {at}: {refused}");
        assert_eq!(std::fs::read_dir(fresh.world.path("fresh")).expect("there").count(), 0, "case {at} wrote something");
    }
    fresh.assert_nothing_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nobody_is_asked() {
    let fresh = Fresh::new().await;
    for args in [&["init", "--json"][..], &["init", "--json", "--no-input"]] {
        let refused = fresh.tecnico(args).await.expect(64).json();
        assert_eq!(refused["error"]["code"], "no_terminal");
    }
}

/// A person at a terminal who answers every question wrong first, reads why, and then right.
const PERSON: &str = r#"
program, config, endpoint, answers = sys.argv[1:]
os.environ["TMPDIR"] = os.path.join(os.path.dirname(os.path.dirname(config)), "tmp")
begin(program, ["tecnico", "--config", config, "init", "--endpoint", endpoint], os.environ)
for question, text, says in json.loads(answers):
    until(question)
    if text == "^C":
        type("\x03")
        break
    if text == "^D":
        type("\x04")
        break
    # The terminal takes back what was typed first.
    type("nonsense\x15" + text + "\n")
    if says: until(says)
while True:
    try:
        got = os.read(terminal, 4096)
        if not got: break
        seen += got
    except OSError: break
print(json.dumps({"code": os.waitstatus_to_exitcode(os.waitpid(person, 0)[1]), "seen": seen.decode(errors="replace")}))
"#;

fn person(fresh: &Fresh, answers: &serde_json::Value) -> serde_json::Value {
    let config = fresh.config().display().to_string();
    let endpoint = format!("{}/", fresh.world.emulator.url());
    let ended = python::person(PERSON, &[env!("CARGO_BIN_EXE_tecnico"), &config, &endpoint, &answers.to_string()]);
    serde_json::from_str(&ended.expect("the person came through")).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_answers_every_question_wrong_and_then_right() {
    let fresh = Fresh::new().await;
    let path = |name: &str| fresh.world.path(name).display().to_string();
    fresh.world.write_secret("garbage.json", "{}");
    std::fs::copy(path("service-account.json"), path("open.json")).expect("copied");
    std::fs::set_permissions(path("open.json"), std::fs::Permissions::from_mode(0o644)).expect("changed");
    std::fs::write(path("a file"), "").expect("written");
    let control = fresh.world.control();
    let others = control.user("outra@example.com").expect("somebody");
    let hidden = control.mkdir("outra@example.com", &others.root_id, "Alheia").expect("made");
    let backend = Receiver::start().await.expect("a backend");
    let judge = path("judge it");
    std::fs::write(&judge, "#!/bin/sh\nexit 0\n").expect("written");
    let (key, parent, base, program) = ("1/5", "2/5", "3/5", "4/5");
    let answers = serde_json::json!([
        [key, "", "the key file is needed"],
        [key, path("none.json"), "does not exist"],
        [key, path("open.json"), "chmod 600"],
        [key, path("garbage.json"), "not a credentials file"],
        [key, path("service-account.json"), "that is tecnico@"],
        [parent, "", "is not a Drive id"],
        [parent, "not an id", "is not a Drive id"],
        [parent, "https://example.com/x", "is not the address of a folder in Drive"],
        [parent, "root", "own My Drive"],
        [parent, hidden, "as Editor"],
        [parent, format!("https://drive.google.com/drive/folders/{}?usp=sharing", fresh.world.parent), "may write there"],
        [base, path("no/such/vm"), "nor the folder above it"],
        [base, "systemctl", "is a word"],
        [base, path("a file"), "is not a folder"],
        [base, "/usr/local/bin/nojudge {path}", "looks like a command"],
        [base, path("fresh/vm"), ""],
        [program, "true --strict", "would not learn which file"],
        [program, "no-such-program {path}", "in no folder of PATH"],
        [program, "judge '{path}", "has no end"],
        [program, "true {path", "\"{path}\"]"],
        [program, format!("'{judge}' {{path}}"), "chmod a+rx"],
        [program, "true {path}", ""],
        ["5/5", "ftp://backend.example.com", "the answers: callback.url"],
        ["5/5", "http://backend.example.com", "callback.url"],
        ["5/5", backend.url(), "took a ping"],
        ["Make a key for portal passwords", "perhaps", ""],
        ["Make a key for portal passwords", "y", ""],
        ["Make a key that signs what the backend is told", "", ""],
    ]);
    let ended = tokio::task::block_in_place(|| person(&fresh, &answers));
    assert_eq!(ended["code"], 0, "{ended}");
    assert!(ended["seen"].as_str().is_some_and(|s| s.contains("wrote ") && s.contains("doctor")), "{ended}");
    assert!(fresh.world.path("fresh/keys/segredo.key").exists());
    fresh.assert_nothing_left();
    let config: toml::Table = std::fs::read_to_string(fresh.config()).expect("a config").parse().expect("TOML");
    assert_eq!(config["process"]["command"], toml::Value::from(vec!["true", "{path}"]));
    fresh.tecnico(&["create", "42", "--json"]).await.expect(0);
    fresh.tecnico(&["doctor"]).await.expect(0);
    // What the backend is told from then on can be verified with the key.
    let told = backend.requests().pop().expect("a ping of the doctor's");
    assert!(told.headers.contains_key("webhook-signature"), "{:?}", told.headers);
    assert_eq!(fresh.world.path("fresh/keys/callback.secret").metadata().expect("a key").permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_leave_and_nothing_was_changed() {
    let fresh = Fresh::new().await;
    let key = fresh.world.path("service-account.json").display().to_string();
    let ended = tokio::task::block_in_place(|| person(&fresh, &serde_json::json!([["1/5", key, "that is"], ["2/5", "^C", ""]])));
    assert_ne!(ended["code"], 0, "{ended}");
    assert_eq!(std::fs::read_dir(fresh.world.path("fresh")).expect("there").count(), 0);
    fresh.assert_nothing_left();
    assert!(!ended["seen"].as_str().expect("text").contains("\u{1b}[?25l"), "the cursor stays: {ended}");
    let ended = tokio::task::block_in_place(|| person(&fresh, &serde_json::json!([["1/5", "^D", ""]])));
    assert_eq!(ended["code"], 64, "{ended}");
    let seen = ended["seen"].as_str().expect("text");
    assert!(seen.contains("(JSON): \r\n"), "what is said begins on a line of its own: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_may_do_without_keys() {
    let fresh = Fresh::new().await;
    fresh.answers(|text| text + "portal_key = false\nbackend_url = \"https://backend.example.com\"\ncallback_key = false\n");
    fresh.init().await.expect(0);
    let made: Vec<_> = std::fs::read_dir(fresh.world.path("fresh/keys")).expect("there").flatten().map(|e| e.file_name()).collect();
    assert_eq!(made, ["service-account.json"]);
    assert!(std::fs::read_to_string(fresh.config()).expect("a config").contains("\nsecret_file = \"\"\n"));
}

/// Root sets up the whole machine, here with a folder in place of /etc: the units are let into folders with names of any
/// kind, and one that stays shut out is told with the command that lets it in, once everything else is written.
#[tokio::test(flavor = "multi_thread")]
async fn the_units_of_the_machine_are_let_into_other_folders() {
    let fresh = Fresh::new().await;
    let etc = fresh.world.path("etc");
    let units = etc.join("systemd/system");
    stand_in(&etc, |unit| unit);
    let in_the_way = units.join("tecnico-watch.service.d");
    std::fs::write(&in_the_way, "").expect("written");
    let ledger = fresh.world.path("fresh/state/ledger.db").display().to_string();
    fresh.answers(|text| text.replace("fresh/vm", r#"fresh/our \"vm\", it's 100% \\"#) + &format!("ledger = \"{ledger}\"\n"));
    let at_root = async |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args);
        mounted("mount --bind \"$0\" /etc", &etc, command).await
    };
    let tecnico = env!("CARGO_BIN_EXE_tecnico");
    let answers = fresh.world.path("answers.toml").display().to_string();
    let Some(ran) = at_root(tecnico, &["init", "--json", "--answers", &answers]).await else { return };
    let done = ran.expect(1).json();
    assert!(etc.join("tecnico/config.toml").exists() && etc.join("tecnico/keys/segredo.key").exists(), "{done}");
    assert_eq!(done["drop_ins"].as_array().map(Vec::len), Some(2), "{done}");
    let note = &done["notes"][0];
    assert!(note["message"].as_str().is_some_and(|m| m.starts_with("tecnico-watch.service may not write to ")), "{done}");

    let doctor = ["--config", "/etc/tecnico/config.toml", "doctor", "--only", "services", "--json"];
    let told = at_root(tecnico, &doctor).await.expect("mounted").expect(1).json();
    let problems: Vec<_> = told["findings"].as_array().expect("findings").iter().filter(|f| f["verdict"] == "problem").collect();
    assert!(problems.len() == 1 && problems[0]["fix"] == note["fix"], "one finding, with the command of the note: {told:#}");
    std::fs::remove_file(in_the_way).expect("removed");
    let fix = format!("sudo() {{ \"$@\"; }}; systemctl() {{ :; }}; {}", note["fix"].as_str().expect("a command"));
    at_root("sh", &["-ec", &fix]).await.expect("mounted").expect(0);
    at_root(tecnico, &doctor).await.expect("mounted").expect(0);
}
