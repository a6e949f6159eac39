//! The gate behind a real OpenSSH server, used by the backend and by somebody who stole its key.

mod attack;
mod prefix;
pub mod sshd;

use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::{documents, python};
use sshd::Sshd;

/// The one document on stdout, and nothing else there.
#[track_caller]
fn document(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    assert_eq!(text.lines().count(), 1, "stdout {text:?}, stderr {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(documents::names(&text).len(), 1, "{text:?} has no schema");
    serde_json::from_str(&text).expect("JSON")
}

#[track_caller]
fn assert_refused(output: &Output, what: &str) {
    assert_eq!(output.status.code(), Some(77), "{what:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(document(output)["error"]["code"], "gate_refused", "{what:?}");
}

#[test]
fn a_backend_gets_one_document_and_the_exit_code() {
    let sshd = Sshd::start("--allow list,create");
    let listed = sshd.run("tecnico list --json");
    assert_eq!(listed.status.code(), Some(0), "{}", String::from_utf8_lossy(&listed.stderr));
    assert_eq!(document(&listed), json!({ "schema": "tecnico.list/1", "technicians": [] }));
    assert!(listed.stderr.is_empty(), "{}", String::from_utf8_lossy(&listed.stderr));

    let wrong = sshd.run("create 42 --email 'not an address' --name \"Ana Maria\" --json");
    assert_eq!(wrong.status.code(), Some(65));
    assert_eq!(document(&wrong)["error"]["code"], "email_invalid");

    let twice = sshd.run("create 42 --name A --name B --json");
    assert_eq!((twice.status.code(), document(&twice)["error"]["code"].as_str()), (Some(64), Some("usage")));
}

/// A verb or a flag on the lists that the program does not have would be a promise nobody keeps.
#[test]
fn everything_on_the_lists_is_a_command_or_flag_of_the_program() {
    use tecnico::domain::gate::verbs::{GLOBAL, Operands, VERBS};
    for verb in VERBS {
        // What every command takes stands in the help of the whole alone.
        let help = |args: &[&str]| {
            let help = std::process::Command::new(env!("CARGO_BIN_EXE_tecnico")).args(args).output().expect("starts");
            assert!(help.status.success(), "there is no command {args:?}");
            String::from_utf8_lossy(&help.stdout).into_owned()
        };
        let mut text = help(&[verb.name, "--help"]) + &help(&["--help"]);
        if let Operands::Commands(commands) = verb.operands {
            text.extend(commands.iter().map(|(command, ..)| help(&[verb.name, command, "--help"])));
        }
        for (flag, takes) in verb.flags.iter().chain(GLOBAL) {
            let line = text
                .lines()
                .find(|l| l.split([' ', ',']).any(|word| word == *flag) && l.starts_with("  ") && l.trim_start().starts_with('-'));
            let line = line.unwrap_or_else(|| panic!("{} has no {flag}", verb.name));
            assert_eq!(line.contains('<'), *takes != tecnico::domain::gate::verbs::Takes::Nothing, "{}: {line}", verb.name);
        }
    }
}

#[test]
fn a_stolen_key_runs_nothing_else() {
    let sshd = Sshd::start("--allow list,create");
    let canary = sshd.path("canary");
    let touch = format!("touch {}", canary.display());
    let evil = sshd.path("evil.toml");
    std::fs::write(&evil, "[drive]\nparent_folder_id = \"evil\"\n[ledger]\npath = \"evil/ledger.db\"\n").expect("written");
    let evil = evil.display();
    let lines = [
        format!("list; {touch}"),
        format!("list && {touch}"),
        format!("list | {touch}"),
        format!("list & {touch}"),
        format!("list\n{touch}"),
        format!("list\r\n{touch}"),
        format!("'list\n{touch}'"),
        format!("$({touch})"),
        format!("list \"$({touch})\""),
        format!("`{touch}`"),
        format!("create 42 --name \"`{touch}`\""),
        format!("list > {}", canary.display()),
        format!("list'\"; {touch}; \"'"),
        format!("list \\\n {touch}"),
        format!("{touch} list"),
        format!("list --config {evil}"),
        format!("list --config={evil}"),
        format!("list \"--config\" {evil}"),
        format!("list --c\\onfig={evil}"),
        format!("--config={evil} list"),
        format!("tecnico --config {evil} list"),
        format!("list --sandbox {}", canary.display()),
        format!("list --base-dir {}", canary.display()),
        "list --credentials /etc/shadow".to_owned(),
        "create --from /etc/passwd".to_owned(),
        "create 42 --from=-".to_owned(),
        "import /etc/passwd".to_owned(),
        "man /tmp".to_owned(),
        "ssh-gate --allow create".to_owned(),
        "tecnico ssh-gate --allow list --log /etc/cron.d/x".to_owned(),
        "sh -c id".to_owned(),
        "scp -t /tmp".to_owned(),
        "rsync --server . /tmp".to_owned(),
        "internal-sftp".to_owned(),
        "/bin/sh".to_owned(),
        "../../bin/sh".to_owned(),
        "list \u{1b}]0;owned\u{7}".to_owned(),
        "list \u{202e}".to_owned(),
        "list 'unfinished".to_owned(),
        "list \\".to_owned(),
        "'' list".to_owned(),
        String::new(),
    ];
    for line in &lines {
        assert_refused(&sshd.run(line), line);
    }
    assert!(!canary.exists(), "something ran");
    assert!(!sshd.path("evil").exists(), "the caller's config was read");
    assert_eq!(sshd.audit().len(), lines.len(), "every call is in the log");
}

#[test]
fn the_environment_of_the_caller_changes_nothing() {
    let sshd = Sshd::start("--allow list");
    let evil = sshd.path("evil.toml");
    std::fs::write(&evil, "[drive]\nparent_folder_id = \"evil\"\n[ledger]\npath = \"evil/ledger.db\"\n").expect("written");
    let send = ["-o", "SendEnv=TECNICO_* VM_* BACKEND_* GOOGLE_* XDG_* HTTP* RUST_*"];
    let mut ssh = sshd.client(&send);
    // A wrong address would be a fault of the configuration (exit 78) if anybody read it.
    ssh.args(["--", "list --json"]).env("TECNICO_CONFIG", &evil).env("BACKEND_URL", "no address").env("XDG_CONFIG_HOME", "/nowhere");
    let listed = ssh.output().expect("ssh");
    assert_eq!(listed.status.code(), Some(0), "{}", String::from_utf8_lossy(&listed.stdout));
    assert!(sshd.path("state/ledger.db").exists() && !sshd.path("evil").exists());
}

#[test]
fn subsystems_terminals_and_forwarding_are_closed() {
    let sshd = Sshd::start("--allow list");
    let sftp = sshd.client(&["-s"]).args(["--", "sftp"]).output().expect("ssh");
    assert_refused(&sftp, "sftp");

    let said = |output: &Output, what: &str| {
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(255) && text.contains(what), "{output:?}");
    };
    let terminal = sshd.client(&["-tt"]).output().expect("ssh");
    said(&terminal, "PTY allocation request failed");
    let through = sshd.client(&["-W", &format!("127.0.0.1:{}", sshd.port())]).output().expect("ssh");
    said(&through, "stdio forwarding failed");
    let back = sshd.client(&["-N", "-R", "0:127.0.0.1:9", "-o", "ExitOnForwardFailure=yes"]).output().expect("ssh");
    said(&back, "remote port forwarding failed");
}

#[test]
fn very_long_input_is_refused_and_harmless() {
    let sshd = Sshd::start("--allow create");
    assert_refused(&sshd.run(&format!("create 42 --name {}", "a".repeat(9_000))), "9 KB");
    assert_refused(&sshd.run(&format!("create{}", " a".repeat(4_000))), "4,000 words");
    let mut huge = sshd.client(&[]);
    let word = "a".repeat(100_000);
    let huge = huge.args(["--", "create", &word, &word, &word]).output().expect("ssh");
    // Over what an environment holds, sshd itself cannot start the gate; in no case is anything run.
    assert!(!huge.status.success() && !sshd.path("state").exists(), "{huge:?}");
    let after = sshd.run("create 42 --email x --json");
    assert_eq!(after.status.code(), Some(65), "the server still serves: {after:?}");
}

#[test]
fn a_prefix_keeps_one_backend_to_its_own_users() {
    let sshd = Sshd::start("--allow create,check,list --user-prefix b1-");
    for line in ["create b2-7 --json", "check", "list", "create 'b1' --json", "create --name b1-7 b2-7"] {
        assert_refused(&sshd.run(line), line);
    }
    let own = sshd.run("create b1-7 --email x --json");
    assert_eq!(document(&own)["error"]["code"], "email_invalid", "let through to the command itself");
}

#[test]
fn every_call_is_audited_without_what_may_be_secret() {
    let sshd = Sshd::start("--allow list,create");
    sshd.run("list --json");
    sshd.run("create 42 --email x --callback-url 'https://backend.example.com/?k=s3cret' --json");
    sshd.run("create 42 --portal-password s3cret");
    sshd.run("s3cret; x");
    let log = std::fs::read_to_string(sshd.path("audit.log")).expect("a log");
    assert!(!log.contains("s3cret"), "{log}");
    let lines = sshd.audit();
    let seen: Vec<_> = lines.iter().map(|l| (l["allowed"].clone(), l["command"][0].clone(), l["label"].clone())).collect();
    let one = |allowed: bool, verb: &str| (json!(allowed), json!(verb), json!("backend"));
    assert_eq!(seen, [one(true, "list"), one(true, "create"), one(false, "create"), one(false, "…")]);
    assert!(lines.iter().all(|l| l["client"].as_str().is_some_and(|c| c.starts_with("127.0.0.1 "))), "{log}");
    let mode = std::fs::metadata(sshd.path("audit.log")).expect("there").permissions().mode();
    assert_eq!(mode & 0o137, 0, "readable by owner and group only: {mode:o}");
}

#[test]
fn what_cannot_be_audited_is_not_run() {
    let sshd = Sshd::start("--allow list");
    std::fs::create_dir(sshd.path("audit.log")).expect("made");
    let output = sshd.run("list --json");
    assert_eq!((output.status.code(), document(&output)["error"]["code"].as_str()), (Some(73), Some("audit_unwritable")));
    assert!(!sshd.path("state").exists(), "the command ran all the same");
}

#[test]
fn a_line_in_authorized_keys_that_is_wrong_is_audited_too() {
    let sshd = Sshd::start("--allow list,lst");
    let output = sshd.run("list --json");
    assert_eq!((output.status.code(), document(&output)["error"]["code"].as_str()), (Some(64), Some("usage")));
    let lines = sshd.audit();
    assert_eq!((lines.len(), &lines[0]["allowed"], &lines[0]["command"]), (1, &json!(false), &json!(["list", "--json"])), "{lines:?}");
    assert!(lines[0]["reason"].as_str().is_some_and(|r| r.contains("authorized_keys") && r.contains("\"lst\"")), "{lines:?}");
}

/// The sample of docs/ssh.md as it stands there, with an `ssh` before it on the way that knows this server.
#[test]
fn the_sample_for_backends_gives_the_document_or_the_code() {
    let sshd = Sshd::start("--allow list,create,check");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ssh.md")).expect("the page");
    let sample = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a sample");
    let ask = r#"
def ask(*words):
    try: return tecnico(*words)["schema"]
    except RuntimeError as fault: return str(fault.args[0])
print([ask("list"), ask("create", "42", "--email", "it's me"), ask("status")])
"#;
    let bin = sshd.path("bin");
    std::fs::create_dir_all(&bin).expect("made");
    let path = std::env::var("PATH").expect("a path");
    let said = |port: u16| {
        let (key, known) = (sshd.path("client"), sshd.path("known"));
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = tecnico@vm.example.com ] || exit 2\nshift\nPATH='{path}'\nexec ssh -F none -o BatchMode=yes \\\n\
             -o StrictHostKeyChecking=no -o LogLevel=ERROR -o UserKnownHostsFile='{}' -i '{}' -p {port} 127.0.0.1 -- \"$@\"\n",
            known.display(),
            key.display()
        );
        std::fs::write(bin.join("ssh"), script).expect("written");
        std::fs::set_permissions(bin.join("ssh"), std::fs::Permissions::from_mode(0o755)).expect("set");
        let environment = [("PATH".to_owned(), format!("{}:{path}", bin.display()))];
        python::run_with(&format!("{sample}{ask}"), &[], &environment).expect("the sample runs")
    };
    assert_eq!(said(sshd.port()).trim(), "['tecnico.list/1', 'email_invalid', 'gate_refused']");
    // Nobody listens there: ssh ends with 255 and says nothing on stdout.
    assert_eq!(said(9).trim(), "['ssh_failed', 'ssh_failed', 'ssh_failed']");
}
