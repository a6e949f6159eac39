//! Rules that can never strike are mistakes, and are refused as such.

use super::{Effect, Fault, When};
use crate::api::routes;
use crate::error::{ApiError, ApiResult};

/// Names of calls beside those served.
const OTHERS: [&str; 5] = ["files.download", "upload.chunk", "batch", "token", "unknown"];

impl Fault {
    /// Refuses what cannot strike or cannot be answered: an unknown call, numbers below 1, a chance beyond 0 to 1, a
    /// status that is no error.
    ///
    /// # Errors
    /// 400 at the field.
    pub fn check(&self) -> ApiResult<()> {
        let wrong = |field: &str, why: String| Err(ApiError::invalid(why).at_parameter(field));
        let known = || routes::served().map(|served| served.op).chain(OTHERS);
        if let Some(op) = self.calls.op.as_deref().filter(|op| !known().any(|known| known == *op)) {
            return wrong("match.op", format!("No call is named {op:?}. There are {}.", known().collect::<Vec<_>>().join(", ")));
        }
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
