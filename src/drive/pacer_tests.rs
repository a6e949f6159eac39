//! The lane against servers with a ceiling, in a world where time is a number.

use super::*;

/// Something that lets calls pass or not.
trait Server {
    fn lets_pass(&mut self, now: Duration) -> bool;
}

/// So many in each window of a fixed grid.
struct Grid {
    window: Duration,
    most: u32,
    at: u128,
    used: u32,
}

impl Server for Grid {
    fn lets_pass(&mut self, now: Duration) -> bool {
        let at = now.as_nanos() / self.window.as_nanos();
        if at != self.at {
            (self.at, self.used) = (at, 0);
        }
        self.used += 1;
        self.used <= self.most
    }
}

/// A bucket that refills evenly.
struct Bucket {
    rate: f64,
    size: f64,
    level: f64,
    at: Duration,
}

impl Server for Bucket {
    fn lets_pass(&mut self, now: Duration) -> bool {
        self.level = (self.level + now.saturating_sub(self.at).as_secs_f64() * self.rate).min(self.size);
        self.at = now;
        let pass = self.level >= 1.0;
        if pass {
            self.level -= 1.0;
        }
        pass
    }
}

/// So many in any window of this length, as a server counts that looks back.
struct Sliding {
    window: Duration,
    most: usize,
    passed: std::collections::VecDeque<Duration>,
}

impl Server for Sliding {
    fn lets_pass(&mut self, now: Duration) -> bool {
        while self.passed.front().is_some_and(|at| *at + self.window <= now) {
            self.passed.pop_front();
        }
        let pass = self.passed.len() < self.most;
        if pass {
            self.passed.push_back(now);
        }
        pass
    }
}

/// Refuses one in fifty whatever the rate.
struct Dice(u64);

impl Server for Dice {
    fn lets_pass(&mut self, _: Duration) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        !(self.0 >> 33).is_multiple_of(50)
    }
}

struct Outcome {
    passed: f64,
    refused: f64,
}

/// `workers` callers with a given latency hammer the server from zero to `end`; counts what happened after `from`.
fn run(lane: &mut Lane, server: &mut dyn Server, workers: usize, latency: Duration, from: u64, end: u64) -> Outcome {
    let mut outcome = Outcome { passed: 0.0, refused: 0.0 };
    // (time, worker, began): began is set while the call is under way. Refused callers come back after half a second.
    let mut events: std::collections::BTreeSet<(Duration, usize, Option<Duration>)> =
        (0..workers).map(|w| (Duration::ZERO, w, None)).collect();
    while let Some((now, worker, began)) = events.pop_first() {
        if now.as_secs() >= end {
            break;
        }
        let Some(began) = began else {
            // Timers are late by up to a millisecond, never early.
            let late = Duration::from_micros(((worker as u64 * 397) + u64::from(now.subsec_nanos()) / 7) % 1000);
            match lane.enter(now) {
                Gate::Go => events.insert((now + latency, worker, Some(now))),
                Gate::Wait(wait) => events.insert((now + wait + late, worker, None)),
            };
            continue;
        };
        let pass = server.lets_pass(now);
        if now.as_secs() >= from {
            if pass { outcome.passed += 1.0 } else { outcome.refused += 1.0 }
        }
        if pass {
            lane.accepted(now);
            events.insert((now, worker, None));
        } else {
            lane.refused(now, began, None);
            events.insert((now + Duration::from_millis(500), worker, None));
        }
    }
    outcome
}

fn assert_steady(name: &str, mut server: impl Server, ceiling: f64) {
    let mut lane = Lane::new(2.0);
    let (from, end) = (180_u32, 480_u32);
    let o = run(&mut lane, &mut server, 8, Duration::from_millis(20), from.into(), end.into());
    let reached = o.passed / f64::from(end - from) / ceiling;
    let refused = o.refused / (o.passed + o.refused);
    assert!(reached >= 0.95 && refused < 0.01, "{name}: reached {:.1} %, refused {:.2} %", reached * 100.0, refused * 100.0);
}

fn grid(window: u64, most: u32) -> Grid {
    Grid { window: Duration::from_secs(window), most, at: 0, used: 0 }
}

fn sliding(window: u64, most: u32) -> Sliding {
    Sliding { window: Duration::from_secs(window), most: most as usize, passed: std::collections::VecDeque::new() }
}

#[test]
fn reaches_an_enforced_ceiling_and_is_hardly_refused() {
    for rate in [3, 5, 10, 20, 100] {
        assert_steady(&format!("{rate} each second"), grid(1, rate), f64::from(rate));
        let bucket = Bucket { rate: f64::from(rate), size: f64::from(rate), level: f64::from(rate), at: Duration::ZERO };
        assert_steady(&format!("a bucket of {rate}"), bucket, f64::from(rate));
    }
    for rate in [3, 10, 100] {
        assert_steady(&format!("{rate} in any second"), sliding(1, rate), f64::from(rate));
    }
    for most in [60, 600, 3000] {
        assert_steady(&format!("{most} each minute"), grid(60, most), f64::from(most) / 60.0);
        assert_steady(&format!("{most} in any minute"), sliding(60, most), f64::from(most) / 60.0);
    }
}

#[test]
fn a_minute_is_enough_to_find_a_ceiling() {
    for rate in [3, 10, 100] {
        let mut lane = Lane::new(2.0);
        let o = run(&mut lane, &mut sliding(1, rate), 16, Duration::from_millis(27), 60, 180);
        let reached = o.passed / 120.0 / f64::from(rate);
        let refused = o.refused / (o.passed + o.refused);
        assert!(reached >= 0.95 && refused < 0.01, "{rate} in any second: {:.1} %, refused {:.2} %", reached * 100.0, refused * 100.0);
    }
}

#[test]
fn a_small_run_never_waits() {
    let mut lane = Lane::new(2.0);
    for _ in 0..500 {
        assert_eq!(lane.enter(Duration::ZERO), Gate::Go);
        lane.accepted(Duration::ZERO);
    }
}

#[test]
fn scattered_refusals_do_not_strangle_the_run() {
    let mut lane = Lane::new(2.0);
    let o = run(&mut lane, &mut Dice(7), 8, Duration::from_millis(50), 0, 10);
    assert!(o.passed > 500.0, "only {} calls in ten seconds", o.passed);
}

#[test]
fn retry_after_is_waited_for() {
    let mut lane = Lane::new(2.0);
    lane.accepted(Duration::ZERO);
    lane.refused(Duration::from_secs(1), Duration::ZERO, Some(Duration::from_secs(30)));
    assert_eq!(lane.enter(Duration::from_secs(2)), Gate::Wait(Duration::from_secs(29)));
    assert_eq!(lane.enter(Duration::from_secs(31)), Gate::Go);
}

#[test]
fn a_server_that_refuses_everything_is_only_looked_at_now_and_then() {
    struct Never;
    impl Server for Never {
        fn lets_pass(&mut self, _: Duration) -> bool {
            false
        }
    }
    let mut lane = Lane::new(10.0);
    let o = run(&mut lane, &mut Never, 8, Duration::from_millis(20), 0, 120);
    assert!(o.refused < 60.0, "{} calls in two minutes of refusals", o.refused);
    // And when it recovers, so does the lane.
    let mut lane = Lane::new(10.0);
    run(&mut lane, &mut Never, 8, Duration::from_millis(20), 0, 30);
    lane.accepted(Duration::from_mins(1));
    assert_eq!(lane.enter(Duration::from_mins(1)), Gate::Go);
}
