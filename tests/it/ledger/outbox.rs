//! The outbox: nothing told is lost, and one event has one id.

use tecnico::domain::event::{EventId, NewEvent};
use tecnico::domain::item::{Act, State, Verdict};
use tecnico::ledger::{Ledger, Which};

use super::items::{filed, found, sighted, told, with_technicians};
use super::{fixture, to_send};

fn to(url: &str, job_id: &str) -> NewEvent {
    NewEvent { url: url.into(), ..told(job_id) }
}

async fn due(ledger: &Ledger, now: i64) -> Vec<String> {
    to_send(ledger, now).await.into_iter().map(|e| e.event.job_id).collect()
}

#[tokio::test]
async fn a_failed_delivery_comes_due_again_under_the_same_id_until_it_is_dead() {
    let f = fixture().await;
    let id = f.ledger.add_event(&told("a"), 100).await.expect("adds");
    f.ledger.add_event(&told("b"), 100).await.expect("adds");
    assert_eq!(due(&f.ledger, 99).await, Vec::<String>::new());
    assert_eq!(due(&f.ledger, 100).await, ["a", "b"]);
    f.ledger.delivery_failed(&id, 5_000, "500 Internal Server Error").await.expect("records");
    assert_eq!(due(&f.ledger, 4_999).await, ["b"]);
    assert_eq!(due(&f.ledger, 5_000).await, ["a", "b"]);
    f.ledger.delivery_dead(&id, "given up", 6_000).await.expect("records");
    assert_eq!(due(&f.ledger, i64::MAX).await, ["b"]);
    let dead = f.ledger.event(&id).await.expect("reads").expect("is there");
    assert_eq!((dead.attempts, dead.dead_at, dead.last_error.as_deref()), (2, Some(6_000), Some("given up")));
    assert_eq!(f.ledger.revive(Some(&id), 7_000).await.expect("revives"), std::slice::from_ref(&id));
    let alive = to_send(&f.ledger, 7_000).await.remove(0);
    assert_eq!((alive.id.clone(), alive.attempts, alive.tries(), alive.event), (id.clone(), 0, 2, told("a")));
    f.ledger.delivered(&id, 8_000).await.expect("delivers");
    assert_eq!(f.ledger.undelivered_of(std::slice::from_ref(&id)).await.expect("counts"), 0);
    // Named, it is sent again although it was delivered; nothing else is.
    assert_eq!(f.ledger.revive(Some(&id), 9_000).await.expect("revives"), std::slice::from_ref(&id));
    let again = f.ledger.event(&id).await.expect("reads").expect("is there");
    assert_eq!((again.attempts, again.tries(), again.delivered_at), (0, 3, None));
    f.ledger.delivered(&id, 9_500).await.expect("delivers");
    assert_eq!(f.ledger.revive(Some(&EventId::stored("evt_none")), 9_000).await.expect("finds none"), []);
    let undelivered = f.ledger.events(Which::Undelivered, 10).await.expect("reads");
    assert_eq!(undelivered.iter().map(|e| e.event.job_id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert_eq!(f.ledger.events(Which::All, 10).await.expect("reads").len(), 2);
}

#[tokio::test]
async fn a_late_failure_does_not_undo_a_delivery() {
    let f = fixture().await;
    let id = f.ledger.add_event(&told("a"), 100).await.expect("adds");
    f.ledger.delivered(&id, 200).await.expect("delivers");
    f.ledger.delivery_failed(&id, 300, "timeout").await.expect("does nothing");
    f.ledger.delivery_dead(&id, "timeout", 300).await.expect("does nothing");
    f.ledger.delivered(&id, 400).await.expect("does nothing");
    let event = f.ledger.event(&id).await.expect("reads").expect("is there");
    assert_eq!((event.attempts, event.delivered_at, event.dead_at, event.last_error), (1, Some(200), None, None));
}

#[tokio::test]
async fn a_stopped_address_holds_its_own_events_and_no_others() {
    let f = fixture().await;
    let (gone, good) = ("https://gone.example.com/hook", "https://backend.example.com/hook");
    f.ledger.add_event(&to(gone, "a"), 1).await.expect("adds");
    f.ledger.add_event(&to(good, "b"), 1).await.expect("adds");
    f.ledger.stop_address(gone, "410 Gone", 2).await.expect("stops");
    f.ledger.stop_address(gone, "410 Gone", 3).await.expect("stops once");
    f.ledger.add_event(&to(gone, "c"), 4).await.expect("adds");
    assert_eq!(due(&f.ledger, 10).await, ["b"]);
    let stopped = f.ledger.stopped_addresses().await.expect("reads");
    assert_eq!(stopped.iter().map(|s| (s.url.as_str(), s.stopped_at)).collect::<Vec<_>>(), [(gone, 2)]);
    let counts = f.ledger.counts(10).await.expect("counts");
    assert_eq!((counts.undelivered, counts.held, counts.dead, counts.oldest_undelivered_at), (1, 2, 0, Some(1)));
    let b = to_send(&f.ledger, 10).await.remove(0).id;
    assert_eq!(f.ledger.revive(Some(&b), 20).await.expect("revives").len(), 1);
    assert_eq!(due(&f.ledger, 20).await, ["b"], "the other address stays stopped");
    assert_eq!(f.ledger.revive(None, 20).await.expect("revives").len(), 3);
    assert_eq!(due(&f.ledger, 20).await, ["a", "b", "c"]);
    assert!(f.ledger.stopped_addresses().await.expect("reads").is_empty());
}

#[tokio::test]
async fn the_counts_add_up() {
    let f = with_technicians().await;
    for file in ["a", "b", "c", "d", "e"] {
        found(&f.ledger, sighted("1", file, "v")).await;
    }
    let item = async |file: &str| f.ledger.items_of_file(file).await.expect("reads").remove(0);
    filed(&f.ledger, item("a").await, Verdict::Processado, None).await;
    filed(&f.ledger, item("b").await, Verdict::Erro, Some(&told("b"))).await;
    f.ledger.advance(&item("c").await, &Act::Wait { until: 900, reason: "later".into(), setback: None }, None, 50).await.expect("waits");
    f.ledger
        .advance(&item("d").await, &Act::Withdrawn { reason: "trashed".into(), local_path: None }, Some(&told("d")), 50)
        .await
        .expect("withdraws");
    let id = to_send(&f.ledger, 100).await.remove(0).id;
    f.ledger.delivery_dead(&id, "gone", 60).await.expect("records");
    let counts = f.ledger.counts(100).await.expect("counts");
    let by_state = State::ALL.map(|s| counts.in_state(s));
    assert_eq!(by_state, [2, 0, 0, 1, 1, 1]);
    assert_eq!((counts.open(), counts.waiting, counts.refused, counts.oldest_open_at), (2, 1, 1, Some(10)));
    assert_eq!((counts.undelivered, counts.held, counts.dead), (1, 0, 1));
    assert_eq!(f.ledger.counts(900).await.expect("counts").waiting, 0);
}

#[tokio::test]
async fn a_failed_cycle_does_not_hide_when_the_last_good_one_was() {
    let f = fixture().await;
    assert_eq!(f.ledger.last_cycle().await.expect("reads"), None);
    f.ledger.cycle_ended(10, 20, None).await.expect("records");
    f.ledger.cycle_ended(30, 40, Some("Drive is unreachable")).await.expect("records");
    let last = f.ledger.last_cycle().await.expect("reads").expect("is there");
    assert_eq!((last.started_at, last.ended_at, last.succeeded_at), (30, 40, Some(20)));
    assert_eq!(last.failure.as_deref(), Some("Drive is unreachable"));
    f.ledger.cycle_ended(50, 60, None).await.expect("records");
    let last = f.ledger.last_cycle().await.expect("reads").expect("is there");
    assert_eq!((last.succeeded_at, last.failure), (Some(60), None));
}
