//! The clock, switches, the feed's faults, and what the gate does.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::Ask;
use crate::acting::Control;
use crate::control::{Fault, Match};
use crate::error::{ApiError, ApiResult};
use crate::store::settings::Settings;

/// Answers what it knows.
pub(super) fn answer(control: &Control, ask: &Ask) -> ApiResult<Option<Value>> {
    let gate = control.gate();
    let (method, path) = ask.line();
    let value = match (method, &path[..]) {
        ("GET", ["state"]) => state(control)?,
        ("GET", ["clock"]) => clock(control)?,
        ("POST", ["clock"]) => {
            match (ask.optional("set")?, ask.optional_number("advance_ms")?) {
                (Some(time), _) => control.clock_set(time)?,
                (None, Some(ms)) => control.clock_advance(Duration::from_millis(ms))?,
                (None, None) => return Err(ApiError::required_parameter("set")),
            }
            clock(control)?
        }
        ("GET", ["switches"]) => json!(control.switches()?),
        ("PATCH", ["switches"]) => {
            let changed = patched(&control.switches()?, &ask.body)?;
            control.set_switches(|switches| *switches = changed)?;
            json!(control.switches()?)
        }
        ("GET", ["feed"]) => json!(control.feed()?),
        ("PATCH", ["feed"]) => {
            let changed = patched(&control.feed()?, &ask.body)?;
            control.set_feed(|feed| *feed = changed)?;
            json!(control.feed()?)
        }
        ("POST", ["feed", "reject_old_tokens"]) => {
            control.reject_old_tokens()?;
            json!(control.feed()?)
        }
        ("GET", ["faults"]) => json!(gate.faults()),
        ("POST", ["faults"]) => json!({ "id": gate.fault(rule(ask)?)? }),
        ("DELETE", ["faults"]) => {
            gate.clear_faults();
            json!({})
        }
        ("DELETE", ["faults", id]) => json!({ "removed": id.parse().is_ok_and(|id| gate.remove_fault(id)) }),
        ("GET", ["latency"]) => json!({ "ms": gate.latency().as_millis() }),
        ("PUT", ["latency"]) => {
            gate.set_latency(Duration::from_millis(ask.number("ms")?));
            json!({})
        }
        ("GET", ["quota"]) => json!(gate.quota()),
        ("PUT", ["quota"]) => {
            gate.set_quota(ask.read()?);
            json!({})
        }
        ("POST", ["pause"]) => {
            let calls = ask.body.get("match").cloned().map(serde_json::from_value::<Match>);
            let calls = calls.transpose().map_err(|error| ApiError::bad_request(error.to_string()))?;
            gate.pause_after_matching(calls.unwrap_or_default(), ask.number("after")?);
            json!({})
        }
        ("POST", ["resume"]) => {
            gate.resume();
            json!({})
        }
        ("DELETE", ["requests"]) => {
            gate.clear_requests();
            json!({})
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn clock(control: &Control) -> ApiResult<Value> {
    let now = control.now_ms()?;
    Ok(json!({ "now": crate::clock::format(now), "now_ms": now }))
}

/// The rule in a body.
fn rule(ask: &Ask) -> ApiResult<Fault> {
    serde_json::from_value::<Fault>(Value::Object(ask.body.clone())).map_err(|error| {
        let forms = r#""always", {"calls": [1]}, {"every": 5}, {"next": 2} or {"probability": 0.02, "seed": 7}"#;
        let words = error.to_string().replace("data did not match any variant of untagged enum When", &format!("when is {forms}"));
        ApiError::bad_request(format!("The rule is not understood: {words}."))
    })
}

/// What is in force: of switches and the feed, what is not as it comes.
fn state(control: &Control) -> ApiResult<Value> {
    let gate = control.gate();
    let settings = control.app.store.read(Settings::load)?;
    Ok(json!({
        "clock": crate::clock::format(settings.now()),
        "clock_offset_ms": settings.clock_offset_ms,
        "latency_ms": gate.latency().as_millis(),
        "quota": gate.quota(),
        "faults": gate.faults(),
        "paused": gate.paused(),
        "switches": turned(&settings.switches)?,
        "feed": turned(&settings.feed)?,
    }))
}

/// The fields of `settings` that differ from the defaults.
fn turned<T: Serialize + Default>(settings: &T) -> ApiResult<Value> {
    let (mut turned, usual) = (serde_json::to_value(settings)?, serde_json::to_value(T::default())?);
    if let Some(fields) = turned.as_object_mut() {
        fields.retain(|name, value| usual.get(name.as_str()) != Some(value));
    }
    Ok(turned)
}

/// `current` with the named fields changed; unknown names are refused.
fn patched<T: Serialize + DeserializeOwned>(current: &T, changes: &Map<String, Value>) -> ApiResult<T> {
    let mut value = serde_json::to_value(current)?;
    for (name, change) in changes {
        value[name] = change.clone();
    }
    serde_json::from_value(value).map_err(|error| ApiError::bad_request(format!("Not understood: {error}.")))
}
