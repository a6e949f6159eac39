//! Folders that are not where the configuration has them: said by whoever could wait for them in vain.

use drive_emulator::control::{Effect, Fault, Status};
use serde_json::Value;
use tecnico::domain::technician::UserId;
use tecnico::ledger::Ledger;

use super::{ANA, Rig, configure};
use crate::provision::support::{grants, problems};
use crate::support::world::ADMIN;

const NOT_MADE: &str = "folders_not_made";

fn told_end(rig: &Rig, job: &str) -> Value {
    let mut bodies = rig.requests().into_iter().map(|r| serde_json::from_str::<Value>(&r.body).expect("JSON"));
    bodies.rfind(|b| b["job_id"] == job).expect("told")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_that_was_edited_stops_nobody_in_silence() {
    let rig = Rig::new("").await;
    rig.drop_file("1.pdf", "bom 1");
    rig.world.json(0, &["watch"]).await;
    configure(&rig.world, &rig.backend, "[layout]\nprocessed = \"pdfs/feitos\"\n");
    let file = rig.drop_file("2.pdf", "bom 2");
    for _ in 0..2 {
        let fault = rig.world.json(1, &["watch"]).await["faults"][0].clone();
        assert_eq!(fault["code"], NOT_MADE);
        assert!(fault["message"].to_string().contains("pdfs/feitos for 42 (Ana Maria)"), "{fault}");
        assert!(fault["hint"].to_string().contains("tecnico check 42 --repair"), "{fault}");
    }
    for args in [&["process", "42"][..], &["process", "--all"], &["process", "--file", &file]] {
        let ran = rig.world.run(args).await.expect(77);
        assert!(ran.stderr.contains("none of their files is taken") && !ran.stdout.contains("0 found"), "{args:?}: {ran:?}");
    }
    rig.world.json(77, &["process", "42", "--job-id", "job-layout"]).await;
    let told = told_end(&rig, "job-layout");
    assert_eq!((told["status"].as_str(), told["result"]["code"].as_str()), (Some("error"), Some(NOT_MADE)), "{told}");
    let status = rig.world.json(1, &["status"]).await;
    assert!(status["problems"].as_array().expect("problems").iter().any(|p| p["code"] == NOT_MADE), "{status}");
    let doctor = rig.world.run(&["doctor", "--only", "work"]).await.expect(1);
    assert!(doctor.stdout.contains("pdfs/feitos"), "{doctor:?}");

    // Somebody whose folders are there goes on, and a task for both hears of each.
    rig.world.json(0, &["create", "43", "--email", "bea@example.com", "--name", "Bea"]).await;
    assert_eq!(rig.world.json(1, &["process", "42", "43", "--job-id", "job-two"]).await["faults"][0]["code"], NOT_MADE);

    rig.world.json(0, &["check", "--repair"]).await;
    rig.world.json(0, &["watch"]).await;
    assert_eq!(rig.told(&file), ["processado"]);
    assert_eq!(rig.place(&file).0, rig.world.drive_tree()["Ana_Maria/pdfs/feitos"]);
    rig.world.json(0, &["status"]).await;
    assert_eq!(rig.world.json(0, &["create", "42"]).await["status"], "unchanged", "what the layout of before named is no twin");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_stopped_is_named_and_one_under_way_is_not() {
    let rig = Rig::new("").await;
    rig.world.json(0, &["watch"]).await;
    let refused = Fault::new(Effect::Status(Status::new(403, "insufficientFilePermissions"))).op("files.create");
    rig.world.control().fault(refused).expect("a rule that can strike");
    assert_ne!(rig.world.run(&["create", "43", "--name", "Bea"]).await.code, Some(0));
    rig.world.control().clear_faults();
    let ledger = Ledger::open(&rig.world.path("ledger.db")).await.expect("opens");
    let lock = ledger.lock_technician(&UserId::parse("43").expect("an id")).await.expect("free");
    assert_eq!(rig.world.json(0, &["watch"]).await["faults"], serde_json::json!([]), "somebody is at work on it");
    rig.world.json(0, &["status"]).await;
    drop(lock);
    let fault = rig.world.json(1, &["watch"]).await["faults"][0].clone();
    assert!(fault["code"] == NOT_MADE && fault["message"].to_string().contains("43 (Bea)"), "{fault}");
    let file = rig.drop_file("1.pdf", "bom");
    rig.world.json(1, &["watch"]).await;
    assert_eq!(rig.told(&file), ["processado"], "nobody else waits for it");
    // What was never whole can be taken out all the same.
    rig.world.json(0, &["remove", "43", "--confirm", "43"]).await;
    rig.world.json(0, &["watch"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_the_novos_of_an_earlier_layout_is_taken_and_its_share_is_named() {
    let rig = Rig::new("").await;
    let waits = rig.drop_file("1.pdf", "depois");
    rig.world.json(0, &["watch"]).await;
    configure(&rig.world, &rig.backend, "[layout]\ninbox = \"pdfs/entrada\"\n");
    let before = rig.drop_file("2.pdf", "bom 2");
    assert_eq!(rig.world.json(1, &["watch"]).await["faults"][0]["code"], NOT_MADE);
    assert!(problems(&rig.world.json(1, &["check"]).await).contains(&"folder_former".to_owned()));

    rig.world.json(0, &["check", "--repair"]).await;
    assert_eq!(problems(&rig.world.json(0, &["check"]).await), Vec::<String>::new());
    assert!(!grants(&rig.world, &rig.novos).iter().any(|g| g.starts_with(ANA)), "no way in stays open");
    let entrada = rig.world.drive_tree()["Ana_Maria/pdfs/entrada"].clone();
    assert!(grants(&rig.world, &entrada).contains(&format!("{ANA} writer")));
    assert_eq!((rig.place(&waits).0, rig.place(&before).0), (entrada.clone(), entrada));
    rig.world.json(0, &["watch"]).await;
    assert_eq!((rig.told(&waits), rig.told(&before)), (vec![], vec!["processado".to_owned()]), "what waits was not taken back");

    // The folder itself stays where it is; who still gets at it is not left alone with it.
    let late = rig.world.control().put(ADMIN, &rig.novos, "3.pdf", b"bom 3", "application/pdf").expect("put");
    let check = rig.world.json(1, &["check"]).await;
    assert_eq!(problems(&check), ["folder_former"], "{check}");
    rig.world.json(0, &["process", "42"]).await;
    assert_eq!((rig.told(&late), rig.place(&late).0.as_str()), (vec!["processado".to_owned()], "processados"));
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
    // And somebody whose layout was changed can leave: what is pending ends first.
    let accepts = |inbox: &str| format!("command = [\"true\", \"{{path}}\"]\n[layout]\ninbox = \"{inbox}\"\n");
    configure(&rig.world, &rig.backend, &accepts("pdfs/entrada"));
    rig.world.json(0, &["process", "42"]).await;
    assert_eq!(rig.told(&waits), ["processado"]);
    let last = rig.world.control().put(ADMIN, &rig.novos, "4.pdf", b"bom 4", "application/pdf").expect("put");
    configure(&rig.world, &rig.backend, &accepts("pdfs/terceira"));
    rig.world.json(0, &["remove", "42", "--confirm", "42"]).await;
    assert_eq!(rig.told(&last), ["processado"]);
}

/// What lies in a folder that has become another part of the tree would be nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_novos_is_made_no_other_part_of_the_tree() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("1.pdf", "bom");
    for layout in ["inbox = \"pdfs/novos/entrada\"", "inbox = \"entrada\"\nprocessed = \"pdfs/novos\""] {
        configure(&rig.world, &rig.backend, &format!("[layout]\n{layout}\n"));
        rig.world.json(1, &["watch"]).await;
        let check = rig.world.json(1, &["check", "--repair"]).await.to_string();
        assert!(check.contains("pdfs/novos is their novos, and the layout makes it"), "{layout}: {check}");
        let refused = rig.world.json(78, &["create", "42"]).await;
        assert_eq!(refused["error"]["code"], "layout_takes_inbox", "{refused}");
        assert!(grants(&rig.world, &rig.novos).contains(&format!("{ANA} writer")), "{layout}");
    }
    configure(&rig.world, &rig.backend, "");
    rig.world.json(0, &["watch"]).await;
    assert_eq!((rig.told(&file), rig.place(&file).0.as_str()), (vec!["processado".to_owned()], "processados"));
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
}
