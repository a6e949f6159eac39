//! No secret leaves its file.

use crate::support::world::World;

/// What must not be seen: the parts of the service account's key, every token given out, the portal password and the
/// Fernet key.
fn secrets(world: &World) -> Vec<String> {
    let key = crate::support::world::read_json(&world.path("service-account.json"));
    let pem = key["private_key"].as_str().expect("a key");
    let mut secrets: Vec<String> = pem.lines().filter(|l| !l.starts_with("-----")).map(str::to_owned).collect();
    secrets.extend(["s3nha-portal", "VGVjbmljbyB0ZXN0IGtleSwgMzIgYnl0ZXMgbG9uZyE", "ya29."].map(str::to_owned));
    secrets
}

#[track_caller]
fn holds_none(what: &str, text: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(text);
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{what} shows {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_with_vv_shows_no_secret() {
    use drive_emulator::control::{Effect, Fault, When};
    let world = World::new().await;
    let secrets = secrets(&world);
    world.control().fault(Fault::new(Effect::Unauthorized).when(When::Calls { calls: vec![3] }));
    let create =
        ["create", "42", "--email", "ana@example.com", "--name", "Ana Maria", "--portal-user", "ana", "--portal-password-stdin", "-vv"];
    let mut runs = vec![world.run_with_stdin(&create, "s3nha-portal\n").await.expect(0)];
    assert!(runs[0].stderr.contains("create folder"), "-vv logs every call: {}", runs[0].stderr);
    for args in
        [&["check", "-vv"][..], &["check", "-vv", "--json"], &["share", "42", "--list", "-vv"], &["config", "-vv"], &["list", "--json"]]
    {
        runs.push(world.run(args).await);
    }
    world.control().fault(Fault::new(Effect::Unauthorized));
    runs.push(world.run(&["create", "43", "-vv"]).await.expect(77));
    runs.push(world.run(&["create", "43", "-vv", "--json"]).await.expect(77));
    for run in &runs {
        holds_none("stdout", run.stdout.as_bytes(), &secrets);
        holds_none("stderr", run.stderr.as_bytes(), &secrets);
    }
    for file in ["ledger.db", "ledger.db-wal", "vm/tecnicos.json", "vm/Ana_Maria/credenciais.json"] {
        if let Ok(bytes) = std::fs::read(world.path(file)) {
            holds_none(file, &bytes, &secrets);
        }
    }
}
