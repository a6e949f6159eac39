//! A removal and a restore, killed after every call to Drive, every rename on the VM and every commit of the
//! ledger, and run again.

use super::remove::{archived, shared_rig};
use super::support::{kill, start};
use crate::agent::Rig;
use crate::support::traced::{self, Effect};
use crate::support::waiting::until;

const REMOVE: [&str; 4] = ["remove", "42", "--confirm", "42"];

/// Runs `args` until `after` calls are answered, and kills it. False where it was done before.
async fn killed_after(rig: &Rig, args: &[&str], after: u64) -> bool {
    rig.world.control().pause_after(after);
    let mut child = start(&rig.world, args);
    let control = rig.world.control();
    let paused = tokio::select! {
        () = control.wait_paused() => true,
        () = until("the run ends", || child.try_wait().expect("asked").is_some()) => false,
    };
    kill(child);
    rig.world.control().resume();
    paused
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_killed_after_every_single_call_is_finished_by_a_rerun() {
    let mut after = 0;
    loop {
        let rig = shared_rig().await;
        let late = rig.drop_file("16517190.pdf", "bom");
        if !killed_after(&rig, &REMOVE, after).await {
            break;
        }
        // It is either not begun or said to be unfinished; never silently half.
        let check = rig.world.run(&["check", "--json"]).await;
        assert!(matches!(check.code, Some(0 | 1)), "killed after call {after}: {check:?}");
        rig.world.json(0, &REMOVE).await;
        archived(&rig.world);
        assert_eq!(rig.told(&late), ["processado"], "killed after call {after}");
        assert_eq!(rig.world.json(0, &["check"]).await["left"], 0, "killed after call {after}");
        assert_eq!(rig.world.json(0, &REMOVE).await["status"], "unchanged", "killed after call {after}");
        after += 1;
    }
    assert!(after > 15, "only {after} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_killed_half_way_can_be_taken_back() {
    let mut after = 0;
    loop {
        let rig = shared_rig().await;
        let tree = rig.world.drive_tree();
        if !killed_after(&rig, &REMOVE, after).await {
            break;
        }
        rig.world.json(0, &["create", "42"]).await;
        whole_again(&rig, &tree, after).await;
        after += 2;
    }
    assert!(after > 15, "only {after} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_killed_after_every_single_call_is_finished_by_a_rerun() {
    let mut after = 0;
    loop {
        let rig = shared_rig().await;
        let tree = rig.world.drive_tree();
        rig.world.run(&REMOVE).await.expect(0);
        if !killed_after(&rig, &["create", "42"], after).await {
            break;
        }
        rig.world.json(0, &["create", "42"]).await;
        whole_again(&rig, &tree, after).await;
        after += 1;
    }
    assert!(after >= 4, "only {after} calls");
}

async fn whole_again(rig: &Rig, tree: &std::collections::BTreeMap<String, String>, after: u64) {
    let now = rig.world.drive_tree();
    assert!(tree.iter().all(|(path, id)| now.get(path) == Some(id)), "killed after call {after}: {now:?}");
    assert!(rig.world.vm().join("Ana_Maria/pdfs/processados/16517189.pdf").is_file(), "killed after call {after}");
    assert_eq!(rig.world.registry().as_array().map(Vec::len), Some(1), "killed after call {after}");
    assert_eq!(rig.world.json(0, &["share", "42", "--list"]).await["grants"].to_string().matches("ana@example.com").count(), 1);
    let check = rig.world.run(&["check", "--json"]).await.json();
    let left: Vec<&str> = check["findings"].as_array().expect("findings").iter().filter_map(|f| f["problem"].as_str()).collect();
    // A link that was on novos all along is nobody's wish.
    assert!(left.iter().all(|problem| *problem == "grant_unwanted"), "killed after call {after}: {check}");
    rig.world.run(&["watch"]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_killed_after_each_rename_and_each_commit_is_finished_by_a_rerun() {
    for effect in [Effect::Rename, Effect::Commit] {
        let mut after = 1;
        loop {
            let rig = shared_rig().await;
            let command = rig.world.command(&REMOVE);
            let run = tokio::task::spawn_blocking(move || traced::run(&command, Some((effect, after))))
                .await
                .expect("no panic")
                .expect("it runs");
            rig.world.json(0, &REMOVE).await;
            archived(&rig.world);
            if let Some(code) = run.code {
                assert_eq!(code, 0, "the {after}th {effect:?} was never reached");
                break;
            }
            after += 1;
        }
        // On the VM a removal renames tecnicos.json and the tree.
        assert!(after > 2, "only {after} × {effect:?}");
    }
}
