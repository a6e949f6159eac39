//! What can go wrong outside, by chance.

use std::time::Duration;

use drive_emulator::control::{BodyShape, Effect, Fault, Match, Status, When};
use drive_emulator::{Control, DescendantChanges, Switches};

use super::dice::Dice;
use crate::support::receiver::{Receiver, Reply};

/// Calls the agent makes.
const OPS: [&str; 6] = ["changes.list", "files.list", "files.get", "files.update", "files.update", "changes.getStartPageToken"];

/// Lets Drive misbehave; says how.
pub fn on_drive(dice: &mut Dice, control: &Control) -> anyhow::Result<String> {
    if dice.percent(25) {
        return on_feed(dice, control);
    }
    let op = *dice.pick(&OPS).unwrap_or(&"files.get");
    let status = |code, reason: &str| Effect::Status(Status::new(code, reason));
    let mut times = dice.between(1, 2);
    let effect = match dice.below(15) {
        0 => status(503, "backendError"),
        1 => Effect::Status(Status { body: BodyShape::Html, reason: None, ..Status::new(502, "") }),
        2 => status(403, "userRateLimitExceeded"),
        3 => Effect::Status(Status { retry_after: Some(1), ..Status::new(429, "rateLimitExceeded") }),
        4..=6 => Effect::LostAfterCommit,
        7 => Effect::CutBefore,
        8 => {
            times = 1;
            Effect::Hang
        }
        9 => Effect::CutBodyAfter { bytes: dice.between(0, 40) },
        10 | 11 => Effect::CorruptBody,
        // Drive forgets something for a moment.
        12 => status(404, "notFound"),
        13 => status(403, "insufficientFilePermissions"),
        _ => Effect::Unauthorized,
    };
    let when = if dice.percent(50) { When::Next { next: times } } else { When::Calls { calls: vec![dice.between(1, 6)] } };
    let said = format!("fault: {op} {} {}", serde_json::to_string(&when)?, serde_json::to_string(&effect)?);
    control.fault(Fault { calls: Match { op: Some(op.into()), ..Match::default() }, when, effect })?;
    Ok(said)
}

/// What nobody knows of Drive, one way or the other, for as long as this world stands (drive-v3-behaviour 11); says how.
pub fn unsettled(dice: &mut Dice, control: &Control) -> anyhow::Result<String> {
    if dice.percent(50) {
        return Ok("Drive is as this run takes it to be".into());
    }
    let mut flip = || dice.percent(50);
    control.set_switches(|s| {
        s.descendant_changes = if flip() { DescendantChanges::All } else { DescendantChanges::None };
        s.list_includes_trashed = flip();
        s.unknown_parent_is_404 = flip();
        s.multi_parent_query_is_empty = flip();
        s.list_first_page_empty = flip();
        s.not_downloadable_is_401 = flip();
        s.invalid_change_token_is_410 = flip();
        s.service_accounts_own_files = flip();
        s.purged_id_is_free = flip();
    })?;
    let switches = serde_json::to_value(control.switches()?)?;
    let usual = serde_json::to_value(Switches::default())?;
    let turned = switches.as_object().into_iter().flatten().filter(|(name, value)| usual[name.as_str()] != **value);
    let turned: Vec<String> = turned.map(|(name, value)| format!("{name} = {value}")).collect();
    Ok(format!("Drive is otherwise than thought: {}", turned.join(", ")))
}

fn on_feed(dice: &mut Dice, control: &Control) -> anyhow::Result<String> {
    Ok(match dice.below(5) {
        0 => {
            let delay_ms = i64::try_from(dice.between(1, 600_000))?;
            control.set_feed(|feed| feed.delay_ms = delay_ms)?;
            format!("the feed is {delay_ms} ms late")
        }
        1 => {
            let pages = u32::try_from(dice.between(1, 3))?;
            control.set_feed(|feed| feed.repeat_pages = pages)?;
            format!("the feed repeats {pages} pages")
        }
        2 => {
            let entries = u32::try_from(dice.between(1, 3))?;
            control.set_feed(|feed| feed.drop_entries = entries)?;
            format!("the feed drops {entries} entries")
        }
        3 => {
            control.reject_old_tokens()?;
            "every token of the feed is rejected".into()
        }
        _ => {
            let lag = i64::try_from(dice.between(1, 60_000))?;
            control.set_switches(|s| s.list_lag_ms = lag)?;
            format!("listings lag {lag} ms")
        }
    })
}

/// Ends all of it.
pub fn over(control: &Control) -> anyhow::Result<()> {
    control.clear_faults();
    control.set_latency(Duration::ZERO);
    control.set_switches(|s| s.list_lag_ms = 0)?;
    control.set_feed(|feed| *feed = drive_emulator::FeedFaults { reject_below: feed.reject_below, ..Default::default() })?;
    Ok(())
}

/// Lets the backend misbehave; says how.
pub fn at_backend(dice: &mut Dice, receiver: &Receiver) -> String {
    let (reply, said) = match dice.below(6) {
        0 => (Reply::status(500), "answers 500"),
        1 => (Reply::With(503, vec![("retry-after", "120".into())], String::new()), "answers 503 and asks for two minutes"),
        2 => (Reply::Hang, "hangs"),
        3 => (Reply::With(302, vec![("location", "/elsewhere".into())], String::new()), "redirects"),
        4 => (Reply::status(410), "says it is gone"),
        _ => (Reply::status(200), "is well"),
    };
    receiver.reply(reply);
    format!("the backend {said}")
}
