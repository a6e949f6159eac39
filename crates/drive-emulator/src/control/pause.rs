//! Stopping the world after a call: for tests that kill a client there.

use std::sync::Mutex;

use tokio::sync::watch;

use super::fault::Match;
use crate::control::lock;

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// No pause is set for it.
    Free,
    /// It goes on; the pause begins when all before it are done, if it is the last.
    Within,
    /// It came after the last: it is not executed.
    Late,
}

/// The pause of one emulator. Every change is announced to those who wait.
#[derive(Debug)]
pub(super) struct Pause {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    calls: Match,
    /// After so many calls; none while no pause is set.
    after: Option<u64>,
    arrived: u64,
    done: u64,
    /// Counts pauses, so that one who waits for an old one goes on.
    round: u64,
}

impl Default for Pause {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: watch::channel(()).0 }
    }
}

impl Pause {
    /// Sets a pause after the next `after` calls that match; 0 holds the very first.
    pub(super) fn set(&self, calls: Match, after: u64) {
        let mut state = lock(&self.state);
        let round = state.round + 1;
        *state = State { calls, after: Some(after), round, ..State::default() };
        drop(state);
        self.changed.send_replace(());
    }

    /// Ends the pause.
    pub(super) fn clear(&self) {
        let mut state = lock(&self.state);
        let round = state.round + 1;
        *state = State { round, ..State::default() };
        drop(state);
        self.changed.send_replace(());
    }

    /// A call arrives.
    pub(super) fn arrive(&self, matches: impl FnOnce(&Match) -> bool) -> (Turn, u64) {
        let mut state = lock(&self.state);
        let Some(after) = state.after.filter(|_| matches(&state.calls)) else {
            return (Turn::Free, state.round);
        };
        state.arrived += 1;
        let (turn, round) = (if state.arrived > after { Turn::Late } else { Turn::Within }, state.round);
        drop(state);
        self.changed.send_replace(());
        (turn, round)
    }

    /// A call that was [`Turn::Within`] is done; true when its answer is the one to hold.
    pub(super) fn done(&self, round: u64) -> bool {
        let mut state = lock(&self.state);
        if state.round != round {
            return false;
        }
        state.done += 1;
        let paused = state.paused();
        drop(state);
        self.changed.send_replace(());
        paused
    }

    /// Whether the calls before the pause are done, or, with none before it, one has come.
    pub(super) fn holds(&self) -> bool {
        lock(&self.state).paused()
    }

    /// Waits until the calls before the pause are done, or, with none before it, one has come.
    pub(super) async fn reached(&self) {
        self.wait(State::paused).await;
    }

    /// Waits until the pause of this round is over.
    pub(super) async fn over(&self, round: u64) {
        self.wait(|state| state.round != round).await;
    }

    async fn wait(&self, until: impl Fn(&State) -> bool) {
        let mut changes = self.changed.subscribe();
        while !until(&lock(&self.state)) {
            // The sender lives as long as self.
            let _ = changes.changed().await;
        }
    }
}

impl State {
    fn paused(&self) -> bool {
        // With nothing to be done first, the pause begins when a call is there to be held.
        self.after.is_some_and(|after| self.done >= after && self.arrived > 0)
    }
}
