//! Removing somebody whose tree is not whole: it is made whole first, so that what is pending ends and everything goes along.

use serde_json::Value;

use super::remove::{ANA, archived, shared_rig};
use super::support::grants;
use crate::agent::Rig;

const REMOVE: [&str; 4] = ["remove", "42", "--confirm", "42"];

/// Nobody but tecnico and those with access from above have anything in the archived tree.
#[track_caller]
fn closed(rig: &Rig) {
    for (path, id) in rig.world.drive_tree() {
        let left: Vec<String> = grants(&rig.world, &id).into_iter().filter(|g| g.contains(ANA) || g.starts_with("anyone")).collect();
        assert!(left.is_empty(), "{path}: {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_novos_in_the_trash_comes_back_and_what_lay_in_it_ends_first() {
    for thrown in ["Ana_Maria/pdfs/novos", "Ana_Maria/pdfs/processados", "Ana_Maria"] {
        let rig = shared_rig().await;
        let pending = rig.drop_file("16517190.pdf", "bom");
        rig.world.control().trash(&rig.world.robot(), &rig.world.drive_tree()[thrown]).expect("trashed");
        let removed = rig.world.json(0, &REMOVE).await;
        assert_eq!(removed["status"], "removed", "{thrown}");
        assert_eq!(rig.told(&pending), ["processado"], "{thrown}");
        archived(&rig.world);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_gone_for_good_are_no_obstacle() {
    for gone in ["Ana_Maria/pdfs/novos", "Ana_Maria/pdfs/processados", "Ana_Maria"] {
        let rig = shared_rig().await;
        rig.world.control().delete(&rig.world.robot(), &rig.world.drive_tree()[gone]).expect("deleted");
        let removed = rig.world.json(0, &REMOVE).await;
        assert_eq!(removed["status"], "removed", "{gone}");
        assert!(rig.world.drive_tree().contains_key("arquivo/Ana_Maria/pdfs/novos"), "{gone}: {:?}", rig.world.drive_tree().keys());
        closed(&rig);
        assert_eq!(rig.world.json(0, &["create", "42"]).await["status"], "restored", "{gone}");
        assert_eq!(rig.world.json(0, &["check"]).await["left"], 0, "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_is_gone_from_the_vm_is_no_obstacle() {
    for gone in ["Ana_Maria/pdfs/processados", "Ana_Maria"] {
        let rig = shared_rig().await;
        let pending = rig.drop_file("16517190.pdf", "bom");
        std::fs::remove_dir_all(rig.world.vm().join(gone)).expect("removed");
        rig.world.json(0, &REMOVE).await;
        assert_eq!(rig.told(&pending), ["processado"], "{gone}");
        assert!(rig.world.vm().join("arquivo/Ana_Maria/pdfs/processados/16517190.pdf").is_file(), "{gone}");
        closed(&rig);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_folder_in_the_trash_is_named_with_what_mends_it() {
    let rig = shared_rig().await;
    rig.world.control().trash(crate::support::world::ADMIN, &rig.world.parent).expect("trashed");
    let error: Value = rig.world.json(77, &REMOVE).await;
    assert_eq!(error["error"]["code"], "parent_trashed");
    assert!(error["error"]["hint"].as_str().is_some_and(|h| h.contains("run the same command again")), "{error}");
    rig.world.control().untrash(crate::support::world::ADMIN, &rig.world.parent).expect("restored");
    rig.world.json(0, &REMOVE).await;
    archived(&rig.world);
}
