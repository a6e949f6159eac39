//! Many technicians from a CSV file: slow lines, interruptions, faults.

use std::time::{Duration, Instant};

use drive_emulator::control::{Effect, Fault, Status, When};

use super::support::{grants, kill, start};
use crate::support::waiting::until;
use crate::support::world::World;

/// A CSV file of `n` technicians with names that occur.
fn csv(world: &World, n: usize) -> String {
    let rows: Vec<String> = (0..n).map(|i| format!("{i},t{i}@example.com,João Silva {i},portal{i}")).collect();
    std::fs::write(world.path("t.csv"), format!("user,email,name,portal_user\n{}\n", rows.join("\n"))).expect("written");
    world.path("t.csv").display().to_string()
}

/// `n` whole trees, each shared with its technician, each once in `tecnicos.json`.
#[track_caller]
fn all_there(world: &World, n: usize) {
    let tree = world.drive_tree();
    assert_eq!(tree.len(), 5 * n);
    for i in 0..n {
        let novos = &tree[&format!("João_Silva_{i}/pdfs/novos")];
        let mail = format!("t{i}@example.com writer");
        assert_eq!(grants(world, novos).into_iter().filter(|g| *g == mail).count(), 1, "{i}");
    }
    let registry = world.registry();
    let mut ids: Vec<&str> = registry.as_array().expect("an array").iter().filter_map(|e| e["pasta_drive_id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n);
    assert_eq!(registry.as_array().map(Vec::len), Some(n));
}

/// A number from 1 to `most` that is another each day; `TECNICO_TEST_SEED` brings one back.
fn seeded(most: u64) -> (u64, u64) {
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs() / 86_400;
    let seed = std::env::var("TECNICO_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(today);
    // Knuth's multiplicative hash: neighbouring seeds fall far apart.
    (seed, 1 + seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) % most)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_interrupted_at_a_random_point_and_run_again() {
    let world = World::new().await;
    let csv = csv(&world, 200);
    world.control().set_latency(Duration::from_millis(50));
    let (seed, stop) = seeded(1100);
    let begun = Instant::now();
    let child = start(&world, &["create", "--from", &csv]);
    until("calls before the interruption", || world.control().calls() >= stop).await;
    kill(child);
    let (first, first_calls) = (begun.elapsed(), world.control().calls());

    let begun = Instant::now();
    let second = world.json(0, &["create", "--from", &csv]).await;
    all_there(&world, 200);
    assert_eq!(second["failed"], 0);
    // Cargo shows this when the test is run with --nocapture.
    let report = format!(
        "200 technicians at 50 ms: killed after {first_calls} calls and {:.1} s (seed {seed}), the rerun took {} calls and {:.1} s\n",
        first.as_secs_f64(),
        second["drive"]["calls"],
        begun.elapsed().as_secs_f64()
    );
    std::io::Write::write_all(&mut std::io::stderr(), report.as_bytes()).expect("printed");
    assert!(first_calls >= stop && stop <= 1100);
    let third = world.json(0, &["create", "--from", &csv]).await;
    assert_eq!((third["unchanged"].as_u64(), third["drive"]["writes"].as_u64()), (Some(200), Some(0)));
}

/// The old system made 76 of these right, 16 twice, and failed 6.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_through_faults_are_all_there_once_after_one_rerun() {
    let world = World::new().await;
    let csv = csv(&world, 100);
    let control = world.control();
    let some = |seed| When::Probability { probability: 0.02, seed };
    control.fault(Fault::new(Effect::Status(Status::new(503, "backendError"))).when(some(1))).expect("a rule that can strike");
    control.fault(Fault::new(Effect::Status(Status::new(403, "userRateLimitExceeded"))).when(some(2))).expect("a rule that can strike");
    control.fault(Fault::new(Effect::LostAfterCommit).op("files.create").when(some(3))).expect("a rule that can strike");
    world.run(&["create", "--from", &csv]).await;
    let second = world.json(0, &["create", "--from", &csv]).await;
    assert_eq!(second["failed"], 0, "{second}");
    all_there(&world, 100);
    let struck: Vec<u64> = control.gate().faults().iter().map(|f| f.struck).collect();
    assert!(struck.iter().all(|n| *n > 0), "every fault occurred: {struck:?}");
}
