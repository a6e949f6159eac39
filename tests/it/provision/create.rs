//! `tecnico create`: one technician.

use crate::agent::Rig;
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_run_creates_and_the_second_writes_nothing() {
    let world = World::new().await;
    let first = world.json(0, &["create", "42", "--email", "ana@example.com", "--name", "Ana Maria"]).await;
    assert_eq!((first["schema"].as_str(), first["status"].as_str()), (Some("tecnico.create/1"), Some("created")));
    assert!(first["drive"]["calls"].as_u64().is_some_and(|calls| calls <= 8), "{first}");
    assert_eq!(first["drive_folders"]["compartilhado"], true);

    let second = world.json(0, &["create", "42"]).await;
    assert_eq!((second["status"].as_str(), second["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)), "{second}");
    assert_eq!(second["drive_folders"], first["drive_folders"]);

    let paths: Vec<String> = world.drive_tree().into_keys().collect();
    assert_eq!(paths, ["Ana_Maria", "Ana_Maria/pdfs", "Ana_Maria/pdfs/erro", "Ana_Maria/pdfs/novos", "Ana_Maria/pdfs/processados"]);
}

/// The folders of the months are theirs, too, and no second ones of anything.
#[tokio::test(flavor = "multi_thread")]
async fn with_folders_of_months_a_second_run_writes_nothing_either() {
    let rig = Rig::new("[layout]\nprocessed = \"pdfs/processados/{year}/{month}\"\n").await;
    rig.drop_file("1.pdf", "bom 1");
    rig.world.json(0, &["process", "42"]).await;
    let again = rig.world.json(0, &["create", "42"]).await;
    assert_eq!((again["status"].as_str(), again["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)), "{again}");
}
