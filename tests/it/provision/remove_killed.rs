//! A removal and a restore, killed after every call to Drive and every rename on the VM, and run again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecursiveMode, Watcher};
use rustix::process::{Pid, Signal, kill_process};

use super::remove::{archived, shared_rig};
use super::support::{PATIENCE, kill, start};
use crate::agent::Rig;

const REMOVE: [&str; 4] = ["remove", "42", "--confirm", "42"];

/// Runs `args` until `after` calls are answered, and kills it. False where it was done before.
async fn killed_after(rig: &Rig, args: &[&str], after: u64) -> bool {
    rig.world.control().pause_after(after);
    let mut child = start(&rig.world, args);
    let control = rig.world.control();
    let paused = tokio::select! {
        () = control.wait_paused() => true,
        () = super::support::until("the run ends", || child.try_wait().expect("asked").is_some()) => false,
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

/// On the VM a removal renames twice: tecnicos.json, and the tree.
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_killed_after_each_rename_is_finished_by_a_rerun() {
    let mut killed = 0;
    for point in 1..=2 {
        let rig = shared_rig().await;
        let (victim, seen) = (Arc::new(Mutex::new(None::<Pid>)), Arc::new(AtomicU64::new(0)));
        let (pid, vm) = (victim.clone(), rig.world.vm());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let is_rename = event.is_ok_and(|e| matches!(e.kind, EventKind::Modify(ModifyKind::Name(RenameMode::To))));
            if is_rename && seen.fetch_add(1, Ordering::Relaxed) + 1 >= point {
                let pid = *pid.lock().expect("no panic");
                // It may have ended by itself.
                pid.map(|pid| kill_process(pid, Signal::KILL).ok());
            }
        })
        .expect("a watcher");
        watcher.watch(&vm, RecursiveMode::Recursive).expect("watched");
        let mut child = start(&rig.world, &REMOVE);
        *victim.lock().expect("no panic") = Pid::from_raw(child.id().cast_signed());
        let ended = tokio::time::timeout(PATIENCE, super::support::until("it ends", || child.try_wait().expect("asked").is_some()));
        ended.await.expect("in time");
        killed += u32::from(child.wait().expect("ended").code().is_none());
        drop(watcher);
        rig.world.json(0, &REMOVE).await;
        archived(&rig.world);
    }
    assert!(killed >= 1, "none was killed before it was done");
}
