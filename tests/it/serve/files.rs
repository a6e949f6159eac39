//! `POST /api/folders/process`: what lies in a `novos` goes through, and the job tells of it.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{Service, told_of, until_told, world_and_backend};
use crate::support::receiver::Receiver;
use crate::support::waiting::until;
use crate::support::world::World;

const ANA: &str = "ana@example.com";
/// Refuses what says `ruim`; holds what says `espera` while there is a file `hold`; says whether it sees the API's key.
const PROCESSOR: &str = "#!/bin/sh\necho \"$1 key=$VM_API_KEY\" >> \"$0.log\"\nwhile [ -e \"$0.hold\" ] && grep -q espera \"$1\"; do sleep 0.05; done\n\
    if grep -q ruim \"$1\"; then echo 'número inválido' >&2; exit 3; fi\n";

/// Ana with a processor; gives the id of her `novos`.
async fn ready(world: &World, backend: &Receiver) -> String {
    let script = world.path("processor");
    std::fs::write(&script, PROCESSOR).expect("written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("executable");
    super::configure(world, backend, &format!("[process]\ncommand = [\"{}\", \"{{path}}\"]\n", script.display()));
    world.control().user(ANA).expect("an account");
    let made = world.json(0, &["create", "42", "--email", ANA, "--name", "Ana Maria"]).await;
    made["drive_folders"]["novos_folder_id"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_3_c3_4_the_files_go_through_and_each_is_told_under_the_job() {
    let (world, backend) = world_and_backend().await;
    let novos = ready(&world, &backend).await;
    let good = world.control().put(ANA, &novos, "16517189.pdf", b"bom", "application/pdf").expect("dropped");
    let bad = world.control().put(ANA, &novos, "16517190.pdf", b"ruim", "application/pdf").expect("dropped");
    let service = Service::start_with(&world, &["-vv"], &[("VM_API_KEY", super::KEY)]);
    let job = service.accepted("/api/folders/process", &json!({ "user_id": "42", "drive_folder_id": novos })).await;
    let stands = service.ended(&job).await;
    assert_eq!((stands["status"].as_str(), stands["result"]["files_processed"].as_u64()), (Some("success"), Some(1)), "{stands}");
    let files = stands["result"]["files"].as_array().expect("files");
    let of = |id: &str| files.iter().find(|f| f["file_id"] == id).expect("told").clone();
    assert_eq!((of(&good)["outcome"].as_str(), of(&good)["name"].as_str()), (Some("processado"), Some("16517189.pdf")));
    assert_eq!((of(&bad)["outcome"].as_str(), of(&bad)["reason"].as_str()), (Some("erro"), Some("número inválido")));
    assert!(files.iter().all(|f| f["checksum"].as_str().is_some_and(|c| c.len() == 32)), "{stands}");
    until("both are told", || told_of(&backend.requests(), &job).0.len() == 2).await;
    let of_files = backend.requests().into_iter().filter(|r| r.body.contains(&job));
    assert!(of_files.into_iter().all(|r| r.target == "/api/callbacks/process"));

    // Nothing to do is an end too, at once and later.
    let (status, answer) = service.post("/api/folders/process", &json!({ "user_id": "42", "async": false })).await;
    assert_eq!(
        (status, answer["result"]["files_processed"].as_u64(), answer["message"].as_str()),
        (200, Some(0), Some("Não havia arquivos novos."))
    );
    let job = service.accepted("/api/folders/process", &json!({ "user_id": "42" })).await;
    let told = until_told(&backend, &job).await;
    assert_eq!(told[0]["result"]["files"], json!([]));

    let log = std::fs::read_to_string(world.path("processor.log")).expect("a log");
    assert!(log.lines().count() == 2 && log.lines().all(|l| l.ends_with("key=")), "the processor has no use for the key: {log}");
    let log = std::fs::read_to_string(world.path("serve.log")).expect("a log");
    assert!(log.contains("/api/folders/process") && !log.contains(super::KEY) && !log.contains(&super::SECRET[6..]), "{log}");
}

/// A caller names another address for its own run: what ended is told there, and an end without files too; nothing elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn c4_3_c3_1_a_run_is_told_at_the_address_its_caller_named() {
    let (world, backend) = world_and_backend().await;
    let novos = ready(&world, &backend).await;
    for (name, text) in [("1.pdf", "bom"), ("2.pdf", "ruim")] {
        world.control().put(ANA, &novos, name, text.as_bytes(), "application/pdf").expect("dropped");
    }
    let service = Service::start(&world);
    let body = json!({ "user_id": "42", "callback_url": format!("{}/aqui?token=1", backend.url()) });
    for (is_async, files) in [(true, 2), (true, 1), (false, 1)] {
        let mut body = body.clone();
        body["async"] = json!(is_async);
        let job = if is_async {
            service.accepted("/api/folders/process", &body).await
        } else {
            assert_eq!(service.post("/api/folders/process", &body).await.0, 200);
            String::new()
        };
        let told = || backend.requests().into_iter().filter(|r| r.target == "/aqui?token=1" && r.body.contains(&job)).count();
        until("its caller is told", || told() >= files).await;
    }
    assert!(backend.requests().iter().all(|r| r.target == "/aqui?token=1" || r.target == "/api/callbacks/folders"));
    for refused in ["https://evil.example/", "http://169.254.169.254/", "no address"] {
        let body = json!({ "user_id": "42", "callback_url": refused });
        assert_eq!(service.post("/api/folders/process", &body).await.0, 400, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_3_somebody_elses_folder_and_an_unknown_user_are_refused() {
    let (world, backend) = world_and_backend().await;
    let novos = ready(&world, &backend).await;
    let other = world.json(0, &["create", "43", "--email", "bea@example.com"]).await;
    let service = Service::start(&world);
    for folder in [&other["drive_folders"]["user_folder_id"], &other["drive_folders"]["novos_folder_id"], &json!("x/../y")] {
        let (status, answer) = service.post("/api/folders/process", &json!({ "user_id": "42", "drive_folder_id": folder })).await;
        assert_eq!((status, answer["status"].as_str()), (400, Some("error")), "{answer}");
    }
    for folder in [json!(novos), json!(world.drive_tree()["Ana_Maria"])] {
        service.accepted("/api/folders/process", &json!({ "user_id": "42", "drive_folder_id": folder })).await;
    }
    let (status, answer) = service.post("/api/folders/process", &json!({ "user_id": "99" })).await;
    assert_eq!((status, answer["status"].as_str()), (404, Some("not_found")));
}

/// Killed while a file is judged, with another one filed already: both are told once, and the job ends with both.
#[tokio::test(flavor = "multi_thread")]
async fn c6_4_killed_between_two_files_a_run_is_finished_and_tells_of_both() {
    let (world, backend) = world_and_backend().await;
    let novos = ready(&world, &backend).await;
    std::fs::write(world.path("processor.hold"), "").expect("held");
    for (name, text) in [("1.pdf", "bom"), ("2.pdf", "espera")] {
        world.control().put(ANA, &novos, name, text.as_bytes(), "application/pdf").expect("dropped");
    }
    let service = Service::start(&world);
    let job = service.accepted("/api/folders/process", &json!({ "user_id": "42" })).await;
    until_told(&backend, &job).await;
    let begun = || std::fs::read_to_string(world.path("processor.log")).is_ok_and(|log| log.contains("2.pdf"));
    until("the second is judged", begun).await;
    service.kill();
    std::fs::remove_file(world.path("processor.hold")).expect("let go");
    let service = Service::start(&world);
    let stands = service.ended(&job).await;
    let files = stands["result"]["files"].as_array().expect("files");
    let names: std::collections::BTreeSet<&str> = files.iter().filter_map(|f| f["name"].as_str()).collect();
    assert_eq!((stands["status"].as_str(), names, files.len()), (Some("success"), ["1.pdf", "2.pdf"].into(), 2), "{stands}");
    until("both are told", || told_of(&backend.requests(), &job).1.len() == 2).await;
    let told: Vec<Value> = told_of(&backend.requests(), &job).0;
    assert!(told.iter().all(|t| t["result"]["files"].as_array().is_some_and(|f| f.len() == 1)), "nothing is told twice: {told:?}");
}

/// SIGTERM while a file is judged: its step is finished, the caller is answered, and the next start ends the job.
#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_while_a_file_is_judged_the_job_is_finished_by_the_next_start() {
    let (world, backend) = world_and_backend().await;
    let novos = ready(&world, &backend).await;
    std::fs::write(world.path("processor.hold"), "").expect("held");
    world.control().put(ANA, &novos, "1.pdf", b"espera", "application/pdf").expect("dropped");
    let mut service = Service::start(&world);
    let body = json!({ "user_id": "42", "async": false });
    let (answer, ()) = tokio::join!(service.post("/api/folders/process", &body), async {
        let begun = || std::fs::read_to_string(world.path("processor.log")).is_ok_and(|log| log.contains("1.pdf"));
        until("it is judged", begun).await;
        service.ask_to_end();
        let address = service.url.trim_start_matches("http://").to_owned();
        until("the socket is closed", || std::net::TcpStream::connect(&address).is_err()).await;
        std::fs::remove_file(world.path("processor.hold")).expect("let go");
    });
    assert_eq!((answer.0, answer.1["status"].as_str()), (202, Some("accepted")), "{}", answer.1);
    service.ends_well().await;
    let job = answer.1["job_id"].as_str().expect("an id");
    let service = Service::start(&world);
    let stands = service.ended(job).await;
    assert_eq!((stands["status"].as_str(), &stands["result"]["files"][0]["name"]), (Some("success"), &json!("1.pdf")), "{stands}");
    until_told(&backend, job).await;
    assert_eq!(told_of(&backend.requests(), job).1.len(), 1);
    let log = std::fs::read_to_string(world.path("processor.log")).expect("a log");
    assert_eq!(log.lines().count(), 1, "it was judged once");
}
