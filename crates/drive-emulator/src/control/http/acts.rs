//! Accounts, credentials, and acts of users.

use base64::Engine as _;
use serde_json::{Value, json};

use super::Ask;
use crate::acting::Control;
use crate::error::{ApiError, ApiResult};
use crate::store::accounts;

/// Answers what it knows.
pub(super) fn answer(control: &Control, ask: &Ask) -> ApiResult<Option<Value>> {
    let done = |()| Some(json!({}));
    let made = |id: String| Some(json!({ "id": id }));
    let file = |text: String| Ok(Some(serde_json::from_str(&text)?));
    let email = || ask.text("email");
    let address = || ask.text("email").and_then(address);
    match ask.line() {
        ("POST", path) if path[..] == ["users"] => {
            let user = control.user(address()?)?;
            Ok(Some(json!({
                "email": user.email,
                "token": user.token,
                "root_id": user.root_id,
                "permission_id": user.permission_id,
            })))
        }
        ("POST", path) if path[..] == ["service_accounts"] => file(control.service_account(ask.text("name").and_then(name)?)?),
        ("POST", path) if path[..] == ["authorized_users"] => match ask.optional("scopes") {
            Some(scopes) => file(control.authorized_user_for(address()?, scopes)?),
            None => file(control.authorized_user(address()?)?),
        },
        ("POST", path) if path[..] == ["delegations"] => {
            control.grant_delegation(known(control, ask.text("client_email")?)?, ask.text("subject")?).map(done)
        }
        ("DELETE", path) if path[..] == ["delegations"] => {
            control.revoke_delegation(ask.text("client_email")?, ask.text("subject")?).map(done)
        }
        ("POST", path) if path[..] == ["revoke_keys"] => control.revoke_keys(email()?).map(done),
        ("POST", path) if path[..] == ["revoke_tokens"] => control.revoke_tokens(known(control, email()?)?).map(done),
        ("POST", path) if path[..] == ["groups"] => {
            let members = ask.body.get("members").and_then(Value::as_array);
            let members: Vec<&str> = members.into_iter().flatten().filter_map(Value::as_str).collect();
            control.group(email()?, &members).map(done)
        }
        ("POST", path) if path[..] == ["storage_limit"] => {
            let bytes = ask.body.get("bytes").and_then(Value::as_i64);
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
    let (parent, name) = (|| Ok::<_, ApiError>(ask.optional("parent").unwrap_or("root")), || ask.text("name"));
    let made = match act {
        "mkdir" => Some(control.mkdir(email()?, parent()?, name()?)?),
        "put" => {
            let mime = ask.optional("mime").unwrap_or("application/octet-stream");
            Some(control.put(email()?, parent()?, name()?, &content(ask)?, mime)?)
        }
        "put_generated" => Some(control.put_generated(email()?, parent()?, name()?, ask.number("size")?)?),
        "google_doc" => Some(control.google_doc(email()?, parent()?, name()?, kind(ask)?)?),
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
        "mark_abusive" => none(control.mark_abusive(id()?, ask.body.get("abusive") != Some(&json!(false)))?),
        "noise" => none(control.touch_noise(email()?, id()?, ask.text("what")?)?),
        "update" => {
            let body = ask.body.get("body").cloned().ok_or_else(|| ApiError::required_parameter("body"))?;
            none(control.update(email()?, id()?, body)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(made.map_or_else(|| json!({}), |id| json!({ "id": id }))))
}

/// An address somebody may have.
fn address(email: &str) -> ApiResult<&str> {
    let sound = email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if sound && !email.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(email);
    }
    Err(ApiError::invalid(format!("{email:?} is no address, such as ana@example.com.")).at_parameter("email"))
}

/// The address of an account there is.
fn known<'a>(control: &Control, email: &'a str) -> ApiResult<&'a str> {
    if control.app.store.read(|db| accounts::find(db, email))?.is_some() {
        return Ok(email);
    }
    Err(ApiError::new(404, "notFound", format!("Nobody has the address {email:?}.")))
}

/// A service account's name, or its whole address.
fn name(name: &str) -> ApiResult<&str> {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._@".contains(c)) {
        return Ok(name);
    }
    Err(ApiError::invalid(format!("{name:?} is no name of a service account: letters, digits and dashes.")).at_parameter("name"))
}

/// A kind of editors' file.
fn kind(ask: &Ask) -> ApiResult<&str> {
    const KINDS: [&str; 5] = ["document", "spreadsheet", "presentation", "drawing", "form"];
    let kind = ask.optional("kind").unwrap_or(KINDS[0]);
    if KINDS.contains(&kind) {
        return Ok(kind);
    }
    Err(ApiError::invalid(format!("{kind:?} is no kind; there are {}.", KINDS.join(", "))).at_parameter("kind"))
}

fn none((): ()) -> Option<String> {
    None
}

/// The bytes of a file: `content` in letters or `content_base64`; nothing is an empty file.
fn content(ask: &Ask) -> ApiResult<Vec<u8>> {
    match ask.optional("content_base64") {
        Some(coded) => {
            base64::engine::general_purpose::STANDARD.decode(coded).map_err(|_| ApiError::bad_request("content_base64 is no base64."))
        }
        None => Ok(ask.optional("content").unwrap_or_default().as_bytes().to_vec()),
    }
}
