//! What google-drive3 keeps to itself: its error for a refused call holds neither the HTTP status nor any header, and only
//! a delegate sees them (drive-v3-behaviour 9.11).

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use google_drive3::common::{self, Delegate, Error, Retry};
use http_body_util::BodyExt;
use serde_json::Value;

use super::answer;
use super::error::{DriveError, Kind};

/// A delegate that records a refusal and lets the call end: repeating is done outside, where it can be counted.
#[derive(Clone, Default)]
pub(super) struct Tap(Arc<Mutex<Option<Seen>>>);

/// A status, and the text of `Retry-After`.
type Seen = (u16, Option<String>);

impl Delegate for Tap {
    fn http_failure(&mut self, response: &common::Response, _: Option<&Value>) -> Retry {
        let retry_after = response.headers().get("retry-after").and_then(|h| h.to_str().ok()).map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((response.status().as_u16(), retry_after));
        Retry::Abort
    }
}

impl Tap {
    /// What `error` of the crate means, with what was recorded on the way.
    pub(super) fn error(&self, error: Error) -> DriveError {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (seen, error) {
            (Some((status, retry_after)), Error::BadRequest(body)) => {
                answer::refusal(status, retry_after.as_deref(), body.to_string().as_bytes())
            }
            (Some((status, retry_after)), Error::Failure(response)) => answer::refusal(status, retry_after.as_deref(), &at_hand(response)),
            (Some((status, retry_after)), _) => answer::refusal(status, retry_after.as_deref(), b""),
            (None, Error::HttpError(cause)) => {
                let text = if cause.is_connect() { "Drive cannot be reached" } else { "the connection to Drive broke" };
                DriveError::new(Kind::Network, text).because(cause)
            }
            // The crate takes a body that was cut for an empty one (DEPENDENCIES 1.3).
            (None, Error::JsonDecodeError(body, _)) if body.is_empty() => DriveError::new(Kind::Network, "Drive's answer was cut short"),
            (None, Error::JsonDecodeError(_, cause)) => {
                DriveError::new(Kind::Unreadable, "Drive's answer could not be understood").because(cause)
            }
            (None, other) => DriveError::new(Kind::Unreadable, answer::one_line(&other.to_string())),
        }
    }
}

/// The crate has read the body already: what it hands over is whole and ready.
fn at_hand(response: common::Response) -> Vec<u8> {
    response.into_body().collect().now_or_never().and_then(Result::ok).map(|body| body.to_bytes().to_vec()).unwrap_or_default()
}
