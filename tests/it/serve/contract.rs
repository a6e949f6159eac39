//! CONTRACT §4 and the two names of §5 that are the API's, line by line.

use drive_emulator::control::{Effect, Fault, Status};
use reqwest::Method;
use serde_json::{Value, json};
use tecnico::domain::clock;
use tecnico::domain::technician::UserId;
use tecnico::ledger::{JobKind, JobState, Ledger, NewJob};

use super::{KEY, Service, ana, told_of, until_told, world_and_backend};
use crate::support::python;
use crate::support::waiting::until_answered;
use crate::support::world::World;

fn keys(value: &Value) -> Vec<&String> {
    value.as_object().expect("an object").keys().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_1_c3_1_c3_2_accepted_made_and_told_signed_under_the_job() {
    let (world, backend) = world_and_backend().await;
    let service = Service::start(&world);
    let job = service.accepted("/api/folders/create", &ana()).await;
    let told = until_told(&backend, &job).await;
    assert_eq!(backend.requests()[0].target, "/api/callbacks/folders");
    assert_eq!((told[0]["user_id"].as_str(), told[0]["status"].as_str()), (Some("42"), Some("success")));
    let tree = world.drive_tree();
    assert_eq!(told[0]["result"]["drive_folders"]["novos_folder_id"], tree["Ana_Maria/pdfs/novos"].as_str());
    let stands = service.ended(&job).await;
    assert_eq!((stands["status"].as_str(), &stands["message"]), (Some("success"), &told[0]["result"]["message"]));
    assert_eq!(stands["result"]["user_folder_id"], tree["Ana_Maria"].as_str());

    // A caller names another address for its own request.
    let url = format!("{}/aqui?token=1", backend.url());
    let mut body = ana();
    body["callback_url"] = json!(url);
    let job = service.accepted("/api/folders/create", &body).await;
    until_told(&backend, &job).await;
    let request = backend.requests().into_iter().find(|r| r.body.contains(&job)).expect("told");
    assert_eq!(request.target, "/aqui?token=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_1_at_once_with_the_three_fields_of_the_result() {
    let (world, backend) = world_and_backend().await;
    let service = Service::start(&world);
    let (status, answer) =
        service.post("/api/folders/create", &json!({ "user_id": 42, "user_email": "ana@example.com", "async": false })).await;
    assert_eq!((status, keys(&answer)), (200, vec![&"status".to_owned(), &"message".into(), &"result".into()]), "{answer}");
    assert_eq!(keys(&answer["result"]), ["user_folder_id", "novos_folder_id", "vm_folder_path"]);
    assert_eq!((answer["status"].as_str(), answer["message"].as_str()), (Some("success"), Some("As pastas de Usuario_42 foram criadas.")));
    let tree = world.drive_tree();
    assert_eq!(answer["result"]["user_folder_id"], tree["Usuario_42"].as_str());
    assert_eq!(answer["result"]["novos_folder_id"], tree["Usuario_42/pdfs/novos"].as_str());
    assert_eq!(answer["result"]["vm_folder_path"], world.vm().canonicalize().expect("there").join("Usuario_42").display().to_string());
    backend.wait_for(1).await;

    // Nothing changed, and the caller has the answer: nothing is told. With an address of its own it is.
    let again = json!({ "user_id": "42", "user_email": "ana@example.com", "async": false });
    assert_eq!(service.post("/api/folders/create", &again).await.0, 200);
    let mut named = again.clone();
    named["callback_url"] = json!(format!("{}/aqui", backend.url()));
    assert_eq!(service.post("/api/folders/create", &named).await.0, 200);
    let requests = backend.wait_for(2).await;
    assert_eq!((requests.len(), requests[1].target.as_str()), (2, "/aqui"));
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_1_what_is_missing_or_wrong_is_a_400_and_the_key_a_401() {
    let (world, backend) = world_and_backend().await;
    let service = Service::start(&world);
    for (path, body, says) in [
        ("create", json!({}), "Nenhum dado"),
        ("create", json!({ "user_id": "42" }), "user_email"),
        ("create", json!({ "user_email": "ana@example.com", "user_id": "" }), "user_id"),
        ("create", json!({ "user_id": "42", "user_email": "ana" }), "e-mail"),
        ("create", json!({ "user_id": "a\nb", "user_email": "ana@example.com" }), "usuário"),
        ("create", json!({ "user_id": "42", "user_email": "ana@example.com", "user_name": "../x" }), "nome"),
        ("create", json!({ "user_id": ["42"], "user_email": "ana@example.com" }), "user_id"),
        ("create", json!({ "user_id": "42", "user_email": "ana@example.com", "async": "no" }), "async"),
        ("create", json!({ "user_id": "42", "user_email": "ana@example.com", "callback_url": "https://evil.example/" }), "callback"),
        ("create", json!({ "user_id": "42", "user_email": "ana@example.com", "callback_url": "http://169.254.169.254/" }), "callback"),
        ("status", json!({ "other": 1 }), "user_id"),
        ("status", json!({ "user_email": "ana" }), "e-mail"),
        ("process", json!({ "drive_folder_id": "1AbC" }), "user_id"),
    ] {
        let (status, answer) = service.post(&format!("/api/folders/{path}"), &body).await;
        assert_eq!((status, answer["status"].as_str()), (400, Some("error")), "{body}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|m| m.contains(says)), "{body}: {answer}");
    }
    for key in [None, Some(""), Some("wrong"), Some(&KEY[1..])] {
        for (method, path) in [
            (Method::POST, "/api/folders/create"),
            (Method::POST, "/api/folders/status"),
            (Method::POST, "/api/folders/process"),
            (Method::GET, "/api/status/job_1"),
        ] {
            let (status, answer) = service.send(method, path, key, Some(("application/json", ana().to_string()))).await;
            assert_eq!((status, keys(&answer)), (401, vec![&"message".to_owned()]), "{path}");
        }
    }
    assert!(world.drive_tree().is_empty() && backend.requests().is_empty(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_2_what_is_known_of_somebody() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    let (status, answer) = service.post("/api/folders/status", &json!({ "user_id": "42" })).await;
    assert_eq!((status, answer["status"].as_str(), answer["exists"].as_bool()), (200, Some("success"), Some(false)));
    assert!(answer.get("user_data").is_none());
    assert_eq!(
        service
            .post(
                "/api/folders/create",
                &json!({ "async": false, "user_id": "42", "user_email": "ana@example.com", "user_name": "Ana Maria" })
            )
            .await
            .0,
        200
    );
    let tree = world.drive_tree();
    for body in
        [json!({ "user_id": "42" }), json!({ "user_email": "Ana@Example.com" }), json!({ "user_id": 42, "user_email": "x@example.com" })]
    {
        let (status, answer) = service.post("/api/folders/status", &body).await;
        assert_eq!((status, answer["exists"].as_bool(), answer["folders_exist"].as_bool()), (200, Some(true), Some(true)), "{answer}");
        assert_eq!(
            answer["user_data"],
            json!({
                "name": "Ana Maria",
                "email": "ana@example.com",
                "drive_folder_id": tree["Ana_Maria"],
                "novos_folder_id": tree["Ana_Maria/pdfs/novos"],
                "vm_folder_path": world.vm().canonicalize().expect("there").join("Ana_Maria").display().to_string(),
            })
        );
    }
    let folders_exist = async || {
        let (status, answer) = service.post("/api/folders/status", &json!({ "user_id": "42" })).await;
        assert_eq!((status, &answer["exists"], &answer["drive_checked"]), (200, &json!(true), &json!(true)), "{answer}");
        answer["folders_exist"].as_bool().expect("yes or no")
    };
    let local = world.vm().join("Ana_Maria/pdfs/novos");
    std::fs::remove_dir(&local).expect("removed");
    assert!(!folders_exist().await, "one is missing on the VM");
    std::fs::create_dir(&local).expect("made");
    assert!(folders_exist().await);
    // In the trash by themselves or with what they lie in, and gone for good.
    let (control, robot) = (world.control(), world.robot());
    for path in ["Ana_Maria/pdfs/novos", "Ana_Maria/pdfs", "Ana_Maria"] {
        control.trash(&robot, &tree[path]).expect("trashed");
        assert!(!folders_exist().await, "{path} is in the trash");
        control.untrash(&robot, &tree[path]).expect("taken out");
        assert!(folders_exist().await, "{path} is back");
    }
    control.delete(&robot, &tree["Ana_Maria/pdfs/novos"]).expect("deleted");
    assert!(!folders_exist().await, "novos is gone");
}

/// Old clients raise from 400 on, and what was asked for is known here: they get it, with the word that Drive did not say so.
#[tokio::test(flavor = "multi_thread")]
async fn c4_2_c4_5_a_drive_that_does_not_answer_is_no_error_and_is_said() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    service.ended(&service.accepted("/api/folders/create", &ana()).await).await;
    let refused = Fault::new(Effect::Status(Status::new(403, "accessNotConfigured")));
    for (trouble, on_vm) in [("is silent", true), ("refuses", true), ("refuses", false)] {
        let control = world.control();
        match trouble {
            "refuses" => control.fault(refused.clone().op("files.get")).map(|_| ()).expect("a rule that can strike"),
            _ => control.pause_after(0),
        }
        if !on_vm {
            std::fs::remove_dir(world.vm().join("Ana_Maria/pdfs/erro")).expect("removed");
        }
        let (status, answer) = service.post("/api/folders/status", &json!({ "user_id": "42" })).await;
        assert_eq!((status, &answer["status"], &answer["exists"]), (200, &json!("success"), &json!(true)), "{trouble}: {answer}");
        assert_eq!((&answer["drive_checked"], &answer["folders_exist"]), (&json!(false), &json!(on_vm)), "{trouble}: {answer}");
        assert!(answer["message"].as_str().is_some_and(|m| m.contains("Drive não pôde ser consultado")), "{trouble}: {answer}");
        assert!(answer["user_data"]["drive_folder_id"].is_string());
        control.resume();
        control.clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_4_an_unknown_job_is_not_found_and_health_needs_no_key() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    let long = "x".repeat(3000);
    for id in ["job_unknown", "%00", "%ff", "..%2f..", "a'; DROP TABLE jobs; --", &long] {
        let (status, answer) = service.get(&format!("/api/status/{id}")).await;
        assert_eq!((status, answer["status"].as_str()), (404, Some("not_found")), "{id}: {answer}");
    }
    let (status, answer) = service.send(Method::GET, "/api/health", None, None).await;
    assert_eq!((status, answer["status"].as_str()), (200, Some("ok")));
}

/// A job that failed says why, there and in the callback; another is not harmed.
#[tokio::test(flavor = "multi_thread")]
async fn c4_4_c3_3_a_job_that_failed_says_why() {
    let (world, backend) = world_and_backend().await;
    world
        .control()
        .fault(Fault::new(Effect::Status(Status::new(403, "shareOutNotPermitted"))).op("permissions.create"))
        .expect("a rule that can strike");
    let service = Service::start(&world);
    let job = service.accepted("/api/folders/create", &ana()).await;
    let stands = service.ended(&job).await;
    assert_eq!((stands["status"].as_str(), stands["code"].as_str()), (Some("error"), Some("sharing_forbidden_by_policy")));
    let told = until_told(&backend, &job).await;
    assert_eq!((told[0]["status"].as_str(), &told[0]["result"]["code"]), (Some("error"), &stands["code"]));
    assert_eq!(told[0]["result"]["message"], stands["message"]);
    let mut sync = ana();
    sync["async"] = json!(false);
    let (status, answer) = service.post("/api/folders/create", &sync).await;
    assert_eq!((status, answer["status"].as_str(), answer["code"].as_str()), (502, Some("error"), Some("sharing_forbidden_by_policy")));
}

/// The old clients, in Python: they set the content type, read `VM_API_URL` and `VM_API_KEY`, and raise from 400 on.
#[tokio::test(flavor = "multi_thread")]
async fn c4_5_c5_3_c5_4_a_python_client_works_unchanged() {
    let (world, backend) = world_and_backend().await;
    let service = Service::start(&world);
    let environment = [("VM_API_URL".to_owned(), service.url.clone()), ("VM_API_KEY".to_owned(), KEY.to_owned())];
    let said = tokio::task::spawn_blocking(move || python::run_with(include_str!("client.py"), &[], &environment)).await;
    let said: Value = serde_json::from_str(&said.expect("it ends").expect("it runs")).expect("JSON");
    assert_eq!((&said["health"][0], &said["before"][1]["exists"]), (&json!(200), &json!(false)));
    let created = &said["created"][1]["result"];
    assert_eq!(created["novos_folder_id"], world.drive_tree()["Ana_Maria/pdfs/novos"].as_str());
    assert_eq!(said["after"][1]["user_data"]["drive_folder_id"], created["user_folder_id"]);
    assert_eq!((&said["accepted"][0], &said["ended"]["result"]), (&json!(202), created));
    assert_eq!((&said["process"][0], &said["processed"]["result"]["files_processed"]), (&json!(202), &json!(0)));
    for (what, status) in [("no key", 401), ("wrong key", 401), ("no field", 400), ("no data", 400), ("unknown", 404)] {
        assert_eq!(said[what][0], status, "{what}");
        assert!(said[what][1]["message"].is_string(), "{what}");
    }
    assert_eq!(said["unknown"][1]["status"], "not_found");
    let job = said["accepted"][1]["job_id"].as_str().expect("an id");
    until_told(&backend, job).await;
    assert_eq!(told_of(&backend.requests(), job).0.len(), 1);
}

/// The server's name is the key's; the address is the clients' to know, and means nothing here.
#[tokio::test(flavor = "multi_thread")]
async fn c5_4_c5_3_the_key_of_the_environment_is_above_the_files() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start_with(&world, &[], &[("VM_API_KEY", "outra-chave-0123456789"), ("VM_API_URL", "http://192.0.2.1:9/")]);
    assert!(service.url.starts_with("http://127.0.0.1:"), "{}", service.url);
    assert_eq!(service.post("/api/folders/status", &json!({ "user_id": "42" })).await.0, 401);
    let body = Some(("application/json", json!({ "user_id": "42" }).to_string()));
    assert_eq!(service.send(Method::POST, "/api/folders/status", Some("outra-chave-0123456789"), body).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_start_without_a_key_or_open_to_the_network_or_twice() {
    let (world, _backend) = world_and_backend().await;
    let code = |ran: Value| ran["error"]["code"].as_str().expect("a code").to_owned();
    let open = std::os::unix::fs::PermissionsExt::from_mode;
    assert_eq!(code(world.json(64, &["serve", "--listen", "0.0.0.0:0"]).await), "listen_refused");
    assert_eq!(code(world.json(64, &["serve", "--listen", "[::]:0"]).await), "listen_refused");
    std::fs::set_permissions(world.path("api.key"), open(0o644)).expect("set");
    assert_eq!(code(world.json(77, &["serve", "--listen", "127.0.0.1:0"]).await), "api_key_readable_by_others");
    std::fs::remove_file(world.path("api.key")).expect("removed");
    assert_eq!(code(world.json(78, &["serve", "--listen", "127.0.0.1:0"]).await), "api_key_unreadable");
    let bare = World::new().await;
    let refused = bare.json(78, &["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(code(refused.clone()), "api_key_missing");
    assert!(refused["error"]["hint"].as_str().is_some_and(|h| h.contains("serve.api_key_file") && h.contains("VM_API_KEY")));
    world.write_secret("api.key", KEY);
    let service = Service::start(&world);
    assert_eq!(code(world.json(75, &["serve", "--listen", "127.0.0.1:0"]).await), "serve_busy");
    let taken = service.url.trim_start_matches("http://").to_owned();
    assert_eq!(code(world.json(73, &["serve", "--listen", &taken]).await), "listen_failed");
}

/// Rows of jobs do not grow for ever; what the caller hears of one that is gone is what it hears of one that never was. Until
/// then it hears how it ended.
#[tokio::test(flavor = "multi_thread")]
async fn c4_4_a_job_is_kept_for_as_long_as_the_settings_say() {
    const MINUTE: i64 = 60_000;
    let (world, _backend) = world_and_backend().await;
    let config = std::fs::read_to_string(world.path("config.toml")).expect("read");
    std::fs::write(world.path("config.toml"), config.replace("[serve]\n", "[serve]\nkeep_jobs = \"1h\"\n")).expect("written");
    world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    let ledger = Ledger::open(&world.path("ledger.db")).await.expect("opens");
    let now = clock::now();
    for (id, minutes) in [("job_old", 61), ("job_new", 59)] {
        let user = UserId::parse("42").expect("an id");
        let job = NewJob { id: id.into(), kind: JobKind::Create, user, request: "{}".into(), callback_url: None };
        let at = now - minutes * MINUTE;
        ledger.accept_job(&job, 10, at).await.expect("accepted");
        ledger.begin_job(JobKind::Create, at).await.expect("begun").expect("due");
        ledger.end_job(id, JobState::Success, "{}", None, at).await.expect("ended");
    }
    ledger.close().await;
    let service = Service::start(&world);
    let job = service.accepted("/api/folders/create", &ana()).await;
    service.ended(&job).await;
    until_answered("the old one is forgotten", async || {
        let (status, answer) = service.get("/api/status/job_old").await;
        status == 404 && answer["status"] == "not_found"
    })
    .await;
    for kept in ["job_new", &job] {
        let (status, answer) = service.get(&format!("/api/status/{kept}")).await;
        assert_eq!((status, answer["status"].as_str()), (200, Some("success")), "{kept}: {answer}");
    }
}
