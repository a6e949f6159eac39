//! `tecnico create`: one technician.

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
