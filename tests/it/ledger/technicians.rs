//! Reserving: one technician one folder, whoever asks and how often.

use std::collections::HashSet;
use std::future::Future;
use std::task::Poll;

use tecnico::ledger::{Field, Ledger, Outcome, WantedGrant, WantedTechnician};

use super::{email, fixture, user, wanted};

#[tokio::test]
async fn a_second_reserve_changes_nothing() {
    let f = fixture().await;
    let first = f.ledger.reserve(&user("42"), &wanted("Ana_Maria"), &[].into(), 7).await.expect("reserves");
    assert_eq!((first.outcome, first.technician.created_at), (Outcome::New, 7));
    let second = f.ledger.reserve(&user("42"), &wanted("Ana_Maria"), &[].into(), 8).await.expect("reserves");
    assert_eq!((second.outcome, second.changed), (Outcome::Known, vec![]));
    assert_eq!(second.technician, first.technician);
}

#[tokio::test]
async fn what_is_said_is_updated_and_the_folder_stays() {
    let f = fixture().await;
    let first = WantedTechnician { email: Some(email("ana@example.com")), ..wanted("Ana_Maria") };
    f.ledger.reserve(&user("42"), &first, &[].into(), 1).await.expect("reserves");
    let renamed =
        WantedTechnician { name: Some("Ana Souza".into()), portal_user: Some("ana.s".into()), folder: "Ana_Souza".into(), email: None };
    let second = f.ledger.reserve(&user("42"), &renamed, &[].into(), 2).await.expect("reserves");
    assert_eq!(second.changed, [Field::Name, Field::PortalUser]);
    let stored = f.ledger.technician(&user("42")).await.expect("reads").expect("is there");
    assert_eq!(stored, second.technician);
    assert_eq!((stored.folder.as_str(), stored.email), ("Ana_Maria", Some(email("ana@example.com"))));
}

#[tokio::test]
async fn two_people_of_one_name_get_two_folders() {
    let f = fixture().await;
    let mut folders = Vec::new();
    for (id, folder) in [("1", "João_Silva"), ("2", "João_Silva"), ("3", "JOÃO_SILVA"), ("4", "Joa\u{303}o_Silva")] {
        folders.push(f.ledger.reserve(&user(id), &wanted(folder), &[].into(), 1).await.expect("reserves").technician.folder);
    }
    assert_eq!(folders, ["João_Silva", "João_Silva_2", "JOÃO_SILVA_3", "Joa\u{303}o_Silva_4"]);
    let found = f.ledger.technician_by_folder("joão_silva_3").await.expect("reads").expect("is there");
    assert_eq!(found.user, user("3"));
}

#[tokio::test]
async fn folders_of_somebody_else_are_passed_over() {
    let f = fixture().await;
    let occupied = HashSet::from(["ana_maria".to_owned(), "Ana_Maria_2".to_owned()]);
    let new = f.ledger.reserve(&user("42"), &wanted("Ana_Maria"), &occupied, 1).await.expect("reserves");
    assert_eq!(new.technician.folder, "Ana_Maria_3");
}

#[tokio::test]
async fn a_removed_technician_is_not_listed_keeps_the_folder_and_can_come_back() {
    let f = fixture().await;
    f.ledger.reserve(&user("1"), &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    f.ledger.begin_removal(&user("1"), 4).await.expect("begins");
    assert_eq!(f.ledger.technicians().await.expect("reads").len(), 1, "it only begins");
    f.ledger.put_away(&user("1"), Some("arquivo/Ana_Maria"), 5).await.expect("removes");
    f.ledger.put_away(&user("1"), Some("arquivo/Ana_Maria"), 6).await.expect("the same again");
    assert_eq!(f.ledger.unfinished_removals().await.expect("reads").len(), 1);
    f.ledger.removal_done(&user("1")).await.expect("ends");
    assert!(f.ledger.unfinished_removals().await.expect("reads").is_empty());
    assert_eq!(f.ledger.removed_technicians().await.expect("reads")[0].removed_at, Some(5));
    assert!(f.ledger.technicians().await.expect("reads").is_empty());
    let other = f.ledger.reserve(&user("2"), &wanted("Ana_Maria"), &[].into(), 7).await.expect("reserves");
    assert_eq!(other.technician.folder, "Ana_Maria_2");
    let back = f.ledger.reserve(&user("1"), &wanted("Ana_Maria"), &[].into(), 8).await.expect("reserves");
    assert_eq!((back.changed, back.technician.removed_at), (vec![Field::RemovedAt], None));
    assert_eq!(f.ledger.technicians().await.expect("reads").len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_through_four_openings_get_distinct_folders() {
    let f = fixture().await;
    let mut tasks = Vec::new();
    for opening in 0..4 {
        let ledger = Ledger::open(&f.path).await.expect("opens");
        for n in 0..10 {
            let ledger = ledger.clone();
            tasks.push(tokio::spawn(async move {
                // Every id is reserved from two openings; every technician has the same name.
                let id = user(&format!("{}-{n}", opening / 2));
                ledger.reserve(&id, &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves").technician
            }));
        }
    }
    let mut seen = HashSet::new();
    for task in tasks {
        let technician = task.await.expect("does not panic");
        seen.insert((technician.user.as_str().to_owned(), technician.folder));
    }
    let folders: HashSet<_> = seen.iter().map(|(_, folder)| folder).collect();
    assert_eq!((seen.len(), folders.len()), (20, 20));
}

#[tokio::test]
async fn grants_are_wanted_and_unwanted() {
    let f = fixture().await;
    f.ledger.reserve(&user("42"), &wanted("Ana_Maria"), &[].into(), 1).await.expect("reserves");
    let grant = |role: &str| WantedGrant { email: email("bea@example.com"), role: role.into(), notify: true };
    f.ledger.want_grant(&user("42"), &grant("writer")).await.expect("wants");
    f.ledger.want_grant(&user("42"), &grant("reader")).await.expect("wants");
    assert_eq!(f.ledger.wanted_grants(&user("42")).await.expect("reads"), [grant("reader")]);
    assert!(f.ledger.unwant_grant(&user("42"), &email("bea@example.com")).await.expect("unwants"));
    assert!(!f.ledger.unwant_grant(&user("42"), &email("bea@example.com")).await.expect("is gone"));
    assert!(f.ledger.wanted_grants(&user("42")).await.expect("reads").is_empty());
}

/// A caller that gives up half-way (a time limit, a signal) must not leave a transaction open on the
/// one connection everybody shares. A call is left after every number of polls it can take, several times over,
/// because how many it takes depends on how fast the disk is.
#[tokio::test]
async fn callers_that_give_up_half_way_leave_the_ledger_usable() {
    let f = fixture().await;
    let mut given_up = 0;
    for round in 0..60 {
        let polls = round % 12;
        let id = user(&round.to_string());
        let (wish, nobody) = (wanted("Ana_Maria"), HashSet::new());
        let mut call = Box::pin(f.ledger.reserve(&id, &wish, &nobody, 1));
        let mut polled = 0;
        let done = std::future::poll_fn(|cx| {
            if polled == polls {
                return Poll::Ready(None);
            }
            polled += 1;
            call.as_mut().poll(cx).map(Some)
        });
        match done.await {
            Some(done) => drop(done.expect("reserves")),
            None => given_up += 1,
        }
        drop(call);
        let after = user(&format!("after {round}"));
        f.ledger.reserve(&after, &wanted("Bea_Souza"), &[].into(), 1).await.expect("still works");
        let other = Ledger::open(&f.path).await.expect("opens");
        other.reserve(&after, &wanted("Bea_Souza"), &[].into(), 1).await.expect("the lock is free");
    }
    assert!(given_up >= 10, "left {given_up} times only: the test shows nothing");
    f.ledger.check().await.expect("is whole");
}
