//! The trees in a shared drive: another feed, other rights, another way to lose them.

use super::{ADMIN, ANA, Rig};
use crate::support::world::World;

/// A service account that may move files and no more than that (2.25).
async fn rig() -> Rig {
    let world = World::in_shared_drive().await;
    let rig = Rig::of(world, "").await;
    member(&rig, "fileOrganizer");
    rig
}

fn drive(rig: &Rig) -> String {
    rig.world.shared_drive.clone().expect("a shared drive")
}

fn member(rig: &Rig, role: &str) {
    rig.world.control().drive_member(&drive(rig), &rig.world.robot(), role).expect("a member");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_organizer_files_everything_away_by_the_drives_own_feed() {
    let rig = rig().await;
    rig.cycle().await;
    let control = rig.world.control();
    control.clear_requests();
    let good = rig.drop_file("16517189.pdf", "bom");
    let bad = rig.drop_file("16517190.pdf", "ruim");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!(rig.place(&good), ("processados".into(), String::new()));
    assert_eq!(rig.place(&bad), ("erro".into(), "número de OS inválido".into()));
    let requests = control.requests();
    assert!(requests.iter().all(|r| r.op != "files.list"), "the feed told, no listing was needed");
    let feeds: Vec<&str> = requests.iter().filter(|r| r.op == "changes.list").map(|r| r.query.as_str()).collect();
    assert_eq!(feeds.iter().filter(|q| q.contains(&format!("driveId={}", drive(&rig)))).count(), 1, "{feeds:?}");
    let deaf: Vec<&str> = requests.iter().map(|r| r.query.as_str()).filter(|q| !q.contains("supportsAllDrives=true")).collect();
    assert!(deaf.is_empty(), "{deaf:?}");
    rig.assert_promise();

    let idle = rig.cycle().await;
    assert!(idle.is_quiet());
    assert_eq!(idle.drive.calls, 2, "one call a feed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_drives_feed_that_is_rejected_begins_anew() {
    let rig = rig().await;
    rig.cycle().await;
    let file = rig.drop_file("1.pdf", "bom");
    rig.world.control().reject_old_tokens().expect("rejected");
    let report = rig.cycle().await;
    assert!(report.is_clean() && report.notes.iter().filter(|n| n.contains("rejects the token")).count() == 2, "{report:?}");
    assert_eq!(rig.told(&file), ["processado"]);
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_that_is_withdrawn_takes_nobodys_files_back() {
    let rig = rig().await;
    rig.cycle().await;
    // One is known already and waits, the other comes while nobody can see it.
    super::configure(&rig.world, &rig.backend, "command = [\"sh\", \"-c\", \"exit 75\", \"{path}\"]\n");
    let first = rig.drop_file("1.pdf", "bom");
    assert_eq!(rig.cycle().await.waiting.len(), 1);
    super::configure(&rig.world, &rig.backend, "");
    let control = rig.world.control();
    control.unshare(ADMIN, &drive(&rig), &rig.world.robot()).expect("out");
    let second = control.put(ANA, &rig.novos, "2.pdf", b"bom 2", "application/pdf").expect("dropped");
    let mut codes = Vec::new();
    for _ in 0..3 {
        let report = rig.cycle().await;
        assert!(!report.is_clean(), "{report:?}");
        codes.extend(report.faults.iter().map(|f| f.failure.code()));
        rig.pass(2);
    }
    assert!(codes.contains(&"drive_not_found") && codes.contains(&"parent_not_found"), "the feed and the folder: {codes:?}");
    assert!(rig.told(&first).is_empty() && rig.told(&second).is_empty(), "{:?}", rig.requests());
    let status = rig.world.run(&["status"]).await.stdout;
    assert!(status.contains("the last one failed"), "{status}");
    member(&rig, "fileOrganizer");
    rig.pass(60);
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    assert_eq!((rig.told(&first), rig.told(&second)), (vec!["processado".to_owned()], vec!["processado".to_owned()]));
    rig.assert_promise();
}
