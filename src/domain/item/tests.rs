use std::collections::{HashSet, VecDeque};

use proptest::prelude::*;

use super::*;

fn sighted() -> Sighted {
    Sighted {
        user: UserId::parse("42").expect("a usable id"),
        key: ItemKey { file_id: "f1".into(), version: "v1".into() },
        name: "16517189.pdf".into(),
        mime_type: "application/pdf".into(),
        size: Some(10),
        md5: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
        parent_id: "novos".into(),
        below: String::new(),
        not_before: 5,
    }
}

fn judged(verdict: Verdict) -> Act {
    Act::Judged { verdict, reason: (verdict == Verdict::Erro).then(|| "sem assinatura".into()), data: None, note: None, local_path: None }
}

/// One of each kind of act.
fn acts() -> Vec<Act> {
    vec![
        Act::Fetched { local_path: "pdfs/novos/16517189.pdf".into(), copied_at: 7 },
        judged(Verdict::Processado),
        judged(Verdict::Erro),
        Act::Filed { local_path: None },
        Act::FiledBefore { verdict: Verdict::Processado, reason: None, local_path: None },
        Act::FiledBefore { verdict: Verdict::Erro, reason: Some("sem assinatura".into()), local_path: None },
        Act::Withdrawn { reason: "trashed".into(), local_path: None },
        Act::Reported { note: "evt_1".into() },
        Act::Wait { until: 1000, reason: "rate limit".into(), setback: None },
        Act::Interrupted { until: 1500, reason: "sinal 9".into() },
        Act::Missed { until: 2000, reason: "not found on Drive".into() },
        Act::Asked { by: "asked for".into() },
        Act::Refetch { reason: "the local file is gone".into() },
        Act::Retry,
        Act::Returned,
    ]
}

fn reachable() -> HashSet<Standing> {
    let mut seen = HashSet::from([Standing::START]);
    let mut queue = VecDeque::from([Standing::START]);
    while let Some(standing) = queue.pop_front() {
        for next in acts().iter().filter_map(|act| standing.after(act).ok()) {
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
    }
    seen
}

#[test]
fn every_state_has_the_outcomes_it_can_have_and_no_other() {
    use Outcome::{Erro, Processado, Retirado};
    let mut expected = HashSet::new();
    for (state, outcomes) in [
        (State::Found, vec![None]),
        (State::Fetched, vec![None]),
        (State::Judged, vec![Some(Processado), Some(Erro)]),
        (State::Filed, vec![Some(Processado), Some(Erro)]),
        (State::Withdrawn, vec![Some(Retirado)]),
        (State::Reported, vec![Some(Processado), Some(Erro), Some(Retirado)]),
    ] {
        expected.extend(outcomes.into_iter().map(|outcome| Standing { state, outcome }));
    }
    assert_eq!(reachable(), expected);
}

#[test]
fn from_everywhere_the_end_can_be_reached_without_anybody_asking() {
    let forward: Vec<Act> = acts().into_iter().filter(|a| !matches!(a, Act::Retry | Act::Returned | Act::Withdrawn { .. })).collect();
    for start in reachable() {
        let mut here = HashSet::from([start]);
        for _ in 0..6 {
            let next: Vec<Standing> = here.iter().flat_map(|s| forward.iter().filter_map(|a| s.after(a).ok())).collect();
            here.extend(next);
        }
        assert!(here.iter().any(|s| s.state == State::Reported), "stuck at {start:?}");
    }
}

#[test]
fn nothing_is_accepted_unread_and_only_a_refusal_is_retried() {
    assert!(Standing::START.after(&judged(Verdict::Processado)).is_err());
    for standing in reachable() {
        assert_eq!(
            standing.after(&Act::Retry).is_ok(),
            standing.outcome == Some(Outcome::Erro) && standing.state != State::Judged,
            "{standing:?}"
        );
    }
}

#[test]
fn the_id_follows_from_the_key_alone() {
    let key = |file_id: &str, version: &str| ItemKey { file_id: file_id.into(), version: version.into() }.item_id();
    assert_eq!(key("f1", "v1"), key("f1", "v1"));
    assert_eq!(HashSet::from([key("f1", "v1"), key("f1", "v2"), key("f1v", "1"), key("f2", "v1")]).len(), 4);
    assert_eq!(key("f1", "v1").len(), "item_".len() + 32);
}

#[test]
fn the_words_are_read_back() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
    for outcome in [Outcome::Processado, Outcome::Erro, Outcome::Retirado] {
        assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
    }
}

#[test]
fn a_rename_is_noticed_once() {
    let mut item = Item::new(sighted(), 1, 1);
    let renamed = Sighted { name: "16517190.pdf".into(), ..sighted() };
    assert!(item.see_again(&renamed).is_some_and(|note| note.contains("16517190.pdf")));
    assert_eq!(item.see_again(&renamed), None);
    item.apply(&Act::Missed { until: 9, reason: "not found".into() }, 3).expect("legal");
    assert_eq!((item.missing_since, item.see_again(&renamed).as_deref()), (Some(3), Some("seen on Drive again")));
    assert_eq!((item.missing_since, item.see_again(&renamed)), (None, None));
    let corrected = Sighted { md5: Some("0cc175b9c0f1b6a831c399e269772661".into()), ..renamed.clone() };
    assert!(item.see_again(&corrected).is_some_and(|note| note.contains("checksum")));
    assert_eq!(item.sighted.md5, corrected.md5);
    item.apply(&Act::Fetched { local_path: "pdfs/novos/16517190.pdf".into(), copied_at: 4 }, 4).expect("legal");
    assert_eq!((item.see_again(&renamed), item.sighted.md5.clone()), (None, corrected.md5), "the content fitted");
}

proptest! {
    /// Any walk: a refused act changes nothing; an allowed one keeps what must always hold.
    #[test]
    fn any_walk_keeps_the_promises(walk in prop::collection::vec(prop::sample::select(acts()), 0..60)) {
        let mut item = Item::new(sighted(), 1, 1);
        let mut filed_as = None;
        for (now, act) in (10i64..).zip(walk) {
            let before = item.clone();
            if let Err(illegal) = item.apply(&act, now) {
                prop_assert_eq!(&item, &before);
                prop_assert_eq!(illegal.from, before.standing.state);
                continue;
            }
            let (from, to) = (before.standing, item.standing);
            // Only what was filed or taken back is ever reported, and as what it was.
            if to.state == State::Reported {
                prop_assert!(matches!(from.state, State::Filed | State::Withdrawn));
                prop_assert_eq!(to.outcome, from.outcome);
            }
            // An outcome is known from the verdict on, and filing does not change it.
            prop_assert_eq!(to.outcome.is_none(), matches!(to.state, State::Found | State::Fetched));
            if to.state == State::Filed {
                filed_as = to.outcome;
                let as_drive_says = matches!(act, Act::FiledBefore { .. });
                prop_assert!(as_drive_says || to.outcome == from.outcome);
            }
            if to.state == State::Reported && from.state == State::Filed {
                prop_assert_eq!(to.outcome, filed_as);
            }
            // A new attempt begins only by request, by return, or when the processor was asked and has not decided.
            let asked = matches!(act, Act::Wait { .. } | Act::Interrupted { .. }) && from.state == State::Fetched;
            let again = matches!(act, Act::Retry | Act::Returned) || asked;
            prop_assert_eq!(item.attempt, before.attempt + u32::from(again));
            // Signals are counted by themselves, until there is a verdict.
            let interrupted = before.interruptions + u32::from(matches!(act, Act::Interrupted { .. }));
            prop_assert_eq!(item.interruptions, if matches!(act, Act::Judged { .. }) { 0 } else { interrupted });
            // Waiting keeps the state; every other act ends the wait.
            if let Act::Missed { until, .. } = act {
                prop_assert_eq!(from, to);
                prop_assert_eq!((item.next_attempt_at, item.waits), (until, before.waits));
                prop_assert_eq!(item.missing_since, Some(before.missing_since.unwrap_or(now)));
            } else if let Act::Wait { until, .. } | Act::Interrupted { until, .. } = act {
                prop_assert_eq!(from, to);
                prop_assert_eq!((item.next_attempt_at, item.waits), (until, before.waits + 1));
            } else if let Act::Asked { .. } = act {
                prop_assert_eq!(from, to);
                prop_assert_eq!((item.next_attempt_at, item.waits, item.missing_since), (now, 0, before.missing_since));
            } else {
                prop_assert_eq!((item.next_attempt_at, item.waits, item.missing_since), (now, 0, None));
            }
            // Who the item is never changes.
            prop_assert_eq!((&item.id, &item.sighted, item.seq, item.found_at), (&before.id, &before.sighted, before.seq, before.found_at));
        }
    }
}
