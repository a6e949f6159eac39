//! What is accepted is done once, whatever happens to the process, and however many ask at once.

use serde_json::{Value, json};

use super::{Service, ana, told_of, until_told, world_and_backend};
use crate::provision::support::{ANA_TREE, paths};
use crate::support::receiver::Reply;
use crate::support::waiting::{PATIENCE, until, until_answered};

/// CONTRACT 6: "Jobs were popped before the work: a crash lost them."
#[tokio::test(flavor = "multi_thread")]
async fn c6_4_killed_between_the_answer_and_the_work_and_at_each_third_call() {
    for after in [0, 3, 6, 8] {
        let (world, backend) = world_and_backend().await;
        world.control().pause_after(after);
        let service = Service::start(&world);
        let job = service.accepted("/api/folders/create", &ana()).await;
        tokio::time::timeout(PATIENCE, world.control().wait_paused()).await.expect("it gets there");
        service.kill();
        world.control().resume();
        let service = Service::start(&world);
        let stands = service.ended(&job).await;
        assert_eq!(stands["status"], "success", "killed after call {after}: {stands}");
        assert_eq!(paths(&world), ANA_TREE);
        until_told(&backend, &job).await;
        let (bodies, ids) = told_of(&backend.requests(), &job);
        assert_eq!((bodies.len(), ids.len()), (1, 1), "killed after call {after}");
    }
}

/// The callback was taken, but the process died before it could record so: it comes again under the same id.
#[tokio::test(flavor = "multi_thread")]
async fn c3_5_killed_while_the_callback_is_answered_it_comes_again_under_the_same_id() {
    let (world, backend) = world_and_backend().await;
    backend.reply(Reply::Hang);
    let service = Service::start(&world);
    let job = service.accepted("/api/folders/create", &ana()).await;
    until_told(&backend, &job).await;
    assert_eq!(service.ended(&job).await["status"], "success", "the work does not wait for the backend");
    service.kill();
    backend.reply(Reply::status(200));
    let mut service = Service::start(&world);
    backend.wait_for(2).await;
    service.ask_to_end();
    service.ends_well().await;
    let (bodies, ids) = told_of(&backend.requests(), &job);
    assert_eq!((bodies.len(), ids.len()), (2, 1));
    assert_eq!(bodies[0], bodies[1]);
    let left = world.json(0, &["callbacks", "list"]).await;
    assert_eq!(left["events"].as_array().map(Vec::len), Some(0), "{left}");
}

/// CONTRACT 6: "Running creation twice made a second tree on Drive."
#[tokio::test(flavor = "multi_thread")]
async fn c6_1_asked_at_once_many_times_there_is_one_tree_a_user() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    let asked = (0..50).map(|n| {
        let user = n % 5;
        let body =
            json!({ "user_id": user.to_string(), "user_email": format!("t{user}@example.com"), "user_name": format!("Pessoa {user}") });
        let service = &service;
        async move { service.accepted("/api/folders/create", &body).await }
    });
    let jobs = futures_util::future::join_all(asked).await;
    let different: std::collections::BTreeSet<&String> = jobs.iter().collect();
    assert_eq!(different.len(), 50);
    let ends = futures_util::future::join_all(jobs.iter().map(|job| service.ended(job))).await;
    let wrong: Vec<&Value> = ends.iter().filter(|e| e["status"] != "success").collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(world.drive_tree().keys().filter(|p| !p.contains('/')).count(), 5);
    assert_eq!(world.registry().as_array().map(Vec::len), Some(5));
    assert_eq!(world.control().counts()["files.create"], 25, "nobody tried to make one again");
}

/// SIGTERM: the request in hand is answered, the step in hand finished, what waits is taken up by the next start.
#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_it_finishes_what_it_has_in_hand() {
    let (world, backend) = world_and_backend().await;
    super::configure(&world, &backend, "");
    let config = std::fs::read_to_string(world.path("config.toml")).expect("read");
    std::fs::write(world.path("config.toml"), config.replace("[serve]\n", "[serve]\nconcurrency = 1\n")).expect("written");
    world.control().pause_after(3);
    let mut service = Service::start(&world);
    let mut sync = ana();
    sync["async"] = json!(false);
    let (in_hand, later) = tokio::join!(service.post("/api/folders/create", &sync), async {
        tokio::time::timeout(PATIENCE, world.control().wait_paused()).await.expect("it gets there");
        let later = service.accepted("/api/folders/create", &json!({ "user_id": "43", "user_email": "bea@example.com" })).await;
        service.ask_to_end();
        let address = service.url.trim_start_matches("http://").to_owned();
        until("the socket is closed", || std::net::TcpStream::connect(&address).is_err()).await;
        world.control().resume();
        later
    });
    assert_eq!((in_hand.0, in_hand.1["status"].as_str()), (200, Some("success")), "{}", in_hand.1);
    service.ends_well().await;
    assert_eq!(paths(&world), ANA_TREE, "the other was not begun");
    backend.wait_for(1).await;
    let service = Service::start(&world);
    assert_eq!(service.ended(&later).await["status"], "success");
}

/// Another tecnico at work on the same technician is no error: the job waits for its turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_meets_a_busy_technician_waits_for_its_turn() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    let user = tecnico::domain::technician::UserId::parse("42").expect("an id");
    let ledger = tecnico::ledger::Ledger::open(&world.path("ledger.db")).await.expect("opens");
    let lock = ledger.lock_technician(&user).await.expect("locked");
    let job = service.accepted("/api/folders/create", &ana()).await;
    until_answered("it is begun", async || service.get(&format!("/api/status/{job}")).await.1["status"] == "running").await;
    drop(lock);
    assert_eq!(service.ended(&job).await["status"], "success");
}
