//! `changes.watch`, `files.watch` and `channels.stop` (5.1-5.6, 5.14).

use http::Uri;
use serde_json::Value;

use crate::api::call::{Call, Reply};
use crate::error::{ApiError, ApiResult};
use crate::ids;
use crate::mask::Mask;
use crate::push::Channel;
use crate::rules::cx::Cx;
use crate::rules::meta::Meta;

/// Life of a channel whose maker names none, in ms (5.3).
const USUAL_LIFE: i64 = 3_600_000;
/// Longest life of a channel on a file, in ms.
const FILE_LIFE: i64 = 86_400_000;
/// Longest life of a channel on a change log, in ms.
const CHANGES_LIFE: i64 = 604_800_000;

/// `changes.watch`.
pub fn watch_changes(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let token = call.query.filled("pageToken").ok_or_else(|| ApiError::required_parameter("pageToken"))?;
    let log = match call.query.drive() {
        Some(id) => format!("d:{}", cx.drive(id)?.id),
        None => format!("u:{}", cx.who.email),
    };
    let uri = format!("https://www.googleapis.com/drive/v3/changes?alt=json&pageToken={token}");
    watch(cx, &call.json()?, log, uri, CHANGES_LIFE)
}

/// `files.watch`.
pub fn watch_file(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let (file, _) = cx.visible(call.id(0), call.query.all_drives())?;
    let uri = format!("https://www.googleapis.com/drive/v3/files/{}?alt=json", file.id);
    watch(cx, &call.json()?, format!("f:{}", file.id), uri, FILE_LIFE)
}

fn watch(cx: &Cx<'_>, body: &Meta, watched: String, uri: String, longest: i64) -> ApiResult<Reply> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = text("id").ok_or_else(|| ApiError::required_parameter("resource.id"))?;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    if id.len() > 64 || !id.chars().all(good) {
        return Err(ApiError::invalid_value("resource.id"));
    }
    if text("type") != Some("web_hook") {
        let kind = text("type").unwrap_or_default();
        return Err(ApiError::new(400, "push.channelTypeNotSupported", format!("Channel type {kind} not supported")));
    }
    let address = text("address").unwrap_or_default();
    check_address(address, cx.settings.switches.push_allows_http)?;
    let host = address.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    if cx.settings.switches.push_refused_hosts.iter().any(|refused| refused.eq_ignore_ascii_case(&host)) {
        return Err(ApiError::webhook_unauthorized(address));
    }
    let token = text("token");
    if token.is_some_and(|token| token.len() > 256) {
        return Err(ApiError::invalid_value("resource.token"));
    }
    let expires = match body.get("expiration") {
        None | Some(Value::Null) => cx.now + USUAL_LIFE,
        Some(value) => milliseconds(value).ok_or_else(|| ApiError::invalid_value("resource.expiration"))?,
    };
    if expires <= cx.now {
        return Err(ApiError::invalid_value("resource.expiration"));
    }
    let channel = Channel {
        id: id.to_owned(),
        app: cx.who.app.clone(),
        email: cx.who.email.clone(),
        shared: cx.who.service,
        resource: ids::permission_id(&watched),
        watched,
        uri,
        address: address.to_owned(),
        token: token.map(str::to_owned),
        expires: expires.min(cx.now + longest),
    };
    if !channel.add(cx.db)? {
        return Err(ApiError::channel_id_not_unique(id));
    }
    cx.after.borrow_mut().channels.push(channel.id.clone());
    Ok(Reply::Json(channel.answer()))
}

/// `channels.stop`: by its maker, or by any user of the client for a service account's channel (5.14).
pub fn stop(cx: &Cx<'_>, call: &Call, _: &Mask) -> ApiResult<Reply> {
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = text("id").ok_or_else(|| ApiError::required_parameter("resource.id"))?;
    let resource = text("resourceId").ok_or_else(|| ApiError::required_parameter("resource.resourceId"))?;
    let may =
        |channel: &Channel| channel.resource == resource && channel.app == cx.who.app && (channel.shared || channel.email == cx.who.email);
    let channel = Channel::live(cx.db, id, cx.now)?.filter(may);
    channel.ok_or_else(|| ApiError::not_found_channel(id, &cx.who.app))?.stop(cx.db)?;
    Ok(Reply::Done)
}

/// https with a host; http too, to loopback, where the switch allows it (5.5, 5.17).
fn check_address(address: &str, http_allowed: bool) -> ApiResult<()> {
    let uri = address.parse::<Uri>().ok();
    let scheme = uri.as_ref().and_then(Uri::scheme_str);
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    if scheme.is_some() && host.is_empty() || address.is_empty() {
        return Err(ApiError::new(400, "push.webhookUrlNoHostOrAddress", "WebHook callback URL must specify a host and address"));
    }
    let loopback = ["127.0.0.1", "localhost", "[::1]"].contains(&host);
    match scheme {
        Some("https") => Ok(()),
        Some("http") if http_allowed && loopback => Ok(()),
        _ => Err(ApiError::webhook_not_https(address)),
    }
}

fn milliseconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
