//! What the backend hears of creations and shares.

use drive_emulator::control::{Effect, Fault, Match};
use serde_json::Value;

use super::support::{ANA, kill, start};
use crate::support::receiver::{Received, Receiver, Reply};
use crate::support::waiting::{PATIENCE, until};
use crate::support::world::World;

async fn world_and_backend() -> (World, Receiver) {
    let world = World::new().await;
    let backend = Receiver::start().await.expect("a backend");
    world.write_config(&format!("[callback]\nurl = \"{}\"\ntimeout = \"2s\"\n", backend.url()));
    (world, backend)
}

fn body(request: &Received) -> Value {
    serde_json::from_str(&request.body).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn c3_1_c3_2_c3_3_a_creation_answers_the_backends_task() {
    let (world, backend) = world_and_backend().await;
    let created = world.json(0, &["create", "42", "--email", "ana@example.com", "--name", "Ana Maria", "--job-id", "job-7"]).await;
    let requests = backend.wait_for(1).await;
    assert_eq!(requests[0].target, "/api/callbacks/folders");
    let told = body(&requests[0]);
    assert_eq!((told["user_id"].as_str(), told["job_id"].as_str(), told["status"].as_str()), (Some("42"), Some("job-7"), Some("success")));
    assert_eq!(told["result"]["drive_folders"], created["drive_folders"]);
    assert_eq!(told["result"]["vm_folders"], created["vm_folders"]);

    // Nothing changed and nobody asked: nothing is told. A task is answered all the same.
    world.json(0, &["create", "42"]).await;
    world.json(0, &["create", "42", "--job-id", "job-8"]).await;
    let requests = backend.wait_for(2).await;
    assert_eq!((requests.len(), body(&requests[1])["job_id"].as_str()), (2, Some("job-8")));
}

/// Killed when all is done but the word to the backend, which nobody gave a task.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_dies_before_the_backend_hears_of_it_is_told_by_the_next() {
    let (world, backend) = world_and_backend().await;
    let control = world.control();
    control.gate().pause_after_matching(Match { op: Some("permissions.create".into()), ..Match::default() }, 0);
    let child = start(&world, &ANA);
    tokio::time::timeout(PATIENCE, control.wait_paused()).await.expect("it gets there");
    let ledger = sqlx::SqlitePool::connect(&format!("sqlite://{}", world.path("ledger.db").display())).await.expect("opens");
    let held = ledger.begin_with("BEGIN IMMEDIATE").await.expect("held");
    control.resume();
    until("tecnicos.json has an entry", || world.vm().join("tecnicos.json").exists()).await;
    kill(child);
    held.rollback().await.expect("let go");
    ledger.close().await;
    assert!(backend.requests().is_empty(), "nothing was told");

    let again = world.json(0, &["create", "42"]).await;
    assert_eq!(again["status"], "unchanged");
    let told = body(&backend.wait_for(1).await[0]);
    assert_eq!(told["result"]["drive_folders"], again["drive_folders"]);
    world.json(0, &["create", "42"]).await;
    assert_eq!(backend.requests().len(), 1, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_2_a_refused_share_is_a_failure_and_is_told() {
    let (world, backend) = world_and_backend().await;
    world
        .control()
        .fault(Fault::new(Effect::Status(drive_emulator::control::Status::new(403, "shareOutNotPermitted"))).op("permissions.create"))
        .expect("a rule that can strike");
    let failed = world.json(77, &["create", "42", "--email", "ana@example.com", "--job-id", "job-7"]).await;
    assert_eq!(failed["error"]["code"], "sharing_forbidden_by_policy");
    let told = body(&backend.wait_for(1).await[0]);
    assert_eq!((told["status"].as_str(), told["result"]["code"].as_str()), (Some("error"), Some("sharing_forbidden_by_policy")));
}

#[tokio::test(flavor = "multi_thread")]
async fn c3_5_c6_6_a_backend_that_is_down_costs_nothing_and_hears_later_under_the_same_id() {
    let (world, backend) = world_and_backend().await;
    backend.reply(Reply::status(500));
    world.run(&["create", "42", "--email", "ana@example.com"]).await.expect(0);
    let first = backend.wait_for(1).await;
    backend.reply(Reply::status(204));
    world.run(&["callbacks", "retry"]).await.expect(0);
    let all = backend.wait_for(2).await;
    assert_eq!(all[1].headers["webhook-id"], first[0].headers["webhook-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_not_allowed_is_refused_before_anything_is_made() {
    let (world, _backend) = world_and_backend().await;
    let refused = world.json(64, &["create", "42", "--email", "ana@example.com", "--callback-url", "https://evil.example.com/"]).await;
    assert_eq!(refused["error"]["code"], "callback_url_refused");
    assert!(world.drive_tree().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_told_too() {
    let (world, backend) = world_and_backend().await;
    world.run(&["create", "42", "--email", "ana@example.com"]).await.expect(0);
    world.run(&["share", "42", "--with", "boss@example.com", "--role", "reader"]).await.expect(0);
    let told = body(&backend.wait_for(2).await[1]);
    assert!(told["result"]["message"].as_str().is_some_and(|m| m.contains("compartilhada")), "{told}");
}

/// The old name for the backend's address, above the config file.
#[tokio::test(flavor = "multi_thread")]
async fn c5_2_the_backends_address_of_the_environment() {
    let (world, of_file) = world_and_backend().await;
    let of_environment = Receiver::start().await.expect("a backend");
    let mut command = world.command(&["create", "42", "--email", "ana@example.com"]);
    command.env("BACKEND_URL", of_environment.url());
    crate::support::world::finish(command).await.expect(0);
    let requests = of_environment.wait_for(1).await;
    assert_eq!(requests[0].target, "/api/callbacks/folders");
    assert!(of_file.requests().is_empty());
}
