//! Whose Drive this is, and the shared drive it works in.

use google_drive3::api::Scope;

use super::Drive;
use super::call::Cost;
use super::error::{DriveError, Kind};
use super::ids::FileId;

/// The account as Drive knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Its address.
    pub email: String,
    /// Names it in grants (3.2).
    pub permission_id: Option<String>,
    /// Bytes it may store; `None` is no limit. A new service account has 0 (7.23).
    pub storage_limit: Option<u64>,
    /// Bytes it stores.
    pub storage_used: Option<u64>,
}

/// A shared drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedDrive {
    /// Its id, which is also its top folder's.
    pub id: FileId,
    /// Its name.
    pub name: String,
    /// Whether the account may put folders into it.
    pub can_add_children: bool,
    /// Whether the account may share its folders.
    pub can_share: bool,
}

impl Drive {
    /// Asks who we are. The cheapest call that proves the credentials.
    pub async fn about(&self) -> Result<About, DriveError> {
        let what = "ask who we are on Drive";
        let about = self
            .door
            .hub(what, Cost::Read, |hub, mut tap| async move {
                let call =
                    hub.about().get().param("fields", "user(emailAddress,permissionId),storageQuota(limit,usage)").add_scope(Scope::Full);
                Ok(call.delegate(&mut tap).doit().await?.1)
            })
            .await?;
        let user = about.user.unwrap_or_default();
        let quota = about.storage_quota.unwrap_or_default();
        let bytes = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
        Ok(About {
            email: user.email_address.ok_or_else(|| self.door.named(what, DriveError::new(Kind::Unreadable, "Drive did not say")))?,
            permission_id: user.permission_id,
            storage_limit: bytes(quota.limit),
            storage_used: bytes(quota.usage),
        })
    }

    /// A shared drive; `None` if it does not exist or the account is no member.
    pub async fn shared_drive(&self, id: &FileId) -> Result<Option<SharedDrive>, DriveError> {
        let what = format!("read shared drive {id}");
        let answer = self
            .door
            .hub(&what, Cost::Read, |hub, mut tap| async move {
                let call =
                    hub.drives().get(id.as_str()).param("fields", "id,name,capabilities(canAddChildren,canShare)").add_scope(Scope::Full);
                Ok(call.delegate(&mut tap).doit().await?.1)
            })
            .await;
        match answer {
            Ok(drive) => {
                let can = drive.capabilities.unwrap_or_default();
                Ok(Some(SharedDrive {
                    id: id.clone(),
                    name: drive.name.unwrap_or_default(),
                    can_add_children: can.can_add_children.unwrap_or(false),
                    can_share: can.can_share.unwrap_or(false),
                }))
            }
            Err(error) if error.kind == Kind::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }
}
