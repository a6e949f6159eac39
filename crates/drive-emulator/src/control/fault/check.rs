//! Rules that can never strike are mistakes, and are refused as such.

use super::{Effect, Fault, Match, When};
use crate::api::routes;
use crate::control::op;
use crate::error::{ApiError, ApiResult};

impl Fault {
    /// Refuses what cannot strike or cannot be answered: an unknown call, a method it does not come by, writes of a call
    /// that changes nothing, a path that begins with no slash, numbers below 1, a chance beyond 0 to 1, a status that is
    /// no error. Whether a path is one that the call has is not looked at.
    ///
    /// # Errors
    /// 400 at the field.
    pub fn check(&self) -> ApiResult<()> {
        self.calls.check()?;
        let sound = match &self.when {
            When::Always => true,
            When::Calls { calls } => !calls.is_empty() && !calls.contains(&0),
            When::Every { every: number } | When::Next { next: number } => *number > 0,
            When::Probability { probability, .. } => (0.0..=1.0).contains(probability),
        };
        if !sound {
            return wrong("when", "It never strikes: calls are counted from 1, and a probability lies between 0 and 1.".to_owned());
        }
        match &self.effect {
            Effect::Status(status) if !(400..600).contains(&status.code) => {
                wrong("effect.status.code", format!("{} is no status of an error: from 400 to 599.", status.code))
            }
            _ => Ok(()),
        }
    }
}

impl Match {
    fn check(&self) -> ApiResult<()> {
        if let Some(prefix) = self.path_prefix.as_deref().filter(|prefix| !prefix.starts_with('/')) {
            return wrong("match.path_prefix", format!("{prefix:?} is no beginning of a path: each begins with \"/\"."));
        }
        let Some(op) = self.op.as_deref() else { return Ok(()) };
        let known = || routes::served().map(|served| served.op).chain(op::OTHERS);
        if !known().any(|known| known == op) {
            return wrong("match.op", format!("No call is named {op:?}. There are {}.", known().collect::<Vec<_>>().join(", ")));
        }
        if self.only_writes && !op::writes(op) {
            return wrong("match.only_writes", format!("It never strikes: {op} changes nothing."));
        }
        let methods = op::methods(op);
        match &self.method {
            Some(method) if !methods.is_empty() && !methods.iter().any(|known| known.eq_ignore_ascii_case(method)) => {
                wrong("match.method", format!("It never strikes: {op} comes by {}.", methods.join(" or ")))
            }
            _ => Ok(()),
        }
    }
}

fn wrong(field: &str, why: String) -> ApiResult<()> {
    Err(ApiError::invalid(why).at_parameter(field))
}
