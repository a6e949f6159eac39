//! Accounts, credentials, and acts of users.

use base64::Engine as _;
use serde_json::{Value, json};

use super::Ask;
use crate::acting::Control;
use crate::error::{ApiError, ApiResult};

/// Answers what it knows.
pub(super) fn answer(control: &Control, ask: &Ask) -> ApiResult<Option<Value>> {
    let done = |()| Some(json!({}));
    let made = |id: String| Some(json!({ "id": id }));
    let file = |text: String| Ok(Some(serde_json::from_str(&text)?));
    let email = || ask.text("email");
    match ask.line() {
        ("POST", path) if path[..] == ["users"] => {
            let user = control.user(email()?)?;
            Ok(Some(json!({
                "email": user.email,
                "token": user.token,
                "root_id": user.root_id,
                "permission_id": user.permission_id,
            })))
        }
        ("POST", path) if path[..] == ["service_accounts"] => file(control.service_account(ask.text("name")?)?),
        ("POST", path) if path[..] == ["authorized_users"] => match ask.optional("scopes")? {
            Some(scopes) => file(control.authorized_user_for(email()?, scopes)?),
            None => file(control.authorized_user(email()?)?),
        },
        ("POST", path) if path[..] == ["delegations"] => {
            control.grant_delegation(ask.text("client_email")?, ask.text("subject")?).map(done)
        }
        ("DELETE", path) if path[..] == ["delegations"] => {
            control.revoke_delegation(ask.text("client_email")?, ask.text("subject")?).map(done)
        }
        ("POST", path) if path[..] == ["revoke_keys"] => control.revoke_keys(email()?).map(done),
        ("POST", path) if path[..] == ["revoke_tokens"] => control.revoke_tokens(email()?).map(done),
        ("POST", path) if path[..] == ["groups"] => {
            let members =
                ask.field("members", "a list of addresses", |all| all.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>())?;
            control.group(email()?, &members.ok_or_else(|| ApiError::required_parameter("members"))?).map(done)
        }
        ("POST", path) if path[..] == ["storage_limit"] => {
            let bytes = ask.optional_number("bytes")?.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
            control.storage_limit(email()?, bytes).map(done)
        }
        ("POST", path) if path[..] == ["drives"] => control.shared_drive(ask.text("name")?, ask.text("organizer")?).map(made),
        ("POST", path) if path[..] == ["drive_members"] => {
            control.drive_member(ask.text("drive_id")?, email()?, ask.text("role")?).map(done)
        }
        ("POST", path) => match path[..] {
            ["acts", act] => self::act(control, ask, act),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// One act of a user; the id of what was made, if anything was.
fn act(control: &Control, ask: &Ask, act: &str) -> ApiResult<Option<Value>> {
    let (email, id) = (|| ask.text("email"), || ask.text("id"));
    let (parent, name) = (|| Ok::<_, ApiError>(ask.optional("parent")?.unwrap_or("root")), || ask.text("name"));
    let made = match act {
        "mkdir" => Some(control.mkdir(email()?, parent()?, name()?)?),
        "put" => {
            let mime = ask.optional("mime")?.unwrap_or("application/octet-stream");
            Some(control.put(email()?, parent()?, name()?, &content(ask)?, mime)?)
        }
        "put_generated" => Some(control.put_generated(email()?, parent()?, name()?, ask.number("size")?)?),
        "google_doc" => Some(control.google_doc(email()?, parent()?, name()?, ask.optional("kind")?.unwrap_or("document"))?),
        "shortcut" => Some(control.shortcut(email()?, parent()?, name()?, ask.text("target")?)?),
        "replace" => none(control.replace(email()?, id()?, &content(ask)?)?),
        "rename" => none(control.rename(email()?, id()?, name()?)?),
        "move" => none(control.move_to(email()?, id()?, parent()?)?),
        "trash" => none(control.trash(email()?, id()?)?),
        "untrash" => none(control.untrash(email()?, id()?)?),
        "delete" => none(control.delete(email()?, id()?)?),
        "empty_trash" => none(control.empty_trash(email()?)?),
        "share" => none(control.share(email()?, id()?, ask.text("with")?, ask.text("role")?)?),
        "unshare" => none(control.unshare(email()?, id()?, ask.text("with")?)?),
        "mark_abusive" => none(control.mark_abusive(id()?, ask.field("abusive", "true or false", Value::as_bool)?.unwrap_or(true))?),
        "noise" => none(control.touch_noise(email()?, id()?, ask.text("what")?)?),
        "update" => {
            let body = ask.body.get("body").cloned().ok_or_else(|| ApiError::required_parameter("body"))?;
            none(control.update(email()?, id()?, body)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(made.map_or_else(|| json!({}), |id| json!({ "id": id }))))
}

fn none((): ()) -> Option<String> {
    None
}

/// The bytes of a file: `content` in letters or `content_base64`; nothing is an empty file.
fn content(ask: &Ask) -> ApiResult<Vec<u8>> {
    match ask.optional("content_base64")? {
        Some(coded) => {
            base64::engine::general_purpose::STANDARD.decode(coded).map_err(|_| ApiError::bad_request("content_base64 is no base64."))
        }
        None => Ok(ask.optional("content")?.unwrap_or_default().as_bytes().to_vec()),
    }
}
