//! Another name, another address: both trees, the grant, the ledger and `tecnicos.json`, and it can be stopped anywhere.

use drive_emulator::control::Match;
use serde_json::Value;

use super::remove::ANA;
use super::support::{grants, kill, refused, start};
use crate::agent::Rig;
use crate::support::waiting::{PATIENCE, until};
use crate::support::world::{ADMIN, World, finish};

const NAME: [&str; 4] = ["rename", "42", "--name", "Ana Souza"];
const BOTH: [&str; 6] = ["rename", "42", "--name", "Ana Souza", "--email", "ana.souza@example.com"];

/// With whom novos is shared, those with access from above left out.
#[track_caller]
fn shared_with(world: &World, novos: &str) -> Vec<String> {
    let robot = world.robot();
    grants(world, novos).into_iter().filter(|g| !g.starts_with(ADMIN) && !g.starts_with(&robot)).collect()
}

#[track_caller]
fn renamed(rig: &Rig) {
    let tree = rig.world.drive_tree();
    assert_eq!(tree.get("Ana_Souza/pdfs/novos"), Some(&rig.novos), "{:?}", tree.keys());
    assert!(!tree.contains_key("Ana_Maria"));
    assert!(rig.world.vm().join("Ana_Souza/pdfs/novos").is_dir() && !rig.world.vm().join("Ana_Maria").exists());
    let registry = rig.world.registry();
    assert_eq!(registry.as_array().map(Vec::len), Some(1), "{registry}");
    assert_eq!(registry[0]["nome"], "Ana Souza");
    assert!(registry[0]["pasta_vm"].as_str().is_some_and(|p| p.ends_with("/Ana_Souza")), "{registry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_renames_both_trees_and_open_files_go_on() {
    let rig = Rig::new("").await;
    rig.drop_file("16517190.pdf", "depois");
    let done = rig.drop_file("16517189.pdf", "bom");
    rig.world.run(&["watch"]).await;
    std::fs::write(rig.world.vm().join("Ana_Maria/credenciais.json"), "{}").expect("written");
    let plan = rig.world.run(&["rename", "42", "--name", "Ana Souza", "--dry-run"]).await.expect(0);
    assert!(plan.stdout.contains("would rename Ana_Maria to Ana_Souza"), "{}", plan.stdout);
    assert!(rig.world.drive_tree().contains_key("Ana_Maria"));
    let document = rig.world.json(0, &NAME).await;
    assert_eq!(
        (document["schema"].as_str(), document["changed"].as_bool(), document["folder"].as_str(), document["former_folder"].as_str()),
        (Some("tecnico.rename/1"), Some(true), Some("Ana_Souza"), Some("Ana_Maria"))
    );
    renamed(&rig);
    assert!(rig.world.vm().join("Ana_Souza/credenciais.json").is_file());
    assert!(rig.world.vm().join("Ana_Souza/pdfs/processados/16517189.pdf").is_file());
    assert_eq!(rig.told(&done), ["processado"]);
    let told: Vec<Value> = rig
        .backend
        .requests()
        .iter()
        .filter(|r| r.target.ends_with("/folders"))
        .filter_map(|r| serde_json::from_str(&r.body).ok())
        .collect();
    assert!(told.last().is_some_and(|t| t["result"]["message"].as_str().is_some_and(|m| m.contains("Ana Souza"))), "{told:?}");
    // The file that waits is worked on in its new place.
    rig.pass(60);
    rig.cycle().await;
    assert!(rig.calls().last().is_some_and(|c| c.contains("/Ana_Souza/pdfs/novos/")), "{:?}", rig.calls());
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
    let again = rig.world.json(0, &NAME).await;
    assert_eq!((again["changed"].as_bool(), again["drive"]["writes"].as_u64()), (Some(false), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_its_access_before_the_old_one_loses_it() {
    let rig = Rig::new("").await;
    rig.world.control().clear_requests();
    rig.world.run(&["rename", "42", "--email", "ana.souza@example.com"]).await.expect(0);
    assert_eq!(shared_with(&rig.world, &rig.novos), ["ana.souza@example.com writer"]);
    let calls = rig.world.control().requests();
    let at = |op: &str| calls.iter().position(|c| c.op == op).expect("called");
    assert!(at("permissions.create") < at("permissions.delete"));
    assert_eq!(rig.world.registry()[0]["email"], "ana.souza@example.com");
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
    assert_eq!(rig.world.json(0, &["rename", "42", "--email", "ana.souza@example.com"]).await["changed"], false);
    // And back.
    rig.world.run(&["rename", "42", "--email", ANA]).await.expect(0);
    assert_eq!(shared_with(&rig.world, &rig.novos), ["ana@example.com writer"]);
}

/// `create` gives another address access too, and leaves the old one's to a person: it says whose that is.
#[tokio::test(flavor = "multi_thread")]
async fn what_create_leaves_to_a_person_and_what_rename_needs_is_said() {
    let rig = Rig::new("").await;
    let made = rig.world.run(&["create", "42", "--email", "ana.souza@example.com"]).await.expect(0);
    assert!(made.stderr.contains(&format!("{ANA}, the address until now, still has access to novos (as writer)")), "{}", made.stderr);
    let mend = format!(" share 42 --with {ANA} --revoke`");
    assert!(
        made.stderr.contains("`tecnico --config ") && made.stderr.contains(&mend) && !made.stderr.contains("nobody asked for"),
        "{}",
        made.stderr
    );
    let named = rig.world.run(&["create", "42", "--name", "Ana d'Ávila"]).await.expect(0);
    let how = r"rename 42 --name 'Ana d'\''Ávila'`";
    assert!(named.stderr.contains("the folders keep the name Ana_Maria") && named.stderr.contains(how), "{}", named.stderr);
    let alone = rig.world.run(&["rename", "42"]).await.expect(64);
    assert!(alone.stderr.contains("--name") && alone.stderr.contains("--email"), "{}", alone.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_let_in_before_gets_the_technicians_role() {
    let rig = Rig::new("").await;
    rig.world.run(&["share", "42", "--with", "ana.souza@example.com", "--role", "reader"]).await.expect(0);
    rig.world.run(&["rename", "42", "--email", "ana.souza@example.com"]).await.expect(0);
    assert_eq!(shared_with(&rig.world, &rig.novos), ["ana.souza@example.com writer"]);
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_of_the_old_address_goes_with_the_technician() {
    let rig = Rig::new("").await;
    rig.world.run(&["share", "42", "--role", "commenter"]).await.expect(0);
    rig.world.run(&["rename", "42", "--email", "ana.souza@example.com"]).await.expect(0);
    assert_eq!(shared_with(&rig.world, &rig.novos), ["ana.souza@example.com commenter"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_taken_get_a_number_and_hostile_ones_are_refused() {
    let rig = Rig::new("").await;
    rig.world.run(&["create", "43", "--email", "bea@example.com", "--name", "Bea Souza"]).await.expect(0);
    std::fs::create_dir(rig.world.vm().join("Bea_Souza_2")).expect("made");
    let run = rig.world.run(&["rename", "42", "--name", "bea souza"]).await.expect(0);
    assert!(run.stderr.contains("42 got bea_souza_3"), "{run:?}");
    assert_eq!(rig.world.json(0, &["rename", "42", "--name", "bea souza"]).await["changed"], false, "the number stays");
    assert!(rig.world.vm().join("Bea_Souza/pdfs").is_dir() && rig.world.vm().join("bea_souza_3/pdfs").is_dir());
    for name in ["../fora", "a/b", ".oculto", "", "  ", "a\nb", "\u{202e}ana", "tecnicos.json", &"x".repeat(200)] {
        refused(&rig.world, &["rename", "42", &format!("--name={name}")], 65, "name_invalid", "nothing was changed").await;
    }
    refused(&rig.world, &["rename", "42", "--email", "ana"], 65, "email_invalid", "nothing was changed").await;
    refused(&rig.world, &["rename", "42", "--email", "bea@example.com"], 65, "email_taken", "43").await;
    refused(&rig.world, &["rename", "99", "--name", "X"], 65, "user_unknown", "tecnico list").await;
    assert_eq!(rig.world.run(&["rename", "42"]).await.code, Some(64));
    // The archive's own name is nobody's.
    assert_eq!(rig.world.json(0, &["rename", "42", "--name", "arquivo"]).await["folder"], "arquivo_2");
    // Another spelling of one's own name is no collision.
    assert_eq!(rig.world.json(0, &["rename", "43", "--name", "BEA SOUZA"]).await["folder"], "BEA_SOUZA");
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_single_call_it_is_finished_by_a_rerun() {
    assert!(killed_after_every_call(&BOTH).await >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_single_call_it_is_finished_by_a_repair() {
    assert!(killed_after_every_call(&["check", "--repair"]).await >= 5);
}

/// How many calls a rename makes, killed after each and finished by `again`.
async fn killed_after_every_call(again: &[&str]) -> u64 {
    let mut after = 0;
    loop {
        let rig = Rig::new("").await;
        let control = rig.world.control();
        control.pause_after(after);
        let mut child = start(&rig.world, &BOTH);
        let paused = tokio::select! {
            () = control.wait_paused() => true,
            () = until("the run ends", || child.try_wait().expect("asked").is_some()) => false,
        };
        kill(child);
        control.resume();
        if !paused {
            return after;
        }
        control.put(ADMIN, &rig.novos, "16517191.pdf", b"bom", "application/pdf").expect("dropped");
        rig.world.run(again).await.expect(0);
        renamed(&rig);
        assert_eq!(shared_with(&rig.world, &rig.novos), ["ana.souza@example.com writer"], "killed after call {after}");
        assert_eq!(rig.world.json(0, &["check"]).await["left"], 0, "killed after call {after}");
        rig.world.run(&["watch"]).await.expect(0);
        assert!(rig.world.vm().join("Ana_Souza/pdfs/processados/16517191.pdf").is_file(), "killed after call {after}");
        after += 1;
    }
}

/// What the backend was told of folders.
fn told_of_folders(rig: &Rig) -> Vec<String> {
    let requests = rig.backend.requests();
    let bodies = requests.iter().filter(|r| r.target.ends_with("/folders")).filter_map(|r| serde_json::from_str::<Value>(&r.body).ok());
    bodies.map(|b| b["result"]["message"].as_str().expect("a sentence").to_owned()).collect()
}

/// Killed when all is done but the word to the backend.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_before_the_backend_hears_of_it_is_told_by_a_rerun_or_a_repair() {
    for again in [&NAME[..], &["check", "--repair"]] {
        let rig = Rig::new("").await;
        let control = rig.world.control();
        control.gate().pause_after_matching(Match { op: Some("files.update".into()), ..Match::default() }, 0);
        let child = start(&rig.world, &NAME);
        tokio::time::timeout(PATIENCE, control.wait_paused()).await.expect("it gets there");
        // Nobody else can write to the ledger from here on: what the rename still has to record waits.
        let ledger = sqlx::SqlitePool::connect(&format!("sqlite://{}", rig.world.path("ledger.db").display())).await.expect("opens");
        let held = ledger.begin_with("BEGIN IMMEDIATE").await.expect("held");
        control.resume();
        until("tecnicos.json has the name", || rig.world.registry()[0]["nome"] == "Ana Souza").await;
        kill(child);
        held.rollback().await.expect("let go");
        ledger.close().await;
        renamed(&rig);
        assert_eq!(told_of_folders(&rig).len(), 1, "only of the creation");
        assert_eq!(rig.world.json(1, &["check"]).await["findings"][0]["problem"], "rename_untold");

        rig.world.json(0, again).await;
        let told = told_of_folders(&rig);
        assert!(told.len() == 2 && told[1].contains("Ana Souza"), "{again:?}: {told:?}");
        assert_eq!(rig.world.json(0, &["check"]).await["left"], 0, "{again:?}");
        assert_eq!(rig.world.json(0, &NAME).await["changed"], false, "{again:?}");
        assert_eq!(told_of_folders(&rig).len(), 2, "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_waits_for_the_cycle_under_way() {
    let rig = Rig::new("command = [\"/bin/sh\", \"-c\", \"while [ ! -e \\\"${1%/vm/*}/go\\\" ]; do sleep 0.1; done; test -f \\\"$1\\\"\", \"sh\", \"{path}\"]\n").await;
    let file = rig.drop_file("16517190.pdf", "bom");
    let cycle = tokio::spawn(finish(rig.world.command(&["watch"])));
    until("the file is on the VM", || rig.world.vm().join("Ana_Maria/pdfs/novos/16517190.pdf").exists()).await;
    let rename = tokio::spawn(finish(rig.world.command(&NAME)));
    until("the rename has the technician's lock", || rig.world.path("ledger.db.locks").read_dir().is_ok_and(|d| d.count() > 1)).await;
    assert!(rig.world.vm().join("Ana_Maria").exists());
    std::fs::write(rig.world.path("go"), "").expect("written");
    rename.await.expect("ran").expect(0);
    cycle.await.expect("ran").expect(0);
    assert_eq!(rig.told(&file), ["processado"]);
    renamed(&rig);
}
