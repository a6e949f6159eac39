//! `POST /api/folders/status` (CONTRACT 4.2): what the ledger knows, and whether the folders on the VM and on Drive stand.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::json;

use super::Api;
use super::body::Fields;
use super::reply::Reply;
use crate::domain::folder::Role;
use crate::domain::reach::Reach;
use crate::domain::technician::{Email, UserId};
use crate::error::{Exit, Failure};
use crate::ledger::Technician;
use crate::provision::Provisioner;

/// Answers who somebody is, with one look at Drive, and writes nothing. Where Drive does not answer, `folders_exist` is as it was
/// last known and `drive_checked` says so: old clients raise from 400 on, and what they mostly ask for is known here.
pub(super) async fn look_up(State(api): State<Api>, request: Request) -> Result<Reply, Reply> {
    let fields = Fields::of(request).await?;
    let (user, email) = (fields.text("user_id")?, fields.text("user_email")?);
    if user.is_none() && email.is_none() {
        return Err(Reply::wrong("É preciso informar user_id ou user_email."));
    }
    let Some(technician) = find(&api, user.as_deref(), email.as_deref()).await? else {
        let message = "O usuário não tem pastas.";
        return Ok(Reply::new(StatusCode::OK, json!({ "status": "success", "exists": false, "message": message })));
    };
    let agent = &api.0.agent;
    let layout = &agent.settings.layout;
    let rows = agent.ledger.folder_ids(&technician.user).await?;
    let id = |role| rows.iter().find(|r| r.path == layout.path_of(role)).map(|r| r.drive_id.clone()).unwrap_or_default();
    let tree = agent.base.tree(&technician.folder)?;
    let path = tree.path().display().to_string();
    let provisioner =
        Provisioner { settings: &agent.settings, drive: &agent.drive, ledger: &agent.ledger, base: &agent.base, reach: &Reach::EVERYBODY };
    let stands = provisioner.stands(tree, &rows).await?;
    let folders_exist = stands.on_drive && stands.on_vm;
    let message = match (folders_exist, stands.drive_checked) {
        (true, true) => "As pastas existem.",
        (false, true) => "As pastas estão incompletas.",
        (true, false) => "As pastas existem, segundo o registro; o Drive não pôde ser consultado.",
        (false, false) => "As pastas na VM estão incompletas; o Drive não pôde ser consultado.",
    };
    Ok(Reply::new(
        StatusCode::OK,
        json!({
            "status": "success",
            "exists": true,
            "message": message,
            "folders_exist": folders_exist,
            "drive_checked": stands.drive_checked,
            "user_data": {
                "name": technician.name,
                "email": technician.email.as_ref().map(Email::as_str),
                "drive_folder_id": id(Role::Usuario),
                "novos_folder_id": id(Role::Novos),
                "vm_folder_path": path,
            },
        }),
    ))
}

/// By the id, where one is given; or else by the e-mail.
async fn find(api: &Api, user: Option<&str>, email: Option<&str>) -> Result<Option<Technician>, Reply> {
    let ledger = &api.0.agent.ledger;
    if let Some(user) = user {
        let user = UserId::parse(user).map_err(|why| Failure::new(Exit::Data, "user_invalid", why))?;
        return Ok(ledger.technician(&user).await?.filter(|t| t.removed_at.is_none()));
    }
    let email = Email::parse(email.unwrap_or_default()).map_err(|why| Failure::new(Exit::Data, "email_invalid", why))?;
    Ok(ledger.technicians().await?.into_iter().find(|t| t.email.as_ref() == Some(&email)))
}
