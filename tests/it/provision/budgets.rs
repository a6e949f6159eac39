//! What a creation may cost: calls, calls in sequence, writes, tokens.

use std::time::Duration;

use super::support::{ANA, longest_sequence};
use crate::support::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_costs_eight_calls_five_in_sequence_and_a_second_one_no_write() {
    let world = World::new().await;
    world.control().set_latency(Duration::from_millis(150));
    let first = world.json(0, &ANA).await;
    let calls: Vec<_> = world.control().requests().into_iter().filter(|r| r.op != "token").collect();
    let ops: Vec<&str> = calls.iter().map(|c| c.op).collect();
    assert!(calls.len() <= 8, "{ops:?}");
    assert_eq!(first["drive"]["calls"], calls.len(), "what it says it cost");
    assert_eq!(longest_sequence(&calls), 5, "{calls:#?}");
    assert!(calls.iter().all(|c| c.took_ms >= 150), "without latency the sequence proves nothing");

    world.control().clear_requests();
    let second = world.json(0, &ANA).await;
    assert_eq!((second["status"].as_str(), second["drive"]["writes"].as_u64()), (Some("unchanged"), Some(0)));
    let ops: Vec<&str> = world.control().requests().iter().map(|c| c.op).collect();
    assert_eq!(ops, ["files.list"], "a rerun looks once");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_runs_in_a_row_ask_for_one_token() {
    let world = World::new().await;
    for user in 0..10 {
        world.json(0, &["create", &user.to_string()]).await;
    }
    assert_eq!(world.control().counts()["token"], 1);
    let cache = world.path("cache");
    for file in std::fs::read_dir(cache).expect("the cache").map(|f| f.expect("a file")) {
        use std::os::unix::fs::PermissionsExt;
        let facts = file.metadata().expect("its facts");
        let wanted = if facts.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(facts.permissions().mode() & 0o777, wanted, "{}", file.path().display());
    }
}

/// 40 new technicians, and then 40 more beside those: the average must not hide a dear first run.
#[tokio::test(flavor = "multi_thread")]
async fn in_bulk_a_technician_costs_six_calls() {
    let world = World::new().await;
    for batch in 0..2 {
        let rows: Vec<String> = (0..40).map(|n| format!("u{batch}-{n},u{batch}-{n}@example.com,Technician {batch} {n}")).collect();
        std::fs::write(world.path("t.csv"), format!("user,email,name\n{}", rows.join("\n"))).expect("written");
        let csv = world.path("t.csv").display().to_string();
        let done = world.json(0, &["create", "--from", &csv]).await;
        assert_eq!((done["created"].as_u64(), done["failed"].as_u64()), (Some(40), Some(0)), "{done}");
        let calls = done["drive"]["calls"].as_u64().expect("calls");
        assert!(calls * 10 <= 40 * 61, "{calls} calls for 40 technicians");

        world.control().clear_requests();
        let again = world.json(0, &["create", "--from", &csv]).await;
        assert_eq!((again["unchanged"].as_u64(), again["drive"]["writes"].as_u64()), (Some(40), Some(0)), "{again}");
        assert_eq!(again["drive"]["calls"], 2, "twenty technicians a look: {:#?}", world.control().requests());
    }
    assert_eq!(world.registry().as_array().map(Vec::len), Some(80));
}
