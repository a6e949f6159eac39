//! Items: seen once however often they are seen, one step at a time, and every step on record.

use proptest::prelude::*;
use tecnico::domain::event::{EventKind, NewEvent};
use tecnico::domain::item::{Act, Item, ItemKey, Outcome, Sighted, State, Verdict};
use tecnico::error::Exit;
use tecnico::ledger::{Intake, Ledger, Order, Source};

use super::{Fixture, fixture, to_send, user, wanted};

const OPEN: [State; 3] = [State::Found, State::Fetched, State::Judged];

pub fn sighted(who: &str, file_id: &str, version: &str) -> Sighted {
    Sighted {
        user: user(who),
        key: ItemKey { file_id: file_id.into(), version: version.into() },
        name: format!("{file_id}.pdf"),
        mime_type: "application/pdf".into(),
        size: Some(3_000_000_000),
        md5: Some("0cc175b9c0f1b6a831c399e269772661".into()),
        parent_id: "novos".into(),
        below: String::new(),
        not_before: 0,
    }
}

pub fn told(job_id: &str) -> NewEvent {
    NewEvent {
        kind: EventKind::Process,
        user: user("1"),
        job_id: job_id.into(),
        url: "https://backend.example.com/api/callbacks/process".into(),
        by_caller: false,
        payload: r#"{"status":"success"}"#.into(),
    }
}

pub async fn with_technicians() -> Fixture {
    let f = fixture().await;
    for (id, folder) in [("1", "Ana_Maria"), ("2", "João_Silva")] {
        f.ledger.reserve(&user(id), &wanted(folder), &[].into(), 1).await.expect("reserves");
    }
    f
}

/// One sighting taken in.
pub async fn found(ledger: &Ledger, seen: Sighted) -> Item {
    match ledger.found(&[seen], Source::Glance, 10).await.expect("takes in").remove(0) {
        Intake::New(item) | Intake::Open(item) | Intake::Ended(item) => item,
    }
}

/// From found to filed, told by `event`.
pub async fn filed(ledger: &Ledger, item: Item, verdict: Verdict, event: Option<&NewEvent>) -> Item {
    let item =
        ledger.advance(&item, &Act::Fetched { local_path: "pdfs/novos/x.pdf".into(), copied_at: 19 }, None, 20).await.expect("fetched");
    let reason = (verdict == Verdict::Erro).then(|| "sem assinatura".to_owned());
    let act = Act::Judged { verdict, reason, data: Some(r#"{"os":16517189}"#.into()), note: None, local_path: None };
    let item = ledger.advance(&item, &act, None, 30).await.expect("judged");
    ledger.advance(&item, &Act::Filed { local_path: Some("pdfs/erro/x.pdf".into()) }, event, 40).await.expect("filed")
}

fn names(items: &[Item]) -> Vec<&str> {
    items.iter().map(|i| i.sighted.key.file_id.as_str()).collect()
}

#[tokio::test]
async fn a_page_and_its_token_are_recorded_together_or_not_at_all() {
    let f = with_technicians().await;
    let page = [sighted("1", "a", "v1"), sighted("2", "b", "v1")];
    let first = f.ledger.found(&page, Source::Feed { feed: "user", token: "100" }, 10).await.expect("takes in");
    assert!(first.iter().all(|i| matches!(i, Intake::New(_))));
    assert_eq!(f.ledger.feed_token("user").await.expect("reads").as_deref(), Some("100"));
    // The second entry belongs to nobody the ledger knows, so the whole page fails.
    let bad = [sighted("1", "c", "v1"), sighted("stranger", "d", "v1")];
    f.ledger.found(&bad, Source::Feed { feed: "user", token: "200" }, 11).await.expect_err("is refused");
    assert_eq!(f.ledger.feed_token("user").await.expect("reads").as_deref(), Some("100"));
    assert_eq!(names(&f.ledger.open_items(None).await.expect("reads")), ["a", "b"]);
    f.ledger.restart_feed("user", "300", 12).await.expect("restarts");
    assert_eq!(f.ledger.feed_token("user").await.expect("reads").as_deref(), Some("300"));
    assert_eq!(f.ledger.unlisted_since(1, 10, i64::MAX).await.expect("reads").len(), 2, "everything is to be listed anew");
}

#[tokio::test]
async fn a_feed_that_repeats_itself_makes_nothing_twice() {
    let f = with_technicians().await;
    let first = found(&f.ledger, sighted("1", "a", "v1")).await;
    assert_eq!(f.ledger.item(&first.id).await.expect("reads"), Some(first.clone()), "read back as it was made");
    let twice = [sighted("1", "a", "v1"), sighted("1", "a", "v1"), sighted("1", "a", "v2")];
    let taken = f.ledger.found(&twice, Source::Feed { feed: "user", token: "1" }, 11).await.expect("takes in");
    assert_eq!(taken[..2], [Intake::Open(first.clone()), Intake::Open(first.clone())]);
    assert!(matches!(&taken[2], Intake::New(second) if second.id != first.id && second.seq > first.seq));
    assert_eq!(f.ledger.items_of_file("a").await.expect("reads").len(), 2);
    assert_eq!(f.ledger.history(&first.id).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn a_rename_is_noted_and_an_ended_item_is_left_alone() {
    let f = with_technicians().await;
    let item = found(&f.ledger, sighted("1", "a", "v1")).await;
    let renamed = found(&f.ledger, Sighted { name: "16517190.pdf".into(), ..sighted("1", "a", "v1") }).await;
    assert_eq!((renamed.sighted.name.as_str(), &renamed.id), ("16517190.pdf", &item.id));
    let ended = filed(&f.ledger, renamed, Verdict::Processado, None).await;
    let again = f.ledger.found(&[sighted("1", "a", "v1")], Source::Listing { user: &user("1") }, 50).await.expect("takes in");
    assert_eq!(again, [Intake::Ended(ended.clone())]);
    let back = f.ledger.advance(&ended, &Act::Returned, None, 60).await.expect("returns");
    assert_eq!((back.standing.state, back.attempt), (State::Found, 2));
    assert_eq!(f.ledger.items_called("16517190.pdf").await.expect("reads"), [back]);
}

#[tokio::test]
async fn without_a_backend_filing_is_the_end_and_with_one_delivery_is() {
    let f = with_technicians().await;
    let a = found(&f.ledger, sighted("1", "a", "v1")).await;
    let a = filed(&f.ledger, a, Verdict::Processado, None).await;
    assert_eq!(a.standing.state, State::Reported);
    let b = found(&f.ledger, sighted("1", "b", "v1")).await;
    let b = filed(&f.ledger, b, Verdict::Erro, Some(&told("job-b"))).await;
    assert_eq!((b.standing.state, b.standing.outcome), (State::Filed, Some(Outcome::Erro)));
    let event = to_send(&f.ledger, 40).await.remove(0);
    assert_eq!((b.event_id.as_deref(), &event.event), (Some(event.id.as_str()), &told("job-b")));
    for _ in 0..2 {
        f.ledger.delivered(&event.id, 50).await.expect("delivers");
    }
    let steps: Vec<_> = f.ledger.history(&b.id).await.expect("reads").into_iter().map(|l| (l.at, l.to.as_str(), l.note)).collect();
    let expected = [
        (10, "found", "b.pdf".to_owned()),
        (20, "fetched", "pdfs/novos/x.pdf".into()),
        (30, "judged", "erro: sem assinatura".into()),
        (40, "filed", "pdfs/erro/x.pdf".into()),
        (50, "reported", event.id.to_string()),
    ];
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn a_late_delivery_of_the_first_attempt_does_not_end_the_second() {
    let f = with_technicians().await;
    let item = found(&f.ledger, sighted("1", "a", "v1")).await;
    let refused = filed(&f.ledger, item, Verdict::Erro, Some(&told("first"))).await;
    assert_eq!(f.ledger.refused_items(Some(&user("1"))).await.expect("reads"), std::slice::from_ref(&refused));
    assert!(f.ledger.refused_items(Some(&user("2"))).await.expect("reads").is_empty());
    let again = f.ledger.advance(&refused, &Act::Retry, None, 50).await.expect("retries");
    assert_eq!((again.attempt, &again.event_id, &again.reason), (2, &None, &None));
    let second = filed(&f.ledger, again, Verdict::Processado, Some(&told("second"))).await;
    let due = to_send(&f.ledger, 100).await;
    assert_eq!(due.len(), 2, "both attempts are told, each under its own id");
    f.ledger.delivered(&due[0].id, 60).await.expect("delivers");
    assert_eq!(f.ledger.item(&second.id).await.expect("reads").map(|i| i.standing), Some(second.standing));
    f.ledger.delivered(&due[1].id, 61).await.expect("delivers");
    let end = f.ledger.item(&second.id).await.expect("reads").expect("is there");
    assert_eq!((end.standing.state, end.standing.outcome), (State::Reported, Some(Outcome::Processado)));
}

#[tokio::test]
async fn an_illegal_step_and_a_step_from_a_stale_reading_change_nothing() {
    let f = with_technicians().await;
    let item = found(&f.ledger, sighted("1", "a", "v1")).await;
    let illegal = f.ledger.advance(&item, &Act::Filed { local_path: None }, Some(&told("x")), 20).await.expect_err("illegal");
    assert_eq!((illegal.exit(), illegal.code()), (Exit::Bug, "illegal_step"));
    assert!(to_send(&f.ledger, 100).await.is_empty(), "no event for what did not happen");
    f.ledger.advance(&item, &Act::Withdrawn { reason: "trashed".into(), local_path: None }, Some(&told("y")), 20).await.expect("withdraws");
    let stale = f.ledger.advance(&item, &Act::Fetched { local_path: "x".into(), copied_at: 1 }, None, 21).await.expect_err("stale");
    assert_eq!((stale.exit(), stale.code()), (Exit::Later, "item_changed"));
    assert_eq!(f.ledger.history(&item.id).await.expect("reads").len(), 2);
}

#[tokio::test]
async fn due_keeps_the_order_of_arrival_and_waiting_holds_up_only_its_technician() {
    let f = with_technicians().await;
    let page =
        [sighted("1", "a", "v"), sighted("2", "x", "v"), sighted("1", "b", "v"), Sighted { not_before: 500, ..sighted("2", "y", "v") }];
    f.ledger.found(&page, Source::Feed { feed: "user", token: "1" }, 10).await.expect("takes in");
    let due = async |now, limit, order| f.ledger.due(now, limit, order, &OPEN).await.expect("reads");
    assert_eq!(names(&due(100, 10, Order::Any).await), ["a", "x", "b"]);
    assert_eq!(names(&due(100, 2, Order::Any).await), ["a", "x"]);
    assert_eq!(names(&due(500, 10, Order::PerTechnician).await), ["a", "x"]);
    let a = due(100, 1, Order::Any).await.remove(0);
    let a = f.ledger.advance(&a, &Act::Wait { until: 1000, reason: "rate limit".into(), setback: None }, None, 100).await.expect("waits");
    assert_eq!((a.waits, a.reason.as_deref()), (1, Some("rate limit")));
    assert_eq!(names(&due(500, 10, Order::Any).await), ["x", "b", "y"]);
    assert_eq!(names(&due(500, 10, Order::PerTechnician).await), ["x"]);
    assert_eq!(names(&due(1000, 10, Order::PerTechnician).await), ["a", "x"]);
    assert!(f.ledger.due(5000, 10, Order::Any, &[State::Judged]).await.expect("reads").is_empty());
    filed(&f.ledger, a, Verdict::Processado, Some(&told("a"))).await;
    assert_eq!(names(&due(1000, 10, Order::PerTechnician).await), ["x", "b"]);
}

#[tokio::test]
async fn listings_come_round_in_turn() {
    let f = with_technicians().await;
    assert_eq!(f.ledger.unlisted_since(100, 10, i64::MAX).await.expect("reads"), [user("1"), user("2")]);
    f.ledger.found(&[], Source::Listing { user: &user("1") }, 60).await.expect("records");
    assert_eq!(f.ledger.unlisted_since(100, 10, i64::MAX).await.expect("reads"), [user("2"), user("1")]);
    assert_eq!(f.ledger.unlisted_since(60, 10, i64::MAX).await.expect("reads"), [user("2")]);
}

fn acts() -> Vec<Act> {
    vec![
        Act::Fetched { local_path: "x".into(), copied_at: 1 },
        Act::Judged { verdict: Verdict::Processado, reason: None, data: Some("{}".into()), note: None, local_path: None },
        Act::Judged { verdict: Verdict::Erro, reason: Some("sem assinatura".into()), data: None, note: None, local_path: None },
        Act::Filed { local_path: Some("y".into()) },
        Act::Withdrawn { reason: "trashed".into(), local_path: None },
        Act::Wait { until: 7, reason: "rate limit".into(), setback: None },
        Act::Interrupted { until: 8, reason: "sinal 9".into() },
        Act::Refetch { reason: "gone".into() },
        Act::Retry,
        Act::Returned,
    ]
}

async fn walk_and_check(walk: Vec<(Act, bool)>) {
    let f = with_technicians().await;
    let mut item = found(&f.ledger, sighted("1", "a", "v1")).await;
    let mut ended = 0;
    for (now, (act, deliver)) in (100i64..).zip(walk) {
        let event = matches!(act, Act::Filed { .. } | Act::Withdrawn { .. }).then(|| told(&format!("job-{now}")));
        match f.ledger.advance(&item, &act, event.as_ref(), now).await {
            Ok(next) => {
                ended += usize::from(event.is_some());
                item = next;
            }
            Err(refused) => assert_eq!(refused.code(), "illegal_step"),
        }
        if deliver && let Some(event) = to_send(&f.ledger, i64::MAX).await.into_iter().next() {
            f.ledger.delivered(&event.id, now).await.expect("delivers");
            item = f.ledger.item(&item.id).await.expect("reads").expect("is there");
        }
        assert_eq!(f.ledger.item(&item.id).await.expect("reads").as_ref(), Some(&item), "stored as it was given back");
    }
    let all = f.ledger.events(tecnico::ledger::Which::All, 1000).await.expect("reads");
    assert_eq!(all.len(), ended, "one event for each end, and none for anything else");
    let history = f.ledger.history(&item.id).await.expect("reads");
    assert!(history.windows(2).all(|w| w[1].from == Some(w[0].to)), "an unbroken chain: {history:?}");
    assert_eq!(history.last().map(|l| l.to), Some(item.standing.state));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Any walk through the ledger: what is stored is what the rules say, with an unbroken history and one
    /// event an end.
    #[test]
    fn any_walk_is_on_record(walk in prop::collection::vec((prop::sample::select(acts()), any::<bool>()), 0..40)) {
        tokio::runtime::Runtime::new().expect("a runtime").block_on(walk_and_check(walk));
    }
}
