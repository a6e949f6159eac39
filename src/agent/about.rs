//! Whom and what a log line is about: spans around the work, so that every line inside, each Drive call too, carries the ids.
//!
//! They are of the level of errors so that no filter drops them: a warning without its ids helps nobody.

use tracing::{Span, error_span};

use crate::domain::event::Event;
use crate::domain::item::Item;
use crate::domain::technician::UserId;

/// One technician.
pub(super) fn technician(user: &UserId) -> Span {
    error_span!("technician", %user)
}

/// One file of one technician.
pub(super) fn item(item: &Item) -> Span {
    error_span!("item", user = %item.sighted.user, item = %item.id)
}

/// One delivery; of an event that reports a file, the item too.
pub(super) fn event(event: &Event) -> Span {
    error_span!("event", user = %event.event.user, item = event.item_id.as_deref().map(tracing::field::display), event = %event.id)
}
