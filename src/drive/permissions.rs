//! Who may do what. Drive does not support two changes of one item's grants at once (3.4), so they queue here per item.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use google_drive3::api::{Permission, Scope};
use tokio::sync::OwnedMutexGuard;

use super::call::Cost;
use super::entry::{self, Grant};
use super::error::{DriveError, Kind};
use super::ids::FileId;
use super::{Drive, understood};

/// A grant to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// The person.
    pub email: String,
    /// `writer`, `commenter`, `reader`, ….
    pub role: String,
    /// Whether Google sends its own e-mail.
    pub notify: bool,
}

/// One queue an item.
#[derive(Clone, Default)]
pub(super) struct PerItem(Arc<Mutex<HashMap<FileId, Weak<tokio::sync::Mutex<()>>>>>);

impl PerItem {
    async fn turn(&self, id: &FileId) -> OwnedMutexGuard<()> {
        let queue = {
            let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if items.len() > 1000 {
                items.retain(|_, queue| queue.strong_count() > 0);
            }
            let known = items.get(id).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let queue = Arc::new(tokio::sync::Mutex::new(()));
                items.insert(id.clone(), Arc::downgrade(&queue));
                queue
            })
        };
        queue.lock_owned().await
    }
}

impl Drive {
    /// All grants on an item, those that come from folders above included.
    pub async fn permissions(&self, id: &FileId) -> Result<Vec<Grant>, DriveError> {
        let what = format!("list who may use {id}");
        let mut grants = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page_token = token.as_deref();
            let page = self
                .door
                .hub(&what, Cost::List, |hub, mut tap| async move {
                    let mut call = hub.permissions().list(id.as_str()).supports_all_drives(true).page_size(100);
                    if let Some(token) = page_token {
                        call = call.page_token(token);
                    }
                    Ok(call.param("fields", entry::GRANTS).add_scope(Scope::Full).delegate(&mut tap).doit().await?.1)
                })
                .await?;
            for permission in page.permissions.unwrap_or_default() {
                grants.push(understood(Grant::from_api(permission)).map_err(|e| self.door.named(&what, e))?);
            }
            match page.next_page_token {
                None => return Ok(grants),
                same if same == token => {
                    return Err(self.door.named(&what, DriveError::new(Kind::Unreadable, "Drive gave the same page twice")));
                }
                next => token = next,
            }
        }
    }

    /// Shares an item with a person. Repeating it changes nothing: Drive keeps one grant a person (3.3).
    ///
    /// An address without a Google account can only be invited with Google's e-mail (3.6): without `notify` it is refused,
    /// and the failure says so. A share whose e-mail could not be sent is a share (3.7).
    pub async fn grant(&self, id: &FileId, grant: &NewGrant) -> Result<Grant, DriveError> {
        let _turn = self.sharing.turn(id).await;
        let error = match self.settled(id, || self.grant_once(id, grant)).await {
            Err(error) if error.is_reason("invalidSharingRequest") => error,
            other => return other,
        };
        if error.message.contains("successfully shared") {
            let same = |g: &Grant| g.email.as_deref().is_some_and(|e| e.eq_ignore_ascii_case(&grant.email));
            if let Some(there) = self.permissions(id).await?.into_iter().find(same) {
                return Ok(there);
            }
        }
        Err(error)
    }

    async fn grant_once(&self, id: &FileId, grant: &NewGrant) -> Result<Grant, DriveError> {
        let what = format!("share {id} with {}", grant.email);
        let permission = self
            .door
            .hub(&what, Cost::Edit, |hub, mut tap| async move {
                let body = Permission {
                    type_: Some("user".into()),
                    role: Some(grant.role.clone()),
                    email_address: Some(grant.email.clone()),
                    ..Permission::default()
                };
                let call = hub.permissions().create(body, id.as_str()).supports_all_drives(true).send_notification_email(grant.notify);
                Ok(call.param("fields", entry::GRANT).add_scope(Scope::Full).delegate(&mut tap).doit().await?.1)
            })
            .await?;
        understood(Grant::from_api(permission)).map_err(|e| self.door.named(&what, e))
    }

    /// Gives an existing grant another role.
    pub async fn regrant(&self, id: &FileId, permission_id: &str, role: &str) -> Result<Grant, DriveError> {
        let what = format!("change a grant on {id} to {role}");
        let permission_id = self.checked(&what, permission_id)?;
        let permission_id = &permission_id;
        let _turn = self.sharing.turn(id).await;
        let permission = self
            .door
            .hub(&what, Cost::Edit, |hub, mut tap| async move {
                let body = Permission { role: Some(role.to_owned()), ..Permission::default() };
                let call = hub.permissions().update(body, id.as_str(), permission_id.as_str()).supports_all_drives(true);
                Ok(call.param("fields", entry::GRANT).add_scope(Scope::Full).delegate(&mut tap).doit().await?.1)
            })
            .await?;
        understood(Grant::from_api(permission)).map_err(|e| self.door.named(&what, e))
    }

    /// Takes a grant away. One that is not there is fine (3.17).
    pub async fn revoke(&self, id: &FileId, permission_id: &str) -> Result<(), DriveError> {
        let what = format!("take a grant on {id} away");
        let permission_id = self.checked(&what, permission_id)?;
        let permission_id = &permission_id;
        let _turn = self.sharing.turn(id).await;
        let answer = self
            .door
            .hub(&what, Cost::Edit, |hub, mut tap| async move {
                let call = hub.permissions().delete(id.as_str(), permission_id.as_str()).supports_all_drives(true).add_scope(Scope::Full);
                call.delegate(&mut tap).doit().await?;
                Ok(())
            })
            .await;
        match answer {
            Err(error) if error.kind == Kind::Gone => Ok(()),
            other => other,
        }
    }

    /// A permission's id enters the URL too, and has the alphabet of file ids.
    fn checked(&self, what: &str, permission_id: &str) -> Result<FileId, DriveError> {
        FileId::new(permission_id).map_err(|e| self.door.named(what, DriveError::new(Kind::BadRequest, e.to_string())))
    }
}
