//! A ledger that is gone while `tecnicos.json` names technicians: nothing starts clean in silence.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::world::World;

const ANA: [&str; 5] = ["create", "42", "--email", "ana@example.com", "--json"];

async fn refused(world: &World, args: &[&str]) -> String {
    let refused = world.json(65, args).await;
    assert_eq!(refused["error"]["code"], "ledger_missing", "{args:?}: {refused}");
    assert!(!world.path("ledger.db").exists(), "{args:?} made one");
    format!("{} {}", refused["error"]["message"], refused["error"]["hint"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_stops_everything_and_names_the_newest_backup() {
    let world = World::new().await;
    world.run(&ANA).await.expect(0);
    let copy = world.path("ledger-2.db").display().to_string();
    for (name, age) in [("ledger-1.db", 60), ("ledger-2.db", 0), ("ledger-3.db", 120)] {
        world.run(&["ledger", "backup", &world.path(name).display().to_string()]).await.expect(0);
        let file = std::fs::File::options().write(true).open(world.path(name)).expect("a copy");
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("dated");
    }
    std::fs::write(world.path("notes.db"), "not a ledger, and newer").expect("written");
    world.lose_ledger();
    for args in [&["watch"][..], &["status"], &["list"], &["check"], &["create", "43"], &["ledger", "check"], &["ledger", "backup", "x.db"]]
    {
        let told = refused(&world, args).await;
        assert!(told.contains(&format!("tecnico ledger restore {copy}")) && told.contains("tecnico import /"), "{told}");
    }
    let doctor = world.json(1, &["doctor", "--only", "ledger"]).await;
    let found = |check: &str| doctor["findings"].as_array().and_then(|all| all.iter().find(|f| f["check"] == check)).cloned();
    assert!(found("ledger").is_some_and(|f| f["verdict"] == "problem" && f["fix"].as_str().is_some_and(|f| f.contains(&copy))), "{doctor}");
    // The way out that the message names.
    world.run(&["ledger", "restore", &copy]).await.expect(0);
    world.run(&["watch"]).await.expect(0);
    assert_eq!(world.json(0, &["list"]).await["technicians"][0]["user"], "42");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_backup_it_is_rebuilt_or_imported_and_a_look_at_an_import_makes_none() {
    let world = World::new().await;
    world.run(&ANA).await.expect(0);
    let registry = world.vm().join("tecnicos.json").display().to_string();
    let knows_her = |list: Value| assert_eq!(list["technicians"][0]["user"], "42", "{list}");
    world.lose_ledger();
    assert!(refused(&world, &["watch"]).await.contains("tecnico ledger rebuild"));
    world.json(0, &["import", &registry, "--dry-run"]).await;
    refused(&world, &["watch"]).await;
    world.json(0, &["import", &registry]).await;
    knows_her(world.json(0, &["list"]).await);
    world.lose_ledger();
    world.json(0, &["ledger", "rebuild"]).await;
    knows_her(world.json(0, &["list"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_machine_has_none_and_looking_at_it_makes_none() {
    let world = World::new().await;
    for args in [&["ledger", "check"][..], &["ledger", "backup", "x.db"]] {
        assert!(refused(&world, args).await.contains("tecnico create"));
    }
    world.run(&ANA).await.expect(0);
    world.run(&["ledger", "check"]).await.expect(0);
}

/// A disk that took both away: an empty ledger would leave every novos unwatched, and call that well.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_lost_together_with_the_registry_is_missed_too() {
    let world = World::new().await;
    world.run(&ANA).await.expect(0);
    let registry = world.vm().join("tecnicos.json");
    world.lose_ledger();
    std::fs::remove_file(&registry).expect("lost");
    for args in [&["watch"][..], &["status"], &["list"], &["create", "43"]] {
        assert!(refused(&world, args).await.contains("tecnico ledger rebuild"), "{args:?}");
    }
    // The names that only tecnicos.json had are to be looked at.
    world.json(1, &["ledger", "rebuild"]).await;
    assert_eq!(world.json(0, &["list"]).await["technicians"][0]["user"], "42");

    world.lose_ledger();
    std::fs::remove_file(&registry).ok();
    let told = refused(&world, &["watch"]).await;
    let anew = told.split("`rm ").nth(1).and_then(|rest| rest.split('`').next()).expect("a command");
    std::fs::remove_file(anew).expect("removed");
    world.run(&["watch"]).await.expect(0);
}
