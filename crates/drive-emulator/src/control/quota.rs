//! Rate limits, per user (6.22-6.25).

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::op::Op;
use crate::error::ApiError;

/// What a user may do. What is not named is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Calls in any 60 seconds.
    pub calls_per_minute: Option<u32>,
    /// Quota units in any 60 seconds (6.22).
    pub units_per_minute: Option<u32>,
    /// Calls that change something in any second (6.25).
    pub writes_per_second: Option<u32>,
    /// Refuse with 429 `rateLimitExceeded` instead of 403 `userRateLimitExceeded` (6.24).
    pub too_many_requests: bool,
    /// `Retry-After` of the refusal, in seconds.
    pub retry_after: Option<u64>,
}

/// What users did lately: when (ms), units, and whether it was a write.
#[derive(Debug, Default)]
pub(super) struct Meter(HashMap<String, VecDeque<(i64, u32, bool)>>);

impl Quota {
    /// The refusal where one call more would be too much; else it is counted.
    pub(super) fn admit(&self, meter: &mut Meter, user: &str, op: &Op, now_ms: i64) -> Option<ApiError> {
        let recent = meter.0.entry(user.to_owned()).or_default();
        // The emulated clock may be set back: what lies ahead is over as well.
        recent.retain(|(time, _, _)| (now_ms - 60_000 + 1..=now_ms).contains(time));
        let calls = recent.len();
        let units: u32 = recent.iter().map(|(_, units, _)| units).sum();
        let writes = recent.iter().filter(|(time, _, write)| *write && *time > now_ms - 1_000).count();
        let full = |limit: Option<u32>, used: usize| limit.is_some_and(|limit| used >= limit as usize);
        let refused = full(self.calls_per_minute, calls)
            || self.units_per_minute.is_some_and(|limit| units.saturating_add(op.units) > limit)
            || (op.writes && full(self.writes_per_second, writes));
        if !refused {
            recent.push_back((now_ms, op.units, op.writes));
            return None;
        }
        let error = if self.too_many_requests { ApiError::too_many_requests() } else { ApiError::user_rate_limit() };
        Some(match self.retry_after {
            Some(seconds) => error.retry_after(seconds),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::op::Door;

    const READ: Op = Op { name: "files.get", door: Door::Drive, writes: false, units: 5 };
    const WRITE: Op = Op { name: "files.create", door: Door::Drive, writes: true, units: 50 };

    /// How many calls of a kind pass at each of the given times.
    fn passed(quota: &Quota, op: &Op, times: &[i64]) -> Vec<bool> {
        let mut meter = Meter::default();
        times.iter().map(|time| quota.admit(&mut meter, "ana", op, *time).is_none()).collect()
    }

    #[test]
    fn each_ceiling_holds_in_its_window() {
        let calls = Quota { calls_per_minute: Some(2), ..Quota::default() };
        assert_eq!(passed(&calls, &READ, &[0, 1, 2, 59_999, 60_000, 60_000]), [true, true, false, false, true, false]);
        let writes = Quota { writes_per_second: Some(1), ..Quota::default() };
        assert_eq!(passed(&writes, &WRITE, &[0, 999, 1_000]), [true, false, true]);
        assert_eq!(passed(&writes, &READ, &[0, 0, 0]), [true, true, true]);
        let units = Quota { units_per_minute: Some(120), ..Quota::default() };
        assert_eq!(passed(&units, &WRITE, &[0, 0, 0]), [true, true, false]);
    }

    #[test]
    fn users_are_counted_apart_and_a_clock_set_back_frees() {
        let quota = Quota { calls_per_minute: Some(1), ..Quota::default() };
        let mut meter = Meter::default();
        assert!(quota.admit(&mut meter, "ana", &READ, 100_000).is_none());
        assert!(quota.admit(&mut meter, "bea", &READ, 100_000).is_none());
        assert!(quota.admit(&mut meter, "ana", &READ, 100_000).is_some());
        assert!(quota.admit(&mut meter, "ana", &READ, 50_000).is_none());
    }

    #[test]
    fn b6_24_the_refusal_is_403_or_429() {
        let mut quota = Quota { calls_per_minute: Some(0), retry_after: Some(2), ..Quota::default() };
        let refusal = |quota: &Quota| quota.admit(&mut Meter::default(), "ana", &READ, 0).expect("refused");
        assert_eq!(refusal(&quota).reason(), "userRateLimitExceeded");
        assert_eq!(refusal(&quota).respond(true).headers()["retry-after"], "2");
        quota.too_many_requests = true;
        assert_eq!(refusal(&quota).code().as_u16(), 429);
    }
}
