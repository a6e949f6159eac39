//! What the tests of provisioning share: a technician, processes that are killed, and how a tree must look.

use std::process::{Child, Stdio};

use drive_emulator::control::Logged;
use serde_json::Value;

use crate::support::world::World;

/// `tecnico create` of the technician every test knows.
pub const ANA: [&str; 6] = ["create", "42", "--email", "ana@example.com", "--name", "Ana Maria"];

/// Her tree on Drive, below the parent folder.
pub const ANA_TREE: [&str; 5] =
    ["Ana_Maria", "Ana_Maria/pdfs", "Ana_Maria/pdfs/erro", "Ana_Maria/pdfs/novos", "Ana_Maria/pdfs/processados"];

/// Starts the binary, its output thrown away.
pub fn start(world: &World, args: &[&str]) -> Child {
    let mut command = world.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

/// SIGKILL, and waits until the process is gone.
pub fn kill(mut child: Child) {
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    child.wait().expect("it ends");
}

/// The paths on Drive below the parent folder; two of one path fail the test.
#[track_caller]
pub fn paths(world: &World) -> Vec<String> {
    world.drive_tree().into_keys().collect()
}

/// Who may do what in a folder, as `address role`, its owner left out.
#[track_caller]
pub fn grants(world: &World, id: &str) -> Vec<String> {
    let mut lines = everyone(world, id);
    lines.retain(|line| !line.ends_with(" owner"));
    lines
}

/// The same with its owner.
#[track_caller]
pub fn everyone(world: &World, id: &str) -> Vec<String> {
    let file = world.control().file(id).expect("the folder");
    let permissions = file["permissions"].as_array().expect("permissions").clone();
    let mut lines: Vec<String> = permissions
        .iter()
        .map(|p| format!("{} {}", p["emailAddress"].as_str().unwrap_or("anyone"), p["role"].as_str().expect("a role")))
        .collect();
    lines.sort();
    lines
}

/// The problems a `check --json` document names, sorted.
pub fn problems(check: &Value) -> Vec<String> {
    let findings = check["findings"].as_array().expect("findings");
    let mut codes: Vec<String> = findings.iter().map(|f| f["problem"].as_str().expect("a code").to_owned()).collect();
    codes.sort();
    codes
}

/// The ids of everything that was ever put on Drive and is there still, in the trash or not.
pub fn everything(world: &World) -> std::collections::BTreeSet<String> {
    let snapshot = world.control().snapshot().expect("a snapshot");
    let files = snapshot["files"].as_array().expect("files");
    files.iter().map(|f| f["id"].as_str().expect("an id").to_owned()).collect()
}

/// The longest chain of calls in which each began only after the one before was answered.
pub fn longest_sequence(calls: &[Logged]) -> usize {
    let mut ends: Vec<(i64, i64)> =
        calls.iter().map(|c| (c.time_ms + i64::try_from(c.took_ms).expect("a short call"), c.time_ms)).collect();
    ends.sort_unstable();
    let mut free_at = i64::MIN;
    let mut length = 0;
    for (end, begin) in ends {
        if begin >= free_at {
            length += 1;
            free_at = end;
        }
    }
    length
}

/// Calls Drive with the token the last run left: as tecnico's own program, whose marks no other program can set or see.
pub async fn as_tecnico(world: &World, method: &str, path: &str, body: &Value) -> Value {
    let tokens = std::fs::read_dir(world.path("cache/tokens")).expect("tokens").next().expect("one").expect("a file");
    let token = crate::support::world::read_json(&tokens.path());
    // The answer is ours: no certificate is ever looked at.
    rustls::crypto::ring::default_provider().install_default().ok();
    let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
    let url = format!("{}/drive/v3/{path}", world.emulator.url());
    let request = reqwest::Client::new().request(method, url).bearer_auth(token["access_token"].as_str().expect("a token")).json(body);
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.json().await.expect("JSON")
}

/// Runs a command that must fail with this exit code and stable code, and say `fix` in its message or hint. Gives the
/// whole error document as text.
pub async fn refused(world: &World, args: &[&str], exit: i32, code: &str, fix: &str) -> String {
    let document = world.json(exit, args).await;
    let text = document.to_string();
    assert_eq!(document["error"]["code"], code, "{args:?}: {text}");
    let error = &document["error"];
    assert!(error["hint"].as_str().is_some_and(|h| !h.is_empty()), "{args:?} without a fix: {text}");
    assert!(text.contains(fix), "{args:?} does not say {fix:?}: {text}");
    let spoken = world.run(args).await.expect(exit);
    assert!(spoken.stdout.is_empty() && spoken.stderr.contains("fix: "), "{args:?}: {spoken:?}");
    document["error"].to_string().replace("\\n", "\n")
}
