//! `POST /api/folders/status` (CONTRACT 4.2): what the ledger knows, and whether the folders on the VM stand.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::json;

use super::Api;
use super::body::Fields;
use super::reply::Reply;
use crate::domain::folder::Role;
use crate::domain::technician::{Email, UserId};
use crate::error::{Exit, Failure};
use crate::fs_layout::LocalState;
use crate::ledger::{FolderState, Technician};

/// Answers who somebody is, asks nothing of Drive and writes nothing.
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
    let (ledger, layout) = (&api.0.agent.ledger, &api.0.agent.settings.layout);
    let rows = ledger.folder_ids(&technician.user).await?;
    let id = |role| rows.iter().find(|r| r.path == layout.path_of(role)).map(|r| r.drive_id.clone()).unwrap_or_default();
    let on_drive = layout.drive_folders().iter().all(|f| rows.iter().any(|r| r.path == f.path && r.state == FolderState::Created));
    let tree = api.0.agent.base.tree(&technician.folder)?;
    let path = tree.path().display().to_string();
    let wanted = layout.local_folders();
    let there = tokio::task::spawn_blocking(move || tree.observe(&wanted)).await.map_err(broke)?;
    // Something else in the place of a folder is as bad as none.
    let on_vm = there.is_ok_and(|folders| folders.iter().all(|f| f.state == LocalState::Present));
    let message = if on_drive && on_vm { "As pastas existem." } else { "As pastas estão incompletas." };
    Ok(Reply::new(
        StatusCode::OK,
        json!({
            "status": "success",
            "exists": true,
            "message": message,
            "folders_exist": on_drive && on_vm,
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

fn broke(why: tokio::task::JoinError) -> Failure {
    Failure::new(Exit::Bug, "task_broke", "a look at the local tree broke off").because(why)
}
