//! A new file with content, in one resumable session (drive-v3-behaviour 1d). google-drive3's own loses data (9.17).

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use url::Url;

use super::{Raw, accepted, broken, file};
use crate::drive::call::Cost;
use crate::drive::retry::Patience;
use crate::drive::{Created, Drive, DriveError, Entry, FileId, Kind, entry, understood};

/// A chunk in memory; a multiple of 256 KiB, as Drive wants it (1.29).
const CHUNK: u64 = 4 * 1024 * 1024;

/// A file to create with content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its id, from [`Drive::generate_ids`].
    pub id: FileId,
    /// Its name.
    pub name: String,
    /// The folder it will lie in.
    pub parent: FileId,
    /// Its type.
    pub mime_type: String,
    /// tecnico's properties on it.
    pub app_properties: BTreeMap<String, String>,
}

/// What a session answered: the file is there, or so many bytes are.
enum Progress {
    Done(Box<google_drive3::api::File>),
    Stored(u64),
}

impl Drive {
    /// Uploads a local file as a new one. Safe to repeat: a second one under the same id makes nothing.
    pub async fn upload(&self, new: &NewFile, from: &Path) -> Result<Created, DriveError> {
        let what = format!("upload {:?}", new.name);
        match self.raw.upload(&what, new, from).await {
            Ok(file) => understood(Entry::from_api(file)).map(Created::New).map_err(|e| self.door.named(&what, e)),
            Err(error) if error.kind == Kind::Conflict => Ok(Created::Existing),
            // What went through the door says so already; the chunks did not.
            Err(error) => Err(self.door.named(if error.what.is_empty() { &what } else { "" }, error)),
        }
    }
}

impl Raw {
    async fn upload(&self, what: &str, new: &NewFile, from: &Path) -> Result<google_drive3::api::File, DriveError> {
        let mut source = tokio::fs::File::open(from).await.map_err(local)?;
        let total = source.metadata().await.map_err(local)?.len();
        let session = self.start(what, new, total).await?;
        let mut patience = Patience::default();
        let mut at = 0;
        loop {
            let step = match self.send(&session, &mut source, at, total).await {
                Err(error) if error.kind.is_ambiguous() => Err(error),
                other => Ok(other?),
            };
            match step {
                Ok(Progress::Done(file)) => return Ok(*file),
                // The server's word on what it has, not ours (1.31).
                Ok(Progress::Stored(stored)) if stored > at => {
                    at = stored;
                    patience = Patience::default();
                    continue;
                }
                Ok(Progress::Stored(_)) => {
                    self.pause(&mut patience, DriveError::new(Kind::Server, "Drive stored nothing of what was sent")).await?;
                }
                Err(error) => self.pause(&mut patience, error).await?,
            }
            // 1.33: what has arrived is asked for, for the answer may have been lost after the last byte.
            match self.put(&session, &format!("bytes */{total}"), Vec::new()).await {
                Ok(Progress::Done(file)) => return Ok(*file),
                Ok(Progress::Stored(stored)) => at = stored,
                Err(error) => self.pause(&mut patience, error).await?,
            }
        }
    }

    async fn pause(&self, patience: &mut Patience, error: DriveError) -> Result<(), DriveError> {
        match patience.next(&error) {
            Some(delay) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
            None => Err(error),
        }
    }

    /// Opens the session: its address is the key to it, so it is never shown.
    async fn start(&self, what: &str, new: &NewFile, total: u64) -> Result<Url, DriveError> {
        let body = json!({
            "id": new.id.as_str(), "name": new.name, "mimeType": new.mime_type,
            "parents": [new.parent.as_str()], "appProperties": new.app_properties,
        });
        let body = &body;
        self.door
            .call(what, Cost::Edit, |token| async move {
                let request = self
                    .request(Method::POST, "upload/drive/v3/files", &token)
                    .query(&[("uploadType", "resumable"), ("supportsAllDrives", "true"), ("fields", entry::FULL)])
                    .header("X-Upload-Content-Length", total)
                    .header("X-Upload-Content-Type", &new.mime_type)
                    .json(body);
                let response = accepted(request.send().await.map_err(broken)?).await?;
                let location = response.headers().get(header::LOCATION).and_then(|h| h.to_str().ok()).and_then(|l| Url::parse(l).ok());
                location.ok_or_else(|| DriveError::new(Kind::Unreadable, "Drive opened an upload without an address"))
            })
            .await
    }

    async fn send(&self, session: &Url, source: &mut tokio::fs::File, at: u64, total: u64) -> Result<Progress, DriveError> {
        let length = CHUNK.min(total - at);
        if length == 0 {
            return self.put(session, &format!("bytes */{total}"), Vec::new()).await;
        }
        let mut chunk = vec![0; usize::try_from(length).map_err(|e| DriveError::new(Kind::Local, "a chunk is too large").because(e))?];
        source.seek(std::io::SeekFrom::Start(at)).await.map_err(local)?;
        source.read_exact(&mut chunk).await.map_err(local)?;
        self.put(session, &format!("bytes {at}-{}/{total}", at + length - 1), chunk).await
    }

    async fn put(&self, session: &Url, range: &str, chunk: Vec<u8>) -> Result<Progress, DriveError> {
        let request =
            self.http.put(session.clone()).header(header::CONTENT_RANGE, range).header(header::CONTENT_LENGTH, chunk.len()).body(chunk);
        let response = request.send().await.map_err(broken)?;
        if response.status() == StatusCode::PERMANENT_REDIRECT {
            return Ok(Progress::Stored(stored(&response)));
        }
        Ok(Progress::Done(Box::new(file(accepted(response).await?).await?)))
    }
}

/// `Range: bytes=0-N` means N+1 bytes are stored; without it, none (1.31).
fn stored(response: &Response) -> u64 {
    let last = response.headers().get(header::RANGE).and_then(|h| h.to_str().ok()).and_then(|t| t.strip_prefix("bytes=0-"));
    last.and_then(|n| n.parse::<u64>().ok()).map_or(0, |n| n + 1)
}

fn local(error: std::io::Error) -> DriveError {
    DriveError::new(Kind::Local, "the file to upload cannot be read").because(error)
}
