//! What Drive allows where that is known: so many calls in any minute, so many writes in any second. Who keeps within it is
//! not refused at all; the pacer finds what nobody knows.

use std::collections::VecDeque;
use std::time::Duration;

use super::call::Cost;

/// How soon to ask again when all that is allowed is under way.
const SOON: Duration = Duration::from_millis(5);

/// The allowances of the process.
#[derive(Debug)]
pub(super) struct Allowances {
    calls: Option<Window>,
    writes: Option<Window>,
}

/// At most so many calls in any span of this length.
///
/// Drive counts a call somewhere between our sending it and its answer. Counting from the answer on, we never think of a
/// call as over before Drive does.
#[derive(Debug)]
struct Window {
    most: usize,
    span: Duration,
    under_way: usize,
    answered: VecDeque<Duration>,
}

impl Allowances {
    /// 0: not known.
    pub(super) fn new(calls_per_minute: usize, writes_per_second: usize) -> Self {
        Self {
            calls: Window::new(calls_per_minute, Duration::from_mins(1)),
            writes: Window::new(writes_per_second, Duration::from_secs(1)),
        }
    }

    /// How long a call has to wait before it may ask again; `None` where it may start now.
    pub(super) fn wait(&mut self, cost: Cost, now: Duration) -> Option<Duration> {
        self.windows(cost).filter_map(|window| window.wait(now)).max()
    }

    /// A call starts.
    pub(super) fn begin(&mut self, cost: Cost) {
        self.windows(cost).for_each(|window| window.under_way += 1);
    }

    /// A call is over, however it went.
    pub(super) fn end(&mut self, cost: Cost, now: Duration) {
        self.windows(cost).for_each(|window| {
            window.under_way = window.under_way.saturating_sub(1);
            window.answered.push_back(now);
        });
    }

    fn windows(&mut self, cost: Cost) -> impl Iterator<Item = &mut Window> {
        self.calls.iter_mut().chain(self.writes.iter_mut().filter(move |_| cost == Cost::Edit))
    }
}

impl Window {
    fn new(most: usize, span: Duration) -> Option<Self> {
        (most > 0).then(|| Self { most, span, under_way: 0, answered: VecDeque::new() })
    }

    fn wait(&mut self, now: Duration) -> Option<Duration> {
        while self.answered.front().is_some_and(|at| *at + self.span <= now) {
            self.answered.pop_front();
        }
        if self.under_way + self.answered.len() < self.most {
            return None;
        }
        Some(self.answered.front().map_or(SOON, |at| (*at + self.span).saturating_sub(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_span_ever_holds_more_than_is_allowed() {
        let mut allowed = Allowances::new(100, 3);
        let (mut now, mut passed, latency) = (Duration::ZERO, Vec::new(), Duration::from_millis(25));
        // Drive counts a call somewhere on the way.
        let mut on_the_way = [0, 1, 2].into_iter().cycle();
        while now < Duration::from_mins(1) {
            if let Some(wait) = allowed.wait(Cost::Edit, now) {
                now += wait;
                continue;
            }
            allowed.begin(Cost::Edit);
            passed.push(now + latency * on_the_way.next().unwrap_or(0) / 2);
            now += latency;
            allowed.end(Cost::Edit, now);
        }
        assert!(passed.windows(4).all(|four| four[3] >= four[0] + Duration::from_secs(1)), "four in a second");
        assert_eq!(passed.len(), 100, "the minute's allowance holds for writes as well");
    }

    #[test]
    fn what_is_not_known_and_what_only_reads_does_not_wait() {
        for (mut allowed, cost) in [(Allowances::new(0, 0), Cost::Edit), (Allowances::new(0, 1), Cost::Read)] {
            for _ in 0..1000 {
                assert_eq!(allowed.wait(cost, Duration::ZERO), None);
                allowed.begin(cost);
            }
        }
    }

    #[test]
    fn what_is_under_way_counts() {
        let mut allowed = Allowances::new(0, 1);
        allowed.begin(Cost::Edit);
        assert_eq!(allowed.wait(Cost::Edit, Duration::from_mins(5)), Some(SOON));
        allowed.end(Cost::Edit, Duration::from_mins(5));
        assert_eq!(allowed.wait(Cost::Edit, Duration::from_mins(5)), Some(Duration::from_secs(1)));
    }
}
