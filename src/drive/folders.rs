//! Creating folders under ids made beforehand.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use super::entry::{self, Entry, FOLDER};
use super::error::{DriveError, Kind};
use super::ids::FileId;
use super::{Drive, understood};

/// A folder to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFolder {
    /// Its id, from [`Drive::generate_ids`].
    pub id: FileId,
    /// Its name.
    pub name: String,
    /// The folder it will lie in.
    pub parent: FileId,
    /// tecnico's properties on it.
    pub app_properties: BTreeMap<String, String>,
}

/// What came of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // read once and dropped; a box would only be in the way
pub enum Created {
    /// It was made now.
    New(Entry),
    /// Something with this id exists: made by an earlier try whose answer was lost, or by somebody who had the same id.
    /// What and where it is only reading it back says.
    Existing,
}

/// Folders this process made. For a moment Drive can deny that they exist (6.13).
#[derive(Clone, Default)]
pub(super) struct MadeHere(Arc<Mutex<HashSet<FileId>>>);

impl MadeHere {
    fn add(&self, id: &FileId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
    }

    fn has(&self, id: &FileId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

/// How long is waited for a folder just made to be known everywhere.
const SETTLING: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(800)];

impl Drive {
    /// Creates a folder. Safe to repeat: a second create under the same id makes nothing (1.17).
    pub async fn create_folder(&self, folder: &NewFolder) -> Result<Created, DriveError> {
        let what = format!("create folder {:?}", folder.name);
        let body = json!({
            "id": folder.id.as_str(),
            "name": folder.name,
            "mimeType": FOLDER,
            "parents": [folder.parent.as_str()],
            "appProperties": folder.app_properties,
        });
        let query = [("supportsAllDrives", "true"), ("fields", entry::FULL)];
        match self.settled(&folder.parent, || self.raw.post(&what, "files", &query, &body)).await {
            Ok(file) => {
                self.made.add(&folder.id);
                understood(Entry::from_api(file)).map(Created::New).map_err(|e| self.door.named(&what, e))
            }
            Err(error) if error.kind == Kind::Conflict => Ok(Created::Existing),
            Err(error) => Err(error),
        }
    }

    /// Asks again for a moment when Drive does not know `folder`, which was made here.
    pub(super) async fn settled<T, F>(&self, folder: &FileId, ask: impl Fn() -> F + Send + Sync) -> Result<T, DriveError>
    where
        F: Future<Output = Result<T, DriveError>> + Send,
    {
        for wait in SETTLING {
            match ask().await {
                Err(error) if error.kind == Kind::Gone && self.made.has(folder) => tokio::time::sleep(wait).await,
                other => return other,
            }
        }
        ask().await
    }
}
