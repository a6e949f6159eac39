//! What a person or the backend asks for: it is done now, and what cannot be done is said, with why and until when.

use serde_json::Value;

use super::{ANA, Rig, WAITING, configure, configure_callback};
use crate::support::receiver::Reply;

/// A processor that accepts whatever comes.
const MENDED: &str = "command = [\"true\", \"{path}\"]\n";

/// What the backend was told under a task.
fn of_job(rig: &Rig, job: &str) -> Vec<Value> {
    let bodies = rig.requests().into_iter().map(|r| serde_json::from_str::<Value>(&r.body).expect("JSON"));
    bodies.filter(|b| b["job_id"] == job).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c3_4_a_task_hears_of_a_file_that_waits_and_later_of_its_end() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("later.pdf", "depois");
    rig.drop_file("1.pdf", "bom");
    let done = rig.world.json(0, &["process", "42", "--job-id", "job-l2"]).await;
    assert_eq!((done["filed"].as_array().map(Vec::len), done["waiting"][0]["name"].as_str()), (Some(1), Some("later.pdf")));
    let told = of_job(&rig, "job-l2");
    assert_eq!(told.len(), 2, "the file that ended, and the end of the run: {told:?}");
    let end = &told.iter().find(|b| b["result"]["waiting"][0]["file_id"] == file.as_str()).expect("told")["result"];
    let waits = &end["waiting"][0];
    // The old backend knows three outcomes, and reads one from every file in `files`.
    assert_eq!((end["files_processed"].as_u64(), &end["files"], waits.get("outcome")), (Some(0), &serde_json::json!([]), None));
    assert!(
        waits["reason"].as_str().is_some_and(|r| r.starts_with("o processador pediu")) && waits["next_attempt_at"].is_string(),
        "{waits}"
    );
    let message = end["message"].as_str().expect("a sentence");
    assert!(message.starts_with("1 aguardando: o arquivo later.pdf") && message.contains("Nova tentativa a partir de 20"), "{message}");

    configure(&rig.world, &rig.backend, MENDED);
    rig.pass(120);
    rig.cycle().await;
    let end = of_job(&rig, "job-l2").pop().expect("told");
    assert_eq!((end["result"]["files"][0]["outcome"].as_str(), rig.place(&file).0.as_str()), (Some("processado"), "processados"));
    rig.assert_promise();
}

/// In external mode it is another program's turn: nobody knows until when.
#[tokio::test(flavor = "multi_thread")]
async fn c3_4_a_file_that_another_program_has_is_told_as_put_off() {
    let rig = Rig::new("mode = \"external\"\n").await;
    let file = rig.drop_file("1.pdf", "bom");
    let shown = rig.world.run(&["process", "42", "--job-id", "job-x"]).await.expect(0).stdout;
    assert!(shown.contains("waits  42  1.pdf: aguarda o programa"), "{shown}");
    let told = of_job(&rig, "job-x").pop().expect("told");
    let waits = &told["result"]["waiting"][0];
    assert_eq!((waits["file_id"].as_str(), &told["result"]["files"]), (Some(file.as_str()), &serde_json::json!([])));
    assert!(waits["next_attempt_at"].is_null(), "{waits}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_taken_at_once_where_a_person_asks_and_only_there() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("later.pdf", "depois");
    rig.cycle().await;
    let shown = rig.world.run(&["process", "42"]).await.expect(0).stdout;
    assert!(shown.contains("waits  42  later.pdf  until 20"), "asked again, it waits again, and it is said until when: {shown}");
    // By the agent's clock it is due, is asked again, and waits for long by everybody else's.
    rig.pass(60);
    rig.cycle().await;
    assert_eq!(rig.calls().len(), 3);

    configure(&rig.world, &rig.backend, MENDED);
    assert_eq!(rig.world.json(0, &["watch"]).await["filed"].as_array().map(Vec::len), Some(0), "the timer keeps to the wait");
    let done = rig.world.json(0, &["process", "--file", &file]).await;
    assert_eq!(done["filed"][0]["outcome"], "processado");
    let history = rig.world.json(0, &["why", "later.pdf"]).await["items"][0]["history"].to_string();
    assert!(history.contains("asked for by `tecnico process`"), "{history}");

    configure(&rig.world, &rig.backend, "");
    let other = rig.drop_file("outro.pdf", "depois 2");
    rig.cycle().await;
    configure(&rig.world, &rig.backend, MENDED);
    let retried = rig.world.json(0, &["retry", "--file", "outro.pdf"]).await;
    assert_eq!((retried["items"][0]["was"].as_str(), retried["items"].as_array().map(Vec::len)), (Some("waiting"), Some(1)));
    assert_eq!(rig.world.json(0, &["watch"]).await["filed"][0]["file_id"], other.as_str());
    let refused = rig.world.json(65, &["retry", "--file", "outro.pdf"]).await;
    assert_eq!(refused["error"]["code"], "not_in_erro");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_dropped_is_dropped_with_a_word() {
    let rig = Rig::new("command = [\"sh\", \"-c\", \"printf '{\\\"a\\\":\\\"%060000d\\\"}\\\\n' 0\", \"{path}\"]\n").await;
    let file = rig.drop_file("1.pdf", "bom");
    let ran = rig.world.run(&["watch"]).await.expect(0);
    assert!(ran.stderr.contains("data is dropped") && ran.stderr.contains("32768 bytes"), "{}", ran.stderr);
    let why = rig.world.run(&["why", &file]).await.expect(0).stdout;
    assert!(why.contains("processado; its data was dropped: the last line of its output is longer than 32768 bytes"), "{why}");
    assert!(!rig.requests()[0].body.contains("\"data\""));
    let any = rig.world.path("config.toml").display().to_string();
    let tried = rig.world.run(&["doctor", "--only", "processor", "--try-file", &any]).await.expect(0).stdout;
    assert!(tried.contains("its data be dropped: the last line"), "{tried}");
}

/// Two legitimate "later" answers are no alarm; a file that gets no further is one, and so is a program that cannot run.
#[tokio::test(flavor = "multi_thread")]
async fn stuck_is_a_matter_of_time_and_a_program_that_cannot_run_is_named_at_once() {
    let rig = Rig::new("").await;
    rig.drop_file("later.pdf", "depois");
    for _ in 0..4 {
        rig.world.json(0, &["process", "42"]).await;
    }
    rig.pass(60);
    rig.cycle().await;
    let well = rig.world.json(0, &["status"]).await;
    assert_eq!((well["waiting"].as_u64(), well["stuck"].as_array().map(Vec::len)), (Some(1), Some(0)), "{well}");

    configure(&rig.world, &rig.backend, "[status]\nstuck = \"10ms\"\n");
    let told = rig.world.run(&["status"]).await.expect(1).stdout;
    assert!(told.contains("stuck 1 file is stuck") && told.contains("later.pdf"), "{told}");

    configure(&rig.world, &rig.backend, "command = [\"/nao/existe\", \"{path}\"]\n");
    let told = rig.world.json(1, &["status"]).await;
    assert_eq!(told["problems"][0]["code"], "command_unusable", "{told}");
    rig.world.run(&["process", "42"]).await;
    let told = rig.world.run(&["status"]).await.expect(1).stdout;
    assert!(told.contains("/nao/existe") && told.contains("1 file waits for it") && told.contains("process --all"), "{told}");
    // Another program judges now: what this one was is nobody's trouble.
    configure(&rig.world, &rig.backend, "mode = \"external\"\n");
    assert_eq!(rig.world.json(0, &["status"]).await["problems"], serde_json::json!([]));
    configure(&rig.world, &rig.backend, MENDED);
    rig.world.json(0, &["process", "--all"]).await;
    assert_eq!(rig.world.json(0, &["status"]).await["pending"], 0);
}

/// A cycle that cannot begin leaves no trace in the ledger: the key it needs is looked at, and `doctor` says the same of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_signing_that_is_gone_is_named_at_once_with_the_command_that_makes_one() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    rig.world.json(0, &["status"]).await;
    configure_callback(&rig.world, &rig.backend, "secret_file = \"callback.secret\"\n");
    let refused = rig.world.json(78, &["watch"]).await;
    let told = rig.world.json(1, &["status"]).await;
    let problem = &told["problems"][0];
    assert_eq!((&problem["code"], &problem["fix"]), (&refused["error"]["code"], &refused["error"]["hint"]), "{told}");
    assert_eq!(problem["code"], "callback_secret_missing", "{told}");
    let doctor = rig.world.json(1, &["doctor", "--only", "backend"]).await;
    assert!(doctor["findings"].as_array().is_some_and(|f| f.iter().any(|f| f["message"] == problem["message"])), "{doctor:#}");
    rig.world.write_secret("callback.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    rig.world.json(0, &["watch"]).await;
    rig.world.json(0, &["status"]).await;
}

/// `status` and `doctor` judge the work by the same measure, in the same words.
#[tokio::test(flavor = "multi_thread")]
async fn status_and_doctor_say_the_same_of_the_work() {
    let rig = Rig::new("").await;
    rig.drop_file("later.pdf", "depois");
    rig.drop_file("1.pdf", "bom");
    rig.backend.reply(Reply::status(410));
    rig.cycle().await;
    configure(&rig.world, &rig.backend, "[status]\nstuck = \"1ms\"\nsilence = \"1ms\"\n");
    let status = rig.world.json(1, &["status"]).await;
    let doctor = rig.world.json(1, &["doctor", "--only", "work"]).await;
    let told = |list: &serde_json::Value| -> Vec<(String, String)> {
        let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        list.as_array().expect("a list").iter().map(|t| (text(&t["message"]), text(&t["fix"]))).collect()
    };
    let work: serde_json::Value = doctor["findings"].as_array().expect("a list").iter().filter(|f| f["check"] == "work").cloned().collect();
    let codes: Vec<_> = status["problems"].as_array().expect("a list").iter().map(|p| p["code"].as_str().expect("a code")).collect();
    assert_eq!(codes, ["silence", "stuck", "address_stopped"], "{status:#}");
    assert_eq!(told(&status["problems"]), told(&work));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_counted_once_and_sent_again_by_name_also_when_they_were_delivered() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(500));
    for n in 0..3 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    rig.cycle().await;
    rig.backend.reply(Reply::status(410));
    let gone = rig.world.run(&["callbacks", "retry"]).await.expect(1).stdout;
    assert_eq!(gone, "0 delivered, 3 not\n");
    rig.backend.reply(Reply::status(200));
    assert_eq!(rig.world.run(&["callbacks", "retry"]).await.expect(0).stdout, "3 delivered, 0 not\n");

    let event = rig.world.json(0, &["callbacks", "list", "--all"]).await["events"][0].clone();
    let id = event["id"].as_str().expect("an id");
    assert!(event["attempts"].as_u64() >= Some(2), "the tries before count: {event}");
    let before = rig.requests().len();
    // All but the last letters: unique unless two ids differ in nothing else.
    let beginning = &id[..id.len() - 4];
    let again = rig.world.json(0, &["callbacks", "retry", beginning]).await;
    assert_eq!((again["revived"].as_u64(), again["delivered"].as_u64()), (Some(1), Some(1)), "{again}");
    let requests = rig.requests();
    assert_eq!((requests.len(), requests[before].headers["webhook-id"].as_str()), (before + 1, id));
    assert_eq!(rig.world.json(0, &["callbacks", "show", beginning]).await["event"]["id"], id);
    let several = rig.world.json(65, &["callbacks", "show", "evt_"]).await;
    assert_eq!(several["error"]["code"], "event_ambiguous");
    assert!(several["error"]["message"].as_str().is_some_and(|m| m.contains(id)), "{several}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_nobody_knows_is_no_reason_to_try_again_later() {
    let rig = Rig::new("").await;
    let wrong = rig.world.json(65, &["changes", "--since", "abc"]).await;
    assert_eq!(wrong["error"]["code"], "since_rejected");
    assert!(wrong["error"]["hint"].as_str().is_some_and(|h| h.contains("without --since")), "{wrong}");
}

/// What was judged and taken back before it was filed was not taken back before it was judged.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_taken_back_says_how_far_it_had_come() {
    for (text, said) in [("bom", "depois de processado e antes de ser arquivado"), ("ruim", "depois de recusado (o processador recusou")] {
        let rig = Rig::new(WAITING).await;
        let file = rig.drop_file("1.pdf", text);
        rig.meanwhile(|| rig.world.control().trash(ANA, &file).expect("trashed")).await;
        let body: Value = serde_json::from_str(&rig.requests()[0].body).expect("JSON");
        let message = body["result"]["message"].as_str().expect("a sentence");
        assert!(message.starts_with("O arquivo 1.pdf foi retirado: o arquivo foi para a lixeira, ") && message.contains(said), "{message}");
    }
}
