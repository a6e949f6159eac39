//! `tecnico ledger`: a copy that is whole, private and never in the way of anything.

use std::os::unix::fs::PermissionsExt;

use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_a_ledger_that_can_be_put_back() {
    let world = World::new().await;
    world.json(0, &["create", "42", "--email", "ana@example.com"]).await;
    let copy = world.path("copy.db");
    let to = copy.display().to_string();
    let document = world.json(0, &["ledger", "backup", &to]).await;
    assert_eq!((document["schema"].as_str(), document["technicians"].as_u64()), (Some("tecnico.ledger.backup/1"), Some(1)));
    assert_eq!(copy.metadata().expect("there").permissions().mode() & 0o777, 0o600);

    world.json(0, &["create", "43", "--email", "joao@example.com"]).await;
    world.json(0, &["ledger", "restore", &to]).await;
    let listed = world.json(0, &["list"]).await;
    assert_eq!(listed["technicians"].as_array().map(Vec::len), Some(1), "{listed}");
    let unchanged = world.json(0, &["create", "42"]).await;
    assert_eq!(unchanged["status"], "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_overwrites_nothing_and_leaves_nothing_half_made() {
    let world = World::new().await;
    world.json(0, &["list"]).await;
    std::fs::write(world.path("taken.db"), "somebody's").expect("written");
    let before = std::fs::read_dir(world.path("")).expect("there").count();
    let taken = world.path("taken.db").display().to_string();
    let refused = world.json(73, &["ledger", "backup", &taken]).await;
    assert_eq!(refused["error"]["code"], "backup_exists");
    assert_eq!(std::fs::read_to_string(&taken).expect("there"), "somebody's");
    let nowhere = world.path("none/copy.db").display().to_string();
    assert_eq!(world.json(73, &["ledger", "backup", &nowhere]).await["error"]["code"], "backup_unwritable");
    assert_eq!(std::fs::read_dir(world.path("")).expect("there").count(), before);

    std::fs::write(world.path("ledger.db"), "damaged").expect("written");
    let damaged = world.json(65, &["ledger", "backup", &world.path("x.db").display().to_string()]).await;
    assert!(damaged["error"]["code"] == "ledger_damaged" && !world.path("x.db").exists(), "{damaged}");
}
