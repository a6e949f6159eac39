//! Creating folders under ids made beforehand.

use std::collections::BTreeMap;

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
        match self.raw.post(&what, "files", &[("supportsAllDrives", "true"), ("fields", entry::FULL)], &body).await {
            Ok(file) => understood(Entry::from_api(file)).map(Created::New).map_err(|e| self.door.named(&what, e)),
            Err(error) if error.kind == Kind::Conflict => Ok(Created::Existing),
            Err(error) => Err(error),
        }
    }
}
