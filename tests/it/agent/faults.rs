//! Processors that misbehave, a VM that is full, and a Drive that refuses.

use std::time::{Duration, Instant};

use drive_emulator::control::{Effect, Fault, Status, When};
use tecnico::agent::{Plan, Scope};

use super::{ADMIN, ANA, Rig, WAITING};

fn codes(report: &tecnico::agent::CycleReport) -> Vec<&'static str> {
    report.faults.iter().map(|f| f.failure.code()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_hangs_is_ended_with_all_it_started_and_the_file_refused() {
    let rig = Rig::new("command = [\"sh\", \"-c\", \"sleep 300 & sleep 300\", \"{path}\"]\ntimeout = \"300ms\"\n").await;
    let file = rig.drop_file("1.pdf", "bom");
    let began = Instant::now();
    assert!(rig.cycle().await.is_clean());
    assert!(began.elapsed() < Duration::from_secs(10));
    let (place, why) = rig.place(&file);
    assert!(place == "erro" && why.starts_with("tempo esgotado"), "{place} {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_processor_refuses_nobody_and_fails_the_cycle_loudly() {
    let rig = Rig::new("command = [\"/nao/existe\", \"{path}\"]\n").await;
    let file = rig.drop_file("1.pdf", "bom");
    let other = rig.drop_file("2.pdf", "bom 2");
    let report = rig.cycle().await;
    assert_eq!((codes(&report), report.exit() as u8), (vec!["command_unusable"], 78), "told once for all files");
    assert_eq!((rig.place(&file).0, rig.place(&other).0), ("novos".into(), "novos".into()));
    super::configure(&rig.world, &rig.backend, "");
    rig.pass(60);
    assert!(rig.cycle().await.is_clean());
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_dies_by_signal_is_tried_three_times() {
    let rig = Rig::new("command = [\"sh\", \"-c\", \"echo x >> ../calls; kill -9 $$\", \"{path}\"]\n").await;
    let file = rig.drop_file("1.pdf", "bom");
    for _ in 0..5 {
        assert!(rig.cycle().await.is_clean());
        rig.pass(120);
    }
    assert_eq!(rig.place(&file), ("erro".into(), "o processador foi interrompido pelo sinal 9, 3 vezes".into()));
    assert_eq!(std::fs::read_to_string(rig.world.vm().join("calls")).expect("calls").lines().count(), 3);
}

/// Other waits are none of it, and being asked for does not begin it anew.
#[tokio::test(flavor = "multi_thread")]
async fn signals_are_counted_by_themselves_until_there_is_a_verdict() {
    let script = "n=$(cat ../n || echo 0); echo $((n + 1)) > ../n; case $n in 0|1) exit 75;; 2|4) kill -9 $$;; 3) exit 75;; esac";
    let rig = Rig::new(&format!("command = [\"sh\", \"-c\", \"{script}\", \"{{path}}\"]\n")).await;
    let file = rig.drop_file("1.pdf", "bom");
    for _ in 0..6 {
        assert!(rig.cycle().await.is_clean());
        rig.pass(120);
    }
    assert_eq!(rig.place(&file), ("processados".into(), String::new()), "killed twice, and asked to wait three times");

    super::configure(&rig.world, &rig.backend, "command = [\"sh\", \"-c\", \"kill -9 $$\", \"{path}\"]\n");
    let other = rig.drop_file("2.pdf", "bom 2");
    for run in 1..=3 {
        assert_eq!(rig.place(&other).0, "novos", "before run {run}");
        rig.world.run(&["process", "42"]).await;
    }
    assert_eq!(rig.place(&other), ("erro".into(), "o processador foi interrompido pelo sinal 9, 3 vezes".into()));
    // There was a verdict: sent through again, it has as many tries.
    rig.world.json(0, &["retry", "--file", &other]).await;
    rig.world.run(&["process", "42"]).await;
    rig.world.run(&["process", "42"]).await;
    super::configure(&rig.world, &rig.backend, "");
    rig.world.run(&["process", "42"]).await;
    assert_eq!(rig.place(&other).0, "processados");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn later_means_later_with_the_next_attempt_and_holds_up_nobody_else() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("1.pdf", "depois");
    let other = rig.drop_file("2.pdf", "bom");
    let report = rig.cycle().await;
    assert!(report.is_clean() && report.waiting.len() == 1, "{report:?}");
    assert_eq!((rig.place(&file).0, rig.place(&other).0), ("novos".into(), "processados".into()));
    rig.pass(2);
    rig.cycle().await;
    let attempts: Vec<String> =
        rig.calls().iter().filter(|c| c.ends_with("/1.pdf")).map(|c| c.split(' ').nth(2).unwrap_or_default().into()).collect();
    assert_eq!(attempts, ["1", "2"]);
    let ids: std::collections::BTreeSet<String> = rig.calls().iter().map(|c| c.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(ids.len(), 2, "the item's id is the same for each attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_order_a_file_waits_for_the_one_before_it() {
    let rig = Rig::new("ordered = true\n").await;
    rig.cycle().await;
    for (name, text) in [("1.pdf", "bom"), ("2.pdf", "depois"), ("3.pdf", "bom 3")] {
        rig.drop_file(name, text);
    }
    assert_eq!(rig.cycle().await.filed.len(), 1);
    assert_eq!(rig.calls().len(), 2, "the third waits for the second");
    super::configure(&rig.world, &rig.backend, "ordered = true\ncommand = [\"true\", \"{path}\"]\n");
    rig.pass(60);
    let report = rig.cycle().await;
    assert_eq!(report.filed.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["2.pdf", "3.pdf"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drive_that_limits_and_breaks_costs_time_and_nothing_else() {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    for n in 0..12 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    let status = |code: u16, reason: &str| Effect::Status(Status { code, reason: Some(reason.into()), ..Status::new(code, reason) });
    control.fault(Fault::new(status(403, "userRateLimitExceeded")).when(When::Every { every: 7 })).expect("a rule that can strike");
    control.fault(Fault::new(status(503, "backendError")).when(When::Every { every: 11 })).expect("a rule that can strike");
    control.fault(Fault::new(Effect::LostAfterCommit).op("files.update").when(When::Every { every: 4 })).expect("a rule that can strike");
    control.fault(Fault::new(Effect::CutBefore).when(When::Every { every: 13 })).expect("a rule that can strike");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!((report.filed.len(), rig.calls().len()), (12, 12));
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_revoked_halfway_stop_the_cycle_and_lose_nothing() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("1.pdf", "bom");
    let unauthorized = rig.world.control().fault(Fault::new(Effect::Unauthorized).op("files.update")).expect("a rule that can strike");
    let report = rig.cycle().await;
    assert_eq!(report.exit() as u8, 77, "{:?}", report.faults);
    assert_eq!((rig.place(&file).0, rig.calls().len()), ("novos".into(), 1));
    assert_eq!(rig.world.json(1, &["status"]).await["problems"][0]["code"], "silence");
    rig.world.control().gate().remove_fault(unauthorized);
    rig.pass(60);
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&file).0, rig.calls().len()), ("processados".into(), 1), "the verdict was kept");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_novos_in_the_trash_or_out_of_reach_is_told_in_every_cycle_until_it_is_mended() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let file = rig.drop_file("1.pdf", "bom");
    // Created by the service account, so it is the one that may trash it.
    let owner = rig.world.control().file(&rig.novos).expect("novos")["owner"].as_str().expect("an owner").to_owned();
    rig.world.control().trash(&owner, &rig.novos).expect("trashed");
    for _ in 0..2 {
        let report = rig.cycle().await;
        assert!(codes(&report).contains(&"novos_gone"), "{:?}", report.faults);
    }
    assert!(rig.told(&file).is_empty(), "its files are not taken back, they only lie in the trash");
    rig.world.json(0, &["check", "--repair"]).await;
    rig.pass(60);
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!(rig.place(&file).0, "processados");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_in_the_trash_keeps_the_file_waiting() {
    let rig = Rig::new("").await;
    let control = rig.world.control();
    let owner = control.file(&rig.processados).expect("a file")["owner"].as_str().expect("an owner").to_owned();
    let file = rig.drop_file("1.pdf", "bom");
    control.trash(&owner, &rig.processados).expect("trashed");
    assert_eq!(codes(&rig.cycle().await), ["destination_gone"]);
    control.untrash(&owner, &rig.processados).expect("untrashed");
    rig.pass(60);
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&file).0, rig.calls().len()), ("processados".into(), 1));
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_folder_that_is_gone_makes_only_its_technician_wait() {
    let rig = Rig::new("").await;
    let bea = rig.world.json(0, &["create", "43", "--email", "bea@example.com", "--name", "Bea Souza"]).await;
    let novos = bea["drive_folders"]["novos_folder_id"].as_str().expect("an id").to_owned();
    std::fs::rename(rig.world.vm().join("Ana_Maria"), rig.world.path("fora")).expect("moved");
    let anas = rig.drop_file("1.pdf", "bom");
    let beas = rig.world.control().put(ADMIN, &novos, "2.pdf", b"bom", "application/pdf").expect("put");
    let report = rig.cycle().await;
    assert_eq!((codes(&report), report.exit() as u8), (vec!["local_folder_missing"], 1));
    assert_eq!((rig.place(&anas).0, rig.told(&beas)), ("novos".into(), vec!["processado".to_owned()]));
    std::fs::rename(rig.world.path("fora"), rig.world.vm().join("Ana_Maria")).expect("moved");
    rig.pass(60);
    assert!(rig.cycle().await.is_clean());
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_one_says_so() {
    let rig = Rig::new(WAITING).await;
    rig.drop_file("1.pdf", "bom");
    let agent = rig.agent().await;
    let first = tokio::spawn(async move { agent.run_cycle(&Plan::over(Scope::Everyone)).await });
    rig.running().await;
    let second = rig.world.json(75, &["watch"]).await;
    assert_eq!(second["error"]["code"], "cycle_busy");
    rig.release();
    // `process` waits for its turn instead.
    rig.world.json(0, &["process", "42"]).await;
    assert_eq!(first.await.expect("ends").expect("runs").filed.len(), 1);
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_wrong_holds_nothing_back() {
    let rig = Rig::new("").await;
    rig.pass(60 * 24 * 400);
    rig.drop_file("1.pdf", "depois");
    rig.backend.reply(crate::support::receiver::Reply::status(500));
    rig.drop_file("2.pdf", "bom");
    rig.cycle().await;
    rig.pass(-60 * 24 * 400);
    rig.backend.reply(crate::support::receiver::Reply::status(200));
    super::configure(&rig.world, &rig.backend, "command = [\"true\", \"{path}\"]\n");
    let report = rig.cycle().await;
    assert_eq!((report.filed.len(), report.delivered), (1, 2), "{report:?}");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_refused_unread() {
    let rig = Rig::new("max_size = \"1MB\"\n").await;
    let file = rig.world.control().put_generated(ANA, &rig.novos, "grande.pdf", 3_000_000).expect("put");
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.place(&file).0, "erro");
    assert!(rig.local("novos").is_empty() && rig.local("erro").is_empty());
    let read = rig.world.control().requests().iter().filter(|r| r.op == "files.get" && r.query.contains("alt=media")).count();
    assert_eq!(read, 0);
}

/// The feed names only the folder that was trashed, not what lies in it (drive-v3-behaviour 4.20).
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_tree_in_the_trash_is_told() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let top = rig.world.drive_tree()["Ana_Maria"].clone();
    let owner = rig.world.control().file(&top).expect("the tree")["owner"].as_str().expect("an owner").to_owned();
    rig.world.control().trash(&owner, &top).expect("trashed");
    for _ in 0..2 {
        let report = rig.cycle().await;
        assert!(codes(&report).contains(&"novos_gone"), "{:?}", report.faults);
    }
    rig.world.json(0, &["check", "--repair"]).await;
    rig.pass(60);
    assert!(rig.cycle().await.is_clean());
}

/// Nor what lies in the folder that everybody's tree lies in. What came while it was there is found once it is back.
#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_all_trees_in_the_trash_is_told_in_every_cycle_until_it_is_back() {
    let rig = Rig::new("").await;
    let bea = rig.world.json(0, &["create", "43", "--email", "bea@example.com", "--name", "Bea Souza"]).await;
    let beas_novos = bea["drive_folders"]["novos_folder_id"].as_str().expect("an id").to_owned();
    rig.cycle().await;
    let control = rig.world.control();
    control.trash(ADMIN, &rig.world.parent).expect("trashed");
    let file = rig.drop_file("1.pdf", "bom");
    for _ in 0..2 {
        let report = rig.cycle().await;
        assert_eq!((codes(&report), report.exit() as u8), (vec!["parent_trashed"], 77), "{:?}", report.faults);
    }
    let status = rig.world.run(&["status"]).await.stdout;
    assert!(status.contains("the last one failed") && status.contains("in Drive's trash"), "{status}");
    control.untrash(ADMIN, &rig.world.parent).expect("untrashed");
    let beas = control.put(ADMIN, &beas_novos, "2.pdf", b"bom", "application/pdf").expect("put");
    rig.pass(60);
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    rig.pass(60);
    rig.cycle().await;
    assert_eq!((rig.told(&file), rig.told(&beas)), (vec!["processado".to_owned()], vec!["processado".to_owned()]));
    rig.assert_promise();
}
