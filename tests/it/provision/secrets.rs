//! No secret leaves its file.

use drive_emulator::control::{Effect, Fault, When};

use crate::agent::{Rig, configure_callback};
use crate::support::receiver::Reply;
use crate::support::world::{Ran, World};

const WEBHOOK: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What must not be seen: the parts of the service account's key, every token given out (`ya29.`) and every assertion signed
/// for one (`eyJ`), the portal password, the Fernet key, and the key callbacks are signed with.
fn secrets(world: &World) -> Vec<String> {
    let key = crate::support::world::read_json(&world.path("service-account.json"));
    let pem = key["private_key"].as_str().expect("a key");
    let mut secrets: Vec<String> = pem.lines().filter(|l| !l.starts_with("-----")).map(str::to_owned).collect();
    secrets.extend(["s3nha-portal", "VGVjbmljbyB0ZXN0IGtleSwgMzIgYnl0ZXMgbG9uZyE", "ya29.", "eyJ", WEBHOOK].map(str::to_owned));
    secrets
}

#[track_caller]
fn holds_none(what: &str, text: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(text);
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{what} shows {secret}");
    }
}

#[track_caller]
fn hold_none(runs: &[Ran], world: &World) {
    let secrets = secrets(world);
    for (n, run) in runs.iter().enumerate() {
        holds_none(&format!("stdout of run {n}"), run.stdout.as_bytes(), &secrets);
        holds_none(&format!("stderr of run {n}"), run.stderr.as_bytes(), &secrets);
    }
    for file in ["ledger.db", "ledger.db-wal", "vm/tecnicos.json", "vm/Ana_Maria/credenciais.json"] {
        if let Ok(bytes) = std::fs::read(world.path(file)) {
            holds_none(file, &bytes, &secrets);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_with_vv_shows_no_secret() {
    let world = World::new().await;
    world.control().fault(Fault::new(Effect::Unauthorized).when(When::Calls { calls: vec![3] })).expect("a rule that can strike");
    let create =
        ["create", "42", "--email", "ana@example.com", "--name", "Ana Maria", "--portal-user", "ana", "--portal-password-stdin", "-vv"];
    let mut runs = vec![world.run_with_stdin(&create, "s3nha-portal\n").await.expect(0)];
    assert!(runs[0].stderr.contains("create folder"), "-vv logs every call: {}", runs[0].stderr);
    for args in
        [&["check", "-vv"][..], &["check", "-vv", "--json"], &["share", "42", "--list", "-vv"], &["config", "-vv"], &["list", "--json"]]
    {
        runs.push(world.run(args).await);
    }
    world.control().fault(Fault::new(Effect::Unauthorized)).expect("a rule that can strike");
    runs.push(world.run(&["create", "43", "-vv"]).await.expect(77));
    runs.push(world.run(&["create", "43", "-vv", "--json"]).await.expect(77));
    hold_none(&runs, &world);
}

/// The agent's day: files good, refused and put off; a backend that takes, refuses, answers nonsense and is gone; the doctor.
#[tokio::test(flavor = "multi_thread")]
async fn the_agents_day_with_vv_shows_no_secret() {
    let rig = Rig::new("").await;
    let world = &rig.world;
    world.write_secret("callback.secret", &format!("whsec_{WEBHOOK}\n"));
    configure_callback(world, &rig.backend, "secret_file = \"callback.secret\"\n");
    let portal = ["create", "42", "--portal-user", "ana", "--portal-password-stdin", "-vv"];
    let mut runs = vec![world.run_with_stdin(&portal, "s3nha-portal\n").await.expect(0)];
    let mut day: Vec<&[&str]> = Vec::new();
    for args in [
        &["doctor", "-vv"][..],
        &["doctor", "--json"],
        &["status", "-vv"],
        &["callbacks", "-vv"],
        &["callbacks", "list", "--json"],
        &["why", "bom 1.pdf", "-vv"],
        &["retry", "42", "-vv"],
        &["process", "42", "-vv"],
        &["callbacks", "retry", "-vv"],
        &["ledger", "check", "-vv"],
        &["config", "--json"],
        &["changes", "-vv"],
    ] {
        day.push(args);
    }
    let echo = |status| Reply::With(status, Vec::new(), "no: webhook-signature is wrong".into());
    for (n, reply) in [Reply::status(200), echo(400), Reply::status(500), Reply::CutBody, echo(410)].into_iter().enumerate() {
        rig.backend.reply(reply);
        for text in ["bom", "ruim", "depois"] {
            rig.drop_file(&format!("{text} {n}.pdf"), &format!("{text} {n}"));
        }
        runs.push(world.run(&["watch", "-vv"]).await);
    }
    assert!(runs.iter().any(|r| r.stderr.contains("\"not delivered\"")), "the backend refused something: {runs:?}");
    for args in day {
        runs.push(world.run(args).await);
    }
    world.control().fault(Fault::new(Effect::Unauthorized)).expect("a rule that can strike");
    runs.push(world.run(&["watch", "-vv"]).await.expect(77));
    runs.push(world.run(&["doctor", "-vv"]).await.expect(1));
    hold_none(&runs, world);
    let signed = rig.backend.requests().into_iter().filter(|r| r.headers.contains_key("webhook-signature"));
    assert!(signed.count() > 10, "callbacks were signed");
}

/// CONTRACT 6: one password for everybody, seen by all in the list of processes.
#[tokio::test(flavor = "multi_thread")]
async fn c6_8_each_has_a_password_of_their_own_and_no_command_line_takes_one() {
    use clap::CommandFactory;
    let world = World::new().await;
    let mut tokens = std::collections::BTreeSet::new();
    for (user, name, password) in [("42", "Ana", "s3nha da Ana\n"), ("43", "Bea", "s3nha da Bea\n")] {
        let args = ["create", user, "--name", name, "--portal-user", name, "--portal-password-stdin"];
        world.run_with_stdin(&args, password).await.expect(0);
        let file = crate::support::world::read_json(&world.vm().join(name).join("credenciais.json"));
        tokens.insert(file["senha_portal"].as_str().expect("a token").to_owned());
    }
    assert_eq!(tokens.len(), 2);
    let key = fernet::Fernet::new(std::fs::read_to_string(world.path("segredo.key")).expect("read").trim()).expect("a key");
    let passwords: std::collections::BTreeSet<Vec<u8>> = tokens.iter().map(|t| key.decrypt(t).expect("decrypts")).collect();
    assert_eq!(passwords, [b"s3nha da Ana".to_vec(), b"s3nha da Bea".to_vec()].into());

    let mut open = vec![tecnico::cli::Cli::command()];
    let mut seen = 0;
    while let Some(command) = open.pop() {
        for arg in command.get_arguments().filter(|a| a.get_action().takes_values()) {
            let name = arg.get_id().as_str().to_lowercase();
            let is_secret = ["password", "senha", "secret", "api_key"].iter().any(|word| name.contains(word));
            assert!(!is_secret, "`{} --{name}` takes a secret on the command line", command.get_name());
            seen += 1;
        }
        open.extend(command.get_subcommands().cloned());
    }
    assert!(seen > 20, "{seen} arguments were looked at");
}
