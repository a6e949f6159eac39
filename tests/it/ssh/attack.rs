//! What somebody with a stolen key types who knows SSH better than the gate does.

use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use serde_json::json;

use super::sshd::Sshd;
use super::{assert_refused, document};
use crate::support::python;
use crate::support::waiting::PATIENCE;

/// A client that sends what OpenSSH's own would not: bytes that end a C string, an environment, a pty with a command.
const CLIENT: &str = r#"
import json, socket, sys, paramiko
port, key, lines = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
def connect():
    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", port), timeout=60))
    transport.start_client(timeout=60)
    transport.auth_publickey(sys.argv[4], paramiko.Ed25519Key.from_private_key_file(key))
    return transport
def run(line, prepare=lambda session: None):
    transport = connect()
    try:
        session = transport.open_session(timeout=60)
        prepare(session)
        session.exec_command(line)
        out = session.makefile("rb").read()
        return [session.recv_exit_status(), out.decode(errors="replace")]
    except (paramiko.SSHException, EOFError) as fault:
        return [None, type(fault).__name__]
    finally:
        transport.close()
said = {line: run(line.encode("latin-1") if isinstance(line, str) else line) for line in lines}
said["forwarded agent"] = run(b"list --json", lambda s: paramiko.agent.AgentRequestHandler(s))
def terminal(session): session.get_pty()
said["a terminal"] = run(b"list --json", terminal)
def x11(session): session.request_x11()
said["X11"] = run(b"list --json", x11)
print(json.dumps(said))
"#;

fn me() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn bytes_that_no_client_of_openssh_sends_and_requests_that_restrict_closes() {
    let sshd = Sshd::start("--allow list");
    let canary = sshd.path("canary");
    let evil = [
        format!("list\0; touch {}", canary.display()),
        format!("list --json\0 --config {}", canary.display()),
        "\0".into(),
        "\u{ff}\u{fe}".into(),
    ];
    let lines = serde_json::to_string(&evil).expect("JSON");
    let key = sshd.path("client").display().to_string();
    let said = python::run(CLIENT, &[&sshd.port().to_string(), &key, &lines, &me()]).expect("the client ran");
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    for line in &evil {
        assert!(said[line][0] != 0 && !said[line][1].as_str().is_some_and(|out| out.contains("tecnico.list")), "{line:?}: {said:#}");
    }
    assert!(!canary.exists(), "{said:#}");
    // The channel itself is refused, or goes on without what was asked for; no terminal, no X11, no agent comes of it.
    for what in ["a terminal", "X11"] {
        assert_eq!(said[what][0], serde_json::Value::Null, "{what}: {said:#}");
    }
    assert_eq!(said["forwarded agent"][0], 0, "{said:#}");
    assert!(said["forwarded agent"][1].as_str().is_some_and(|out| out.contains("tecnico.list")), "{said:#}");
    let server = std::fs::read_to_string(sshd.path("sshd.log")).expect("a log");
    assert!(server.contains("agent forwarding disabled"), "the agent was asked for and refused: {server}");
    let log = std::fs::read(sshd.path("audit.log")).expect("a log");
    assert!(log.iter().all(|b| *b == b'\n' || (*b >= b' ' && *b != 0x7f)), "control characters in the log");
}

#[test]
fn sshd_itself_says_that_nothing_but_the_command_is_open() {
    let sshd = Sshd::start("--allow list");
    let output = sshd.client(&["-v", "-o", "LogLevel=DEBUG1"]).args(["--", "list --json"]).output().expect("ssh");
    let said = String::from_utf8_lossy(&output.stderr);
    let options = said.lines().find_map(|l| l.split_once("key options: ")).expect("the options of the key").1;
    // With anything else open it would say so here: agent-forwarding port-forwarding pty user-rc x11-forwarding.
    assert_eq!(options.trim(), "command", "{said}");
    assert_eq!(document(&output)["schema"], "tecnico.list/1");
}

#[test]
fn copying_files_in_or_out_is_refused_in_every_way_there_is() {
    let sshd = Sshd::start("--allow list");
    std::fs::write(sshd.path("loot"), "x").expect("written");
    let (here, there) = (sshd.path("loot"), sshd.path("stolen"));
    for (program, style) in [("scp", "-O"), ("scp", "-s"), ("sftp", "-q")] {
        let mut copy = Command::new(program);
        copy.args([
            style,
            "-F",
            "none",
            "-B",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "IdentitiesOnly=yes",
            "-P",
            &sshd.port().to_string(),
            "-i",
        ]);
        if program == "sftp" {
            copy = Command::new("sftp");
            copy.args(["-q", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-P", &sshd.port().to_string(), "-i"]);
        }
        copy.arg(sshd.path("client")).arg("-o").arg(format!("UserKnownHostsFile={}", sshd.path("known").display()));
        if program == "sftp" {
            copy.arg("127.0.0.1");
        } else {
            copy.arg(&here).arg(format!("127.0.0.1:{}", there.display()));
        }
        let output = copy.stdin(Stdio::null()).output().expect("OpenSSH is missing: run scripts/test");
        assert!(!output.status.success() && !there.exists(), "{program} {style}: {output:?}");
    }
    assert!(sshd.audit().iter().all(|line| line["allowed"] == false), "{:?}", sshd.audit());
    assert!(sshd.audit().len() >= 2, "refused calls are in the log");
}

#[test]
fn forwarding_from_here_and_through_a_proxy_goes_nowhere() {
    let sshd = Sshd::start("--allow list");
    // An address of loopback that is this process's alone: nobody else listens there.
    let [_, a, b, c] = std::process::id().to_be_bytes();
    let here = std::net::Ipv4Addr::new(127, a + 1, b, c);
    for (port, how) in
        [(1080, ["-L".to_owned(), format!("{here}:1080:127.0.0.1:{}", sshd.port())]), (1081, ["-D".to_owned(), format!("{here}:1081")])]
    {
        let options: Vec<&str> = how.iter().map(String::as_str).chain(["-N"]).collect();
        let mut forward = sshd.client(&options).stderr(Stdio::piped()).spawn().expect("ssh");
        // The listening end is the caller's own; what comes in there gets no further.
        let deadline = std::time::Instant::now() + PATIENCE;
        let got = loop {
            if let Ok(mut stream) = std::net::TcpStream::connect((here, port)) {
                stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).expect("set");
                // SOCKS 5, no password, to the server itself; for -L it is only noise.
                let _ = stream.write_all(&[5, 1, 0]);
                let mut answer = Vec::new();
                let mut chunk = [0; 512];
                while let Ok(n @ 1..) = stream.read(&mut chunk) {
                    answer.extend_from_slice(&chunk[..n]);
                    if how[0] == "-D" && answer == [5, 0] {
                        let port = sshd.port().to_be_bytes();
                        let _ = stream.write_all(&[5, 1, 0, 1, 127, 0, 0, 1, port[0], port[1]]);
                    }
                }
                break answer;
            }
            assert!(std::time::Instant::now() < deadline, "{how:?} does not listen");
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        let _ = forward.kill();
        let _ = forward.wait();
        assert!(!got.windows(4).any(|w| w == b"SSH-"), "{how:?} reached the server: {got:?}");
    }
    assert!(sshd.audit().is_empty(), "nothing ran");
}

/// What an administrator wrote beside the key reaches the gate, but not the command.
#[test]
fn an_environment_beside_the_key_changes_nothing_for_the_command() {
    let sshd = Sshd::start_with("--allow list", "restrict,environment=\"TECNICO_CONFIG=/nowhere\",environment=\"BACKEND_URL=no address\"");
    let listed = sshd.run("list --json");
    assert_eq!(listed.status.code(), Some(0), "{}", String::from_utf8_lossy(&listed.stdout));
    assert_eq!(document(&listed)["schema"], "tecnico.list/1");
}

#[test]
fn many_calls_at_once_each_get_their_own_answer_and_line() {
    let sshd = Sshd::start("--allow list");
    let calls = 24;
    std::thread::scope(|scope| {
        let one = |n: usize| {
            let sshd = &sshd;
            scope.spawn(move || {
                let line = if n.is_multiple_of(2) { "list --json".to_owned() } else { format!("list --n{n}") };
                let output = sshd.run(&line);
                if n.is_multiple_of(2) {
                    assert_eq!(output.status.code(), Some(0), "{output:?}");
                    assert_eq!(document(&output)["schema"], "tecnico.list/1");
                } else {
                    assert_refused(&output, &line);
                }
            })
        };
        let threads: Vec<_> = (0..calls).map(one).collect();
        for thread in threads {
            thread.join().expect("answered");
        }
    });
    let lines = sshd.audit();
    assert_eq!(lines.len(), calls);
    assert_eq!(lines.iter().filter(|l| l["allowed"] == json!(true)).count(), calls / 2);
}

#[test]
fn nothing_typed_forges_a_line_of_the_log() {
    let sshd = Sshd::start("--allow list,create");
    let forged = r#"{"schema":"tecnico.ssh-gate/1","allowed":true,"command":["list"]}"#;
    let lines = [
        format!("create 42 --name x\n{forged}"),
        format!("create 42 --name 'x\",\"allowed\":true}} {forged}' --email nobody"),
        format!("create '{forged}' --email nobody"),
        format!("create \u{1b}[2J\u{1b}[1;1H{forged}"),
        format!("create 42 --name \u{2028}{forged}"),
        "create 42\t\t--name\u{85}x".to_owned(),
        format!("--allowed=true {forged}"),
    ];
    for line in &lines {
        assert_ne!(sshd.run(line).status.code(), Some(0), "{line:?}");
    }
    let log = std::fs::read_to_string(sshd.path("audit.log")).expect("a log");
    assert_eq!(log.lines().count(), lines.len(), "{log}");
    assert!(log.chars().all(|c| c == '\n' || !c.is_control()) && !log.contains('\u{2028}'), "{log:?}");
    for (line, typed) in sshd.audit().iter().zip(&lines) {
        assert!(line["at"].is_string() && line["label"] == "backend", "{typed:?}: {line}");
        assert_eq!(line["allowed"] == json!(true), typed.ends_with("--email nobody"), "{typed:?}: {line}");
    }
}

#[test]
fn a_log_on_a_full_disk_stops_the_call() {
    let sshd = Sshd::start("--allow list");
    symlink("/dev/full", sshd.path("audit.log")).expect("linked");
    let output = sshd.run("list --json");
    assert_eq!((output.status.code(), document(&output)["error"]["code"].as_str()), (Some(73), Some("audit_unwritable")));
    assert!(!sshd.path("state").exists(), "the command ran all the same");
}
