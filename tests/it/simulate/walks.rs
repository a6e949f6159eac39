//! The random walk: any sequence of users' acts, faults and deaths of the agent leaves the promise kept.
//!
//! `scripts/simulate --seeds 20000` walks more of them, `scripts/simulate --seed N` one of them again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::stage::Host;
use super::{number, tell, walk};

/// Most of a walk is waiting: for a backoff, for a time limit.
const SIDE_BY_SIDE: u64 = 12;

#[test]
fn the_promise_is_kept_whatever_happens() {
    let one = number("TECNICO_SIM_SEED");
    let from = one.or(number("TECNICO_SIM_FROM")).unwrap_or(1);
    let seeds = if one.is_some() { 1 } else { number("TECNICO_SIM_SEEDS").unwrap_or(500) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (next, kills, cycles, failed) = (AtomicU64::new(from), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..number("TECNICO_SIM_JOBS").unwrap_or(SIDE_BY_SIDE).min(seeds) {
            scope.spawn(|| {
                let host = Host::start(runtime.handle()).expect("a Drive");
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        break;
                    }
                    match walk::walk(&host, seed) {
                        Ok(walked) => {
                            kills.fetch_add(u64::from(walked.kills), Ordering::Relaxed);
                            cycles.fetch_add(u64::from(walked.cycles), Ordering::Relaxed);
                            if one.is_some() || !walked.broken.is_empty() {
                                tell(&told(seed, &walked));
                            }
                            failed.fetch_add(u64::from(!walked.broken.is_empty()), Ordering::Relaxed);
                        }
                        Err(error) => {
                            tell(&format!("== seed {seed} broke off: {error:#}"));
                            failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let (cycles, kills, failed) = (cycles.into_inner(), kills.into_inner(), failed.into_inner());
    tell(&format!("{seeds} seeds from {from}: {cycles} cycles, {kills} killed, {failed} seeds failed, {:.0?}", began.elapsed()));
    assert_eq!(failed, 0, "replay one with scripts/simulate --seed N");
}

/// A walk, for somebody who wants to know what went wrong.
fn told(seed: u64, walked: &walk::Walked) -> String {
    let line = |line: &String| line.chars().take(300).collect::<String>();
    let history: Vec<String> = walked.history.iter().map(line).collect();
    let broken: Vec<String> = walked.broken.iter().map(|b| format!("  broken: {b}")).collect();
    format!("== seed {seed}\n{}\n{}", history.join("\n"), broken.join("\n"))
}
