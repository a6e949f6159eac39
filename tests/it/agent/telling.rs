//! The backend: down for days, slow, wrong, gone; every event comes through under its one id.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Rig;
use crate::support::promise::assert_promise;
use crate::support::receiver::{Received, Receiver, Reply};

fn ids(requests: &[Received]) -> Vec<String> {
    requests.iter().map(|r| r.headers["webhook-id"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c3_5_c6_6_a_backend_that_is_down_for_three_days_misses_nothing() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(500));
    let file = rig.drop_file("1.pdf", "bom");
    assert!(rig.cycle().await.is_clean(), "a backend that is down is not the files' trouble");
    assert_eq!(rig.place(&file).0, "processados");
    for _ in 0..50 {
        rig.pass(60);
        rig.cycle().await;
    }
    rig.backend.reply(Reply::status(200));
    rig.pass(24 * 60);
    let report = rig.cycle().await;
    assert_eq!(report.delivered, 1);
    let ids: BTreeSet<String> = ids(&rig.requests()).into_iter().collect();
    assert_eq!(ids.len(), 1, "the same event has the same id for ever");
    assert!((5..=9).contains(&rig.requests().len()), "{} tries", rig.requests().len());
    assert_eq!(rig.world.json(0, &["why", "1.pdf"]).await["items"][0]["state"], "reported");
}

/// Cron mails whatever is printed, and a backend that is down is no news each minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_run_that_ends_well_prints_nothing() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(500));
    let file = rig.drop_file("1.pdf", "bom");
    let ran = rig.world.run(&["--quiet", "watch"]).await.expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    assert_eq!((rig.place(&file).0.as_str(), rig.requests().len()), ("processados", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_try_it_is_a_dead_letter_that_can_be_sent_again() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::With(302, vec![("location", "https://example.com/".into())], String::new()));
    rig.drop_file("1.pdf", "bom");
    rig.cycle().await;
    let mut given_up = 0;
    for _ in 0..12 {
        rig.pass(30 * 60);
        given_up += rig.cycle().await.faults.iter().filter(|f| f.failure.code() == "callback_dead").count();
    }
    assert_eq!((given_up, rig.requests().len()), (1, 10));
    let status = rig.world.json(1, &["status"]).await;
    assert_eq!((status["ok"].as_bool(), status["callbacks"]["dead"].as_u64()), (Some(false), Some(1)));
    rig.backend.reply(Reply::status(204));
    let retried = rig.world.json(0, &["callbacks", "retry"]).await;
    assert_eq!((retried["revived"].as_u64(), retried["delivered"].as_u64()), (Some(1), Some(1)));
    assert_eq!(ids(&rig.requests()).into_iter().collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(rig.world.json(0, &["callbacks", "list"]).await["events"].as_array().map(Vec::len), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_6_a_backend_that_hangs_holds_up_neither_the_files_nor_other_addresses() {
    let rig = Rig::new("").await;
    let other = Receiver::start().await.expect("another backend");
    super::configure_callback(&rig.world, &rig.backend, "allowed_hosts = [\"127.0.0.1\"]\n");
    rig.backend.reply(Reply::Hang);
    for n in 0..40 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    let began = Instant::now();
    assert_eq!(rig.cycle().await.filed.len(), 40);
    // Each tried in vain for two seconds, four at a time, would take twenty.
    assert!(began.elapsed() < Duration::from_secs(16), "{:?}", began.elapsed());
    let file = rig.drop_file("para o outro.pdf", "bom");
    let url = format!("{}/aqui", other.url());
    let done = rig.world.json(0, &["process", "42", "--job-id", "job-7", "--callback-url", &url]).await;
    assert_eq!(done["filed"][0]["file_id"].as_str(), Some(file.as_str()));
    let requests = other.requests();
    assert_eq!((requests.len(), requests[0].target.as_str()), (1, "/aqui"));
    assert!(requests[0].body.contains("\"job_id\":\"job-7\""));
    rig.backend.reply(Reply::status(200));
    rig.pass(24 * 60);
    rig.cycle().await;
    let all: Vec<Received> = rig.requests().into_iter().chain(requests.into_iter().map(as_process)).collect();
    assert_promise(&rig.world, &["Ana_Maria"], &all);
}

fn as_process(request: Received) -> Received {
    Received { target: "/api/callbacks/process".into(), ..request }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_answers_410_is_closed_until_somebody_asks() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(410));
    rig.drop_file("1.pdf", "bom");
    let report = rig.cycle().await;
    assert_eq!(report.faults.iter().map(|f| f.failure.code()).collect::<Vec<_>>(), ["address_stopped"]);
    rig.drop_file("2.pdf", "bom 2");
    rig.pass(24 * 60);
    rig.cycle().await;
    assert_eq!(rig.requests().len(), 1);
    assert_eq!(rig.world.json(1, &["status"]).await["callbacks"]["held"], 2);
    rig.backend.reply(Reply::status(200));
    assert_eq!(rig.world.json(0, &["callbacks", "retry"]).await["delivered"], 2);
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_dropped_after_the_event_was_taken_brings_it_again_under_the_same_id() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::CutBody);
    rig.drop_file("1.pdf", "bom");
    rig.cycle().await;
    rig.backend.reply(Reply::status(200));
    rig.pass(10);
    rig.cycle().await;
    let ids: BTreeSet<String> = ids(&rig.requests()).into_iter().collect();
    assert_eq!(ids.len(), 1);
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_the_backend_hears_of_its_end_even_with_nothing_to_do() {
    let rig = Rig::new("").await;
    let done = rig.world.json(0, &["process", "42", "--job-id", "job-1"]).await;
    assert_eq!(done["delivered"], 1);
    let body: serde_json::Value = serde_json::from_str(&rig.requests()[0].body).expect("JSON");
    assert_eq!((body["job_id"].as_str(), body["result"]["message"].as_str()), (Some("job-1"), Some("Não havia arquivos novos.")));
    let refused = rig.world.json(64, &["process", "42", "--callback-url", "https://evil.example/"]).await;
    assert_eq!(refused["error"]["code"], "callback_url_refused");
}

/// The receivers do not deduplicate, so what can be avoided is: `watch`, `serve` and a `create` may all deliver at once.
#[tokio::test(flavor = "multi_thread")]
async fn c3_5_several_who_deliver_at_once_send_each_event_once() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(500));
    for n in 0..20 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    rig.cycle().await;
    let before = rig.backend.requests().len();
    rig.backend.reply(Reply::status(200));
    rig.pass(60);
    let agents = [rig.agent().await, rig.agent().await, rig.agent().await];
    let sent = futures_util::future::join_all(agents.iter().map(tecnico::agent::Agent::deliver_due)).await;
    let delivered: usize = sent.into_iter().map(|s| s.expect("delivered").delivered).sum();
    assert_eq!((delivered, rig.backend.requests().len() - before), (20, 20));
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_is_told_where_its_caller_says() {
    let rig = Rig::new("").await;
    let other = Receiver::start().await.expect("another backend");
    super::configure_callback(&rig.world, &rig.backend, "allowed_hosts = [\"127.0.0.1\"]\n");
    let url = format!("{}/pastas", other.url());
    let args = ["create", "43", "--email", "bea@example.com", "--name", "Bea Souza", "--job-id", "job-9", "--callback-url", &url];
    rig.world.json(0, &args).await;
    let requests = other.requests();
    assert_eq!((requests.len(), requests[0].target.as_str()), (1, "/pastas"));
    let body: serde_json::Value = serde_json::from_str(&requests[0].body).expect("JSON");
    assert_eq!((body["job_id"].as_str(), body["user_id"].as_str(), body["status"].as_str()), (Some("job-9"), Some("43"), Some("success")));
    assert!(!rig.backend.requests().iter().any(|r| r.body.contains("job-9")));
}

/// The address that counts is the one configured when an event is sent; one that its caller named stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_address_takes_along_what_was_not_delivered() {
    let rig = Rig::new("").await;
    let (wrong, named) = (Receiver::start().await.expect("a backend"), Receiver::start().await.expect("another"));
    for answer in [404, 410] {
        wrong.reply(Reply::status(answer));
        named.reply(Reply::status(500));
        super::configure_callback(&rig.world, &wrong, "allowed_hosts = [\"127.0.0.1\"]\n");
        let file = rig.drop_file(&format!("{answer}.pdf"), &format!("bom {answer}"));
        rig.world.run(&["watch"]).await;
        let own = format!("{}/aqui", named.url());
        rig.world.run(&["process", "42", "--job-id", &format!("job-{answer}"), "--callback-url", &own]).await;
        assert!(!wrong.requests().is_empty() && rig.told(&file).is_empty());
        let before = wrong.requests().len();

        super::configure_callback(&rig.world, &rig.backend, "allowed_hosts = [\"127.0.0.1\"]\n");
        named.reply(Reply::status(200));
        let retried = rig.world.json(0, &["callbacks", "retry"]).await;
        assert_eq!(retried["delivered"], 2, "{answer}: {retried}");
        assert_eq!((wrong.requests().len(), rig.told(&file)), (before, vec!["processado".to_owned()]), "{answer}");
        assert!(named.requests().last().is_some_and(|r| r.body.contains(&format!("job-{answer}"))), "{answer}");
        let status = rig.world.json(0, &["status"]).await;
        assert_eq!(
            (status["callbacks"]["undelivered"].as_u64(), status["callbacks"]["stopped"].as_array().map(Vec::len)),
            (Some(0), Some(0))
        );
    }
}
