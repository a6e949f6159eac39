//! Faults on a schedule: which calls, when, and what goes wrong.

mod check;
mod status;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use super::op::{Door, Op};

pub use status::{BodyShape, Status};

/// A rule: the calls it is about, which of them it strikes, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The calls it is about; all Drive calls where it says nothing.
    #[serde(default, rename = "match")]
    pub calls: Match,
    /// Which of those it strikes.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub effect: Effect,
}

/// Which calls a rule is about. Everything that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// The HTTP method, such as `POST`.
    pub method: Option<String>,
    /// What the path begins with.
    pub path_prefix: Option<String>,
    /// The name of the call, such as `files.create`; `token` for the token endpoint, which no
    /// other rule touches.
    pub op: Option<String>,
    /// Only calls that change something on Drive.
    pub only_writes: bool,
}

/// Which of the matching calls are struck. Calls are counted from 1, since the rule was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Every one.
    #[default]
    Always,
    /// Those with these numbers.
    #[serde(untagged)]
    Calls {
        /// The numbers.
        calls: Vec<u64>,
    },
    /// Each n-th.
    #[serde(untagged)]
    Every {
        /// The n.
        every: u64,
    },
    /// Each with this chance. The same seed strikes the same numbers.
    #[serde(untagged)]
    Probability {
        /// From 0 to 1.
        probability: f64,
        /// Where the chances come from.
        #[serde(default)]
        seed: u64,
    },
    /// The next n.
    #[serde(untagged)]
    Next {
        /// The n.
        next: u64,
    },
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is answered with an error and not executed.
    Status(Status),
    /// It is answered 401, as with a token that was revoked, and not executed.
    Unauthorized,
    /// The connection is closed without an answer; nothing is executed.
    CutBefore,
    /// It is executed and committed, then the connection is closed without an answer.
    LostAfterCommit,
    /// It is never answered and not executed.
    Hang,
    /// It is executed so many ms later.
    DelayMs(u64),
    /// The answer breaks off after so many bytes of its body.
    CutBodyAfter {
        /// How many bytes arrive.
        bytes: u64,
    },
    /// Some bytes of the answer's body are wrong; its length is right.
    CorruptBody,
}

impl Fault {
    /// A rule for all Drive calls.
    pub fn new(effect: Effect) -> Self {
        Self { calls: Match::default(), when: When::Always, effect }
    }

    /// Narrows it to one call, such as `files.create`.
    #[must_use]
    pub fn op(mut self, name: &str) -> Self {
        self.calls.op = Some(name.to_owned());
        self
    }

    /// Narrows it to calls that change something.
    #[must_use]
    pub fn only_writes(mut self) -> Self {
        self.calls.only_writes = true;
        self
    }

    /// Says which of the calls are struck.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

impl Match {
    /// Whether a call is meant.
    pub fn holds(&self, op: &Op, method: &str, path: &str) -> bool {
        let door = if self.op.as_deref() == Some("token") { Door::Token } else { Door::Drive };
        op.door == door
            && self.op.as_deref().is_none_or(|name| name == op.name)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path_prefix.as_deref().is_none_or(|prefix| path.starts_with(prefix))
            && (!self.only_writes || op.writes)
    }
}

impl When {
    /// Whether the call with this number is struck.
    pub fn strikes(&self, number: u64) -> bool {
        match self {
            When::Always => true,
            When::Calls { calls } => calls.contains(&number),
            When::Every { every } => *every > 0 && number.is_multiple_of(*every),
            When::Next { next } => number <= *next,
            When::Probability { probability, seed } => {
                // A generator for each number: the outcome hangs on nothing else.
                let mut chance = StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number);
                chance.gen_bool(probability.clamp(0.0, 1.0))
            }
        }
    }
}

impl Effect {
    /// The name of the effect, as the log shows it.
    pub fn name(&self) -> &'static str {
        match self {
            Effect::Status(_) => "status",
            Effect::Unauthorized => "unauthorized",
            Effect::CutBefore => "cut_before",
            Effect::LostAfterCommit => "lost_after_commit",
            Effect::Hang => "hang",
            Effect::DelayMs(_) => "delay_ms",
            Effect::CutBodyAfter { .. } => "cut_body_after",
            Effect::CorruptBody => "corrupt_body",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn struck(when: &When) -> Vec<u64> {
        (1..=12).filter(|number| when.strikes(*number)).collect()
    }

    #[test]
    fn schedules_strike_by_number() {
        assert_eq!(struck(&When::Calls { calls: vec![2, 5] }), [2, 5]);
        assert_eq!(struck(&When::Every { every: 5 }), [5, 10]);
        assert_eq!(struck(&When::Next { next: 3 }), [1, 2, 3]);
        assert_eq!(struck(&When::Every { every: 0 }), [0; 0]);
        assert_eq!(struck(&When::Always).len(), 12);
    }

    #[test]
    fn chances_follow_the_seed() {
        let count = |probability, seed| {
            let when = When::Probability { probability, seed };
            (1..=10_000).filter(|number| when.strikes(*number)).count()
        };
        let some = count(0.02, 7);
        assert!((120..=280).contains(&some), "{some} of 10,000 at 2 %");
        assert_eq!(some, count(0.02, 7));
        assert_eq!((count(0.0, 1), count(1.0, 1)), (0, 10_000));
        let first = struck(&When::Probability { probability: 0.5, seed: 1 });
        assert_ne!(first, struck(&When::Probability { probability: 0.5, seed: 2 }));
    }

    #[test]
    fn rules_are_written_in_json() {
        let read = |value: Value| serde_json::from_value::<Fault>(value);
        let rule = read(json!({
            "match": {"op": "files.create", "only_writes": true},
            "when": {"calls": [3]},
            "effect": "lost_after_commit",
        }))
        .expect("the rule is right");
        assert_eq!(rule, Fault::new(Effect::LostAfterCommit).op("files.create").only_writes().when(When::Calls { calls: vec![3] }));
        let again = read(serde_json::to_value(&rule).expect("it is JSON")).expect("it reads its own");
        assert_eq!(again, rule);
        for (effect, expected) in [
            (json!({"delay_ms": 50}), Effect::DelayMs(50)),
            (json!({"cut_body_after": {"bytes": 9}}), Effect::CutBodyAfter { bytes: 9 }),
            (
                json!({"status": {"code": 503, "body": "html"}}),
                Effect::Status(Status { reason: None, body: BodyShape::Html, ..Status::new(503, "") }),
            ),
        ] {
            assert_eq!(read(json!({"effect": effect})).expect("right").effect, expected);
        }
        for when in [json!({"probability": 0.5, "seed": 3}), json!({"next": 2}), json!({"every": 2}), json!("always")] {
            let rule = read(json!({"effect": "hang", "when": when})).expect("right");
            assert_eq!(serde_json::to_value(&rule.when).expect("it is JSON"), when);
        }
        assert!(read(json!({"effect": "explode"})).is_err());
        assert!(read(json!({"effect": "hang", "match": {"opp": "x"}})).is_err());
        assert!(read(json!({"effect": "hang", "when": {"sometimes": 1}})).is_err());
    }
}
