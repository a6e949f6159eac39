//! `create --dry-run`: the plan is the one that would be carried out, and nothing is changed.

use serde_json::{Value, json};

use super::support::{ANA, everything, refused};
use crate::support::world::{ADMIN, World};

/// Everything a run could change: Drive, the VM, the ledger.
async fn state(world: &World) -> (std::collections::BTreeSet<String>, Vec<String>, Value) {
    let mut vm = vec![std::fs::read_to_string(world.vm().join("tecnicos.json")).unwrap_or_default()];
    let listed = std::fs::read_dir(world.vm()).into_iter().flatten().flatten();
    vm.extend(listed.map(|e| e.file_name().to_string_lossy().into_owned()));
    vm.sort();
    (everything(world), vm, world.json(0, &["list", "--all"]).await["technicians"].clone())
}

/// The dry run and then the creation are refused alike, and nothing is changed.
async fn both_refuse(world: &World, args: &[&str], exit: i32, code: &str, fix: &str) {
    let before = state(world).await;
    let dry: Vec<&str> = args.iter().copied().chain(["--dry-run"]).collect();
    refused(world, &dry, exit, code, fix).await;
    assert_eq!(state(world).await, before, "{code}");
    refused(world, args, exit, code, fix).await;
}

/// The folders a plan would make.
fn made(plan: &Value) -> Vec<&str> {
    let steps = plan["steps"].as_array().expect("steps");
    steps.iter().filter(|s| s["problem"] == "folder_missing").filter_map(|s| s["place"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_is_refused() {
    let world = World::new().await;
    let dry: Vec<&str> = ANA.iter().copied().chain(["--dry-run"]).collect();
    world.json(0, &dry).await;
    assert!(!world.path("ledger.db").exists(), "no ledger is made for it");
    world.json(0, &ANA).await;
    both_refuse(&world, &["create", "43", "--email", "ana@example.com"], 65, "email_taken", "tecnico create 42").await;
    world.control().mkdir(ADMIN, &world.parent, "Bea").expect("made");
    // The command that adopts runs as it stands, from wherever one stands.
    let registry = world.vm().join("tecnicos.json").display().to_string();
    both_refuse(&world, &["create", "43", "--name", "Bea"], 65, "folder_exists_on_drive", &format!("tecnico import {registry}")).await;
    std::fs::remove_dir(world.vm().join("Ana_Maria/pdfs/novos")).expect("removed");
    std::fs::write(world.vm().join("Ana_Maria/pdfs/novos"), "a file").expect("written");
    both_refuse(&world, &ANA, 73, "local_in_the_way", "move what is at").await;
    world.control().trash(ADMIN, &world.parent).expect("trashed");
    both_refuse(&world, &["create", "44", "--name", "Caio"], 77, "parent_trashed", "trash").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_that_of_the_creation() {
    let world = World::new().await;
    let first = world.json(0, &ANA).await;
    let before = state(&world).await;
    let second = ["create", "43", "--name", "Ana Maria", "--dry-run"];
    let plan = world.json(0, &second).await;
    assert_eq!(made(&plan)[0], "Ana_Maria_2", "{plan}");
    assert_eq!((made(&plan).len(), plan["drive"]["writes"].as_u64()), (5, Some(0)), "{plan}");
    let said = world.run(&second).await.expect(0);
    assert!(said.stderr.contains("43 got Ana_Maria_2") && said.stdout.contains("Ana_Maria_2/pdfs/novos"), "{said:?}");
    assert_eq!(state(&world).await, before);
    assert_eq!(world.json(0, &["create", "43", "--name", "Ana Maria"]).await["folder"], "Ana_Maria_2");

    // Found by its mark: nothing would be made twice.
    world.forget().await;
    let plan = world.json(0, &["create", "42", "--dry-run"]).await;
    assert_eq!(plan["steps"], json!([]), "{plan}");
    assert_eq!(world.json(0, &["list"]).await["technicians"], json!([]));
    let again = world.json(0, &["create", "42"]).await;
    assert_eq!((&again["drive_folders"], again["drive"]["writes"].as_u64()), (&first["drive_folders"], Some(0)), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_many_is_told_as_it_would_be() {
    let world = World::new().await;
    world.json(0, &ANA).await;
    let csv = world.path("t.csv").display().to_string();
    std::fs::write(&csv, "user,email,name\n43,bea@example.com,Bea\n44,caio@example.com,Bea\n45,ana@example.com,Ana\n42,,\n")
        .expect("written");
    let before = state(&world).await;
    let plan = world.json(1, &["create", "--from", &csv, "--dry-run"]).await;
    let folders: Vec<&str> = made(&plan).into_iter().filter(|place| !place.contains('/')).collect();
    assert_eq!(folders, ["Bea", "Bea_2"], "{plan}");
    let failed = plan["failed"].as_array().expect("those who would fail");
    assert_eq!((failed.len(), failed[0]["user"].as_str()), (1, Some("45")), "{plan}");
    assert!(failed[0]["hint"].as_str().is_some_and(|h| h.contains("tecnico create 42")), "{plan}");
    let said = world.run(&["create", "--from", &csv, "--dry-run"]).await.expect(1);
    assert!(said.stderr.contains("would fail 45") && said.stdout.contains("42: nothing to do"), "{said:?}");
    assert_eq!(state(&world).await, before);
    let done = world.json(1, &["create", "--from", &csv]).await;
    assert_eq!((done["created"].as_u64(), done["failed"].as_u64(), done["unchanged"].as_u64()), (Some(2), Some(1), Some(1)), "{done}");
}
