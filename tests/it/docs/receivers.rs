//! The receivers of docs/examples, run as a backend author would run them, with the real program delivering to them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tecnico::callback::{Answer, Client, Delivery, Keys};
use tecnico::domain::clock;

use crate::agent::{Rig, configure_callback};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A receiver that runs; ended when dropped.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Running {
    fn start(program: &str, file: &str, keys: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(file);
        let mut command = Command::new(program);
        command.arg(script).arg(keys).arg("0").stdout(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{program}: {e}: run scripts/test, which installs it"));
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let first = lines.next().expect("it says where it listens").expect("a line");
        let url = first.strip_prefix("listening on ").expect("an address").to_owned();
        Self { child, lines, url }
    }

    /// Ends it and gives everything it printed after its address.
    fn end(mut self) -> Vec<String> {
        self.child.kill().expect("ended");
        self.lines.by_ref().map_while(Result::ok).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most have ended by now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn send(keys: &str, id: &str, url: &str, body: &str, now: i64) -> Answer {
    let client = Client::with_keys(std::time::Duration::from_secs(30), Keys::parse(keys)).expect("a client");
    client.deliver(Delivery { id, url, payload: body }, now).await
}

/// tecnico delivers, twice under one id too; a changed body, another key, an old time and no signature are refused.
async fn holds(program: &str, file: &str) {
    let rig = Rig::new("").await;
    let world = &rig.world;
    world.write_secret("callback.secret", &format!("{KEY}\n"));
    let receiver = Running::start(program, file, &world.path("callback.secret"));
    configure_callback(world, &rig.backend, "secret_file = \"callback.secret\"\n");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("a config");
    std::fs::write(world.path("config.toml"), config.replace(rig.backend.url(), &receiver.url)).expect("written");
    rig.drop_file("16517189.pdf", "bom");
    rig.drop_file("16517190.pdf", "ruim");
    let done = world.json(0, &["process", "42", "--job-id", "job-7"]).await;
    assert_eq!((done["delivered"].as_u64(), done["undelivered"].as_u64()), (Some(2), Some(0)), "{done:#}");

    let url = format!("{}/api/callbacks/process", receiver.url);
    let body = r#"{"user_id":"42","job_id":"j","status":"success","result":{"message":"João às 10h","files":[]}}"#;
    let now = clock::now();
    let both = format!("{OTHER}\n{KEY}");
    for keys in [KEY, &both] {
        assert_eq!(send(keys, "evt_twice", &url, body, now).await, Answer::Delivered { status: 204 });
    }
    let refused = |answer: Answer| matches!(&answer, Answer::Failed { error, .. } if error.contains(" 401"));
    assert!(refused(send(OTHER, "evt_other_key", &url, body, now).await));
    assert!(refused(send(KEY, "evt_old", &url, body, now - 10 * 60_000).await));
    // Signed for another body, another id: what an attacker who saw one delivery could send.
    let signature = Keys::parse(KEY).expect("a key").sign("evt_seen", now / 1000, body);
    let tampered = body.replace("42", "43");
    for (id, body, signature, status) in [
        ("evt_seen", body, signature.as_str(), 204),
        ("evt_tampered_body", tampered.as_str(), signature.as_str(), 401),
        ("evt_seen", tampered.as_str(), signature.as_str(), 401),
        ("evt_tampered_id", body, signature.as_str(), 401),
        ("evt_unsigned", body, "", 401),
        ("evt_nonsense", body, &format!("v1,{}", STANDARD.encode([0; 32])), 401),
    ] {
        rustls::crypto::ring::default_provider().install_default().ok();
        let request = reqwest::Client::new().post(&url).body(body.to_owned()).header("webhook-id", id);
        let request = request.header("webhook-timestamp", (now / 1000).to_string()).header("webhook-signature", signature);
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), status, "{id}");
    }

    let hostile = body.replace("João", r"\u001b[2J\nevt_forged \u202e\u009b");
    assert_eq!(send(KEY, "evt_hostile", &url, &hostile, now).await, Answer::Delivered { status: 204 });

    let printed = receiver.end();
    assert_eq!(printed.len(), 5, "two files, and each other event once, in one line: {printed:#?}");
    assert!(!printed.concat().contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{printed:#?}");
    let of_run = |l: &&String| l.replace('\'', "\"").contains(r#" "/api/callbacks/process" "42" "job-7" "success" "O arquivo "#);
    assert_eq!(printed.iter().filter(of_run).count(), 2, "{printed:#?}");
    assert!(printed.iter().any(|l| l.contains("16517190.pdf foi recusado: número de OS inválido")), "{printed:#?}");
    assert!(printed.iter().any(|l| l.starts_with("evt_twice ")) && printed.iter().any(|l| l.starts_with("evt_seen ")), "{printed:#?}");
}

/// Without a usable key it would answer everybody 401: it says so and ends.
fn starts_with_a_key_only(program: &str, file: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let empty = dir.path().join("empty.secret");
    std::fs::write(&empty, "not a key\n").expect("written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(file);
    let (empty, missing) = (empty.display().to_string(), dir.path().join("missing").display().to_string());
    for (arguments, says) in [
        (&[][..], format!("usage: {program} {file} KEY_FILE [PORT]")),
        (&[&empty, "80x"], format!("usage: {program} {file} KEY_FILE [PORT]")),
        (&[&empty], format!("no key in {empty}")),
        (&[&missing], missing.clone()),
    ] {
        let ended = Command::new(program).arg(&script).args(arguments).stdin(Stdio::null()).output().expect("starts");
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && stderr.contains(&says) && stderr.lines().count() == 1, "{arguments:?}: {stderr}");
    }
}

#[test]
fn neither_starts_without_a_key() {
    starts_with_a_key_only("python3", "receiver.py");
    starts_with_a_key_only("node", "receiver.mjs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_in_python() {
    holds("python3", "receiver.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_one_in_javascript() {
    holds("node", "receiver.mjs").await;
}
