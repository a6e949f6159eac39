//! Many at once, and killed at every point: one tree, one entry, every time.

use super::support::{ANA, ANA_TREE, grants, kill, paths, start};
use crate::support::world::{World, finish};

/// One tree with one entry, shared once; the local tree whole.
#[track_caller]
fn one_ana(world: &World) {
    let tree = world.drive_tree();
    assert_eq!(tree.keys().collect::<Vec<_>>(), ANA_TREE.iter().collect::<Vec<_>>());
    let registry = world.registry();
    let entries = registry.as_array().expect("an array");
    assert_eq!(entries.len(), 1, "{registry}");
    assert_eq!(entries[0]["pasta_drive_id"], tree["Ana_Maria"].as_str());
    assert_eq!(entries[0]["pasta_novos_id"], tree["Ana_Maria/pdfs/novos"].as_str());
    assert_eq!(grants_of_ana(world), ["ana@example.com writer"]);
    for folder in ["pdfs/novos", "pdfs/processados", "pdfs/erro", "logs"] {
        assert!(world.vm().join("Ana_Maria").join(folder).is_dir(), "{folder}");
    }
}

/// The grants on novos that are not the parent folder's.
fn grants_of_ana(world: &World) -> Vec<String> {
    let novos = &world.drive_tree()["Ana_Maria/pdfs/novos"];
    grants(world, novos).into_iter().filter(|g| g.starts_with("ana@")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_1_four_at_once_make_one_tree_ten_times_over() {
    for round in 0..10 {
        let world = World::new().await;
        let args: Vec<&str> = ANA.iter().copied().chain(["--json"]).collect();
        let runs = (0..4).map(|_| finish(world.command(&args)));
        let ran = futures_util::future::join_all(runs).await;
        let mut created = 0;
        for run in ran {
            let document = run.expect(0).json();
            assert_eq!(document["drive_folders"]["compartilhado"], true);
            created += usize::from(document["status"] == "created");
        }
        assert_eq!(created, 1, "round {round}: one made it, the others found it made");
        one_ana(&world);
        assert_eq!(world.control().counts()["files.create"], 5, "round {round}: nobody tried to make it again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_2_killed_after_every_single_call_and_run_again() {
    let mut kill_points = 0;
    // A creation has eight calls; after the eighth the registry is still to be written.
    for after in 0..=8 {
        let world = World::new().await;
        world.control().pause_after(after);
        let child = start(&world, &ANA);
        tokio::time::timeout(crate::support::waiting::PATIENCE, world.control().wait_paused()).await.expect("it gets there");
        kill(child);
        world.control().resume();
        kill_points += 1;
        let second = world.json(0, &ANA).await;
        assert_eq!(second["drive_folders"]["compartilhado"], true, "killed after call {after}");
        one_ana(&world);
        let third = world.json(0, &ANA).await;
        assert_eq!(
            (third["status"].as_str(), third["drive"]["writes"].as_u64()),
            (Some("unchanged"), Some(0)),
            "killed after call {after}"
        );
        assert!(world.json(0, &["check"]).await["findings"].as_array().is_some_and(Vec::is_empty), "killed after call {after}");
    }
    assert_eq!(kill_points, 9);
}

/// The answer of each create in turn is lost after it was carried out; the run itself gets over it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_lost_after_the_commit_makes_no_twin() {
    use drive_emulator::control::{Effect, Fault, When};
    for call in 1..=8 {
        let world = World::new().await;
        world.control().fault(Fault::new(Effect::LostAfterCommit).when(When::Calls { calls: vec![call] })).expect("a rule that can strike");
        let created = world.json(0, &ANA).await;
        assert_eq!(created["status"], "created", "lost: {call}");
        one_ana(&world);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_1_two_people_of_one_name_get_two_folders_and_the_second_is_told_which() {
    let world = World::new().await;
    world.run(&ANA).await.expect(0);
    let second = world.run(&["create", "43", "--email", "outra@example.com", "--name", "Ana Maria"]).await.expect(0);
    assert!(second.stderr.contains("43 got Ana_Maria_2"), "{}", second.stderr);
    let third = world.json(0, &["create", "44", "--email", "terceira@example.com", "--name", "ana maria"]).await;
    assert_eq!(third["folder"], "ana_maria_3");
    assert_eq!(paths(&world).iter().filter(|p| !p.contains('/')).count(), 3);
    assert_eq!(world.registry().as_array().map(Vec::len), Some(3));
    let again = world.json(0, &["create", "43", "--name", "Ana Maria"]).await;
    assert_eq!((again["folder"].as_str(), again["status"].as_str()), (Some("Ana_Maria_2"), Some("unchanged")));
}
