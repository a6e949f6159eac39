//! Ids before folders: whoever comes second uses the same ones.

use tecnico::domain::folder::{Role, WantedFolder};
use tecnico::error::Exit;
use tecnico::ledger::{Adopt, Assigned, FolderState, Ledger};

use super::{fixture, user, wanted};

fn tree() -> Vec<WantedFolder> {
    [("", Role::Usuario), ("pdfs", Role::Caminho), ("pdfs/novos", Role::Novos)]
        .map(|(path, role)| WantedFolder { path: path.into(), role })
        .to_vec()
}

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("id-{n:02}")).collect()
}

#[tokio::test]
async fn ids_are_asked_for_taken_once_and_kept() {
    let f = fixture().await;
    let ana = user("42");
    f.ledger.reserve(&ana, &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    assert_eq!(f.ledger.assign_ids(&ana, &tree()).await.expect("asks"), Assigned::NeedIds(3));
    f.ledger.add_spare_ids(&ids(2)).await.expect("adds");
    assert_eq!(f.ledger.assign_ids(&ana, &tree()).await.expect("asks"), Assigned::NeedIds(1));
    f.ledger.add_spare_ids(&ids(5)).await.expect("adds");
    let Assigned::Ids(first) = f.ledger.assign_ids(&ana, &tree()).await.expect("assigns") else { panic!("there are enough") };
    assert_eq!(first.iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), ["", "pdfs", "pdfs/novos"]);
    assert!(first.iter().all(|r| r.state == FolderState::Reserved));
    assert_eq!(f.ledger.assign_ids(&ana, &tree()).await.expect("assigns"), Assigned::Ids(first.clone()));
    assert_eq!(f.ledger.folder_ids(&ana).await.expect("reads"), first);
    assert_eq!(f.ledger.spare_ids().await.expect("counts"), 2);
    // An id in use never becomes spare again.
    f.ledger.add_spare_ids(&ids(5)).await.expect("adds");
    assert_eq!(f.ledger.spare_ids().await.expect("counts"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_at_once_get_the_same_ids() {
    let f = fixture().await;
    let ana = user("42");
    f.ledger.reserve(&ana, &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    f.ledger.add_spare_ids(&ids(12)).await.expect("adds");
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (path, ana) = (f.path.clone(), ana.clone());
        tasks
            .push(tokio::spawn(async move { Ledger::open(&path).await.expect("opens").assign_ids(&ana, &tree()).await.expect("assigns") }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("does not panic"));
    }
    assert!(matches!(answers[0], Assigned::Ids(_)));
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
    assert_eq!(f.ledger.spare_ids().await.expect("counts"), 9);
}

#[tokio::test]
async fn created_and_forgotten() {
    let f = fixture().await;
    let ana = user("42");
    f.ledger.reserve(&ana, &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    f.ledger.add_spare_ids(&ids(4)).await.expect("adds");
    f.ledger.assign_ids(&ana, &tree()).await.expect("assigns");
    f.ledger.mark_created(&ana, "pdfs").await.expect("marks");
    let pdfs = f.ledger.folder_ids(&ana).await.expect("reads").remove(1);
    assert_eq!(pdfs.state, FolderState::Created);
    f.ledger.forget_id(&ana, "pdfs", "another id").await.expect("does nothing");
    assert_eq!(f.ledger.folder_ids(&ana).await.expect("reads").len(), 3);
    f.ledger.forget_id(&ana, "pdfs", &pdfs.drive_id).await.expect("forgets");
    let Assigned::Ids(again) = f.ledger.assign_ids(&ana, &tree()).await.expect("assigns") else { panic!("one is spare") };
    assert_ne!(again[1].drive_id, pdfs.drive_id);
    assert_eq!(again[1].state, FolderState::Reserved);
}

#[tokio::test]
async fn adopting_keeps_ours_or_replaces_as_told() {
    let f = fixture().await;
    let ana = user("42");
    f.ledger.reserve(&ana, &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    let adopted = |ids: [&str; 3]| tree().into_iter().zip(ids.map(str::to_owned)).collect::<Vec<_>>();
    let stored = |rows: Vec<tecnico::ledger::FolderRow>| rows.into_iter().map(|r| r.drive_id).collect::<Vec<_>>();
    let first = f.ledger.adopt_ids(&ana, &adopted(["a", "b", "c"]), Adopt::KeepOurs).await.expect("adopts");
    assert!(first.iter().all(|r| r.state == FolderState::Created));
    let kept = f.ledger.adopt_ids(&ana, &adopted(["x", "b", "z"]), Adopt::KeepOurs).await.expect("adopts");
    assert_eq!(stored(kept), ["a", "b", "c"]);
    let replaced = f.ledger.adopt_ids(&ana, &adopted(["x", "c", "b"]), Adopt::Replace).await.expect("adopts, two exchanged");
    assert_eq!(stored(replaced), ["x", "c", "b"]);
}

#[tokio::test]
async fn an_id_has_one_owner_and_a_refused_adoption_leaves_nothing() {
    let f = fixture().await;
    for (id, folder) in [("1", "Ana_Maria"), ("2", "João_Silva")] {
        f.ledger.reserve(&user(id), &wanted(folder), &[].into(), 1).await.expect("reserves");
    }
    let folder = |path: &str, role, id: &str| (WantedFolder { path: path.into(), role }, id.to_owned());
    f.ledger.adopt_ids(&user("1"), &[folder("pdfs/novos", Role::Novos, "n1")], Adopt::KeepOurs).await.expect("adopts");
    let both = [folder("", Role::Usuario, "u2"), folder("pdfs/novos", Role::Novos, "n1")];
    let refused = f.ledger.adopt_ids(&user("2"), &both, Adopt::Replace).await.expect_err("is taken");
    assert_eq!((refused.exit(), refused.code()), (Exit::Data, "folder_id_taken"));
    assert!(f.ledger.folder_ids(&user("2")).await.expect("reads").is_empty());

    let (owner, row) = f.ledger.folder_by_drive_id("n1").await.expect("reads").expect("is known");
    assert_eq!((owner.user, row.path.as_str()), (user("1"), "pdfs/novos"));
    assert!(f.ledger.folder_by_drive_id("u2").await.expect("reads").is_none());
    let inboxes = f.ledger.folders_of_role(Role::Novos).await.expect("reads");
    assert_eq!(inboxes.iter().map(|(t, r)| (t.folder.as_str(), r.drive_id.as_str())).collect::<Vec<_>>(), [("Ana_Maria", "n1")]);
}
