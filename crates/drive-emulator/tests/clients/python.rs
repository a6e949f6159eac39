//! google-api-python-client, Google's own, with only the address of the API changed (10.1).

use drive_emulator::control::{Effect, Fault, Status, When};

use crate::support::{Rig, beside, finish, python};

/// Runs a script of `tests/clients/python`; its own assertions decide.
async fn run(rig: &Rig, script: &str, environment: &[(&str, &str)]) {
    let mut command = rig.command(python());
    // Byte code would be written beside the sources.
    command.arg("-B").arg(beside("python").join(script)).envs(environment.iter().copied());
    finish(command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_served_method_is_called_by_googles_python_client() {
    let rig = Rig::start().await;
    rig.control.set_switches(|switches| switches.push_allows_http = true).expect("a switch");
    run(&rig, "methods.py", &[]).await;
    rig.nothing_unknown();
    let missing: Vec<&str> = drive_emulator::served().map(|method| method.op).filter(|op| rig.count(op) == 0).collect();
    assert!(missing.is_empty(), "served, and not called by the script: {missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_all_forms() {
    let rig = Rig::start().await;
    run(&rig, "uploads.py", &[]).await;
    rig.nothing_unknown();
    assert!(rig.count("upload.chunk") >= 8, "{:?}", rig.control.counts());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_an_error_and_after_a_lost_answer() {
    let rig = Rig::start().await;
    let chunks = |effect| Fault::new(effect).op("upload.chunk");
    rig.control
        .fault(chunks(Effect::Status(Status::new(503, "backendError"))).when(When::Calls { calls: vec![2] }))
        .expect("a rule that can strike");
    rig.control.fault(chunks(Effect::LostAfterCommit).when(When::Calls { calls: vec![5] })).expect("a rule that can strike");
    run(&rig, "resumed.py", &[]).await;
    let files = rig.control.children(&rig.ana.root_id).expect("her root");
    let resumed: Vec<_> = files.iter().filter(|file| file["name"] == "resumed.bin").collect();
    assert_eq!(resumed.len(), 1, "an upload gone on with makes one file");
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_in_pieces() {
    let rig = Rig::start().await;
    run(&rig, "downloads.py", &[]).await;
    let ranged = rig.control.requests().iter().filter(|request| request.status == Some(206)).count();
    assert!(ranged >= 5, "pieces are asked for by Range: {ranged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_and_queries_longer_than_an_address() {
    let rig = Rig::start().await;
    run(&rig, "batches.py", &[]).await;
    rig.nothing_unknown();
    let posted = rig.control.requests().into_iter().filter(|request| request.op == "files.list" && request.method == "POST").count();
    assert!(posted >= 1, "a long list is posted with X-HTTP-Method-Override");
    assert!(rig.count("batch") >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_arrive_and_changes_tell_what_happened() {
    let rig = Rig::start().await;
    rig.control.set_switches(|switches| switches.push_allows_http = true).expect("a switch");
    run(&rig, "push.py", &[]).await;
    assert_eq!(rig.count("channels.stop"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_signs_in_and_acts_for_a_person() {
    let rig = Rig::start().await;
    let key = rig.control.service_account("robot").expect("it is made");
    rig.control.grant_delegation("robot@project.iam.gserviceaccount.com", "ana@example.com").expect("it is granted");
    let person = rig.control.authorized_user("bea@example.com").expect("it is made");
    run(&rig, "credentials.py", &[("KEY", &key), ("PERSON", &person)]).await;
    assert!(rig.count("token") >= 3, "tokens come from the emulator: {:?}", rig.control.counts());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_understood_and_retried_as_the_client_does() {
    let rig = Rig::start().await;
    let once = |op: &str, code, reason| Fault::new(Effect::Status(Status::new(code, reason))).op(op).when(When::Next { next: 1 });
    rig.control.fault(once("about.get", 503, "backendError")).expect("a rule that can strike");
    rig.control.fault(once("files.generateIds", 403, "userRateLimitExceeded")).expect("a rule that can strike");
    rig.control.fault(once("drives.list", 429, "rateLimitExceeded")).expect("a rule that can strike");
    run(&rig, "refusals.py", &[]).await;
    for op in ["about.get", "files.generateIds", "drives.list"] {
        assert_eq!(rig.count(op), 2, "{op} is tried again");
    }
}
