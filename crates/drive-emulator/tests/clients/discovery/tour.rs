//! Every served method once, everything it can say asked for.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::Rig;

const ANA: &str = "ana@example.com";

/// Calls and keeps what is answered.
struct Tour<'a> {
    rig: &'a Rig,
    answers: Vec<(&'static str, Value)>,
}

impl Tour<'_> {
    async fn call(&mut self, op: &'static str, method: Method, path: &str, body: Option<Value>) -> Value {
        let joint = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}/drive/v3/{path}{joint}fields=*&supportsAllDrives=true", self.rig.emulator.url());
        let mut request = Client::new().request(method, url).bearer_auth(&self.rig.ana.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("the emulator answers");
        let status = response.status();
        let text = response.text().await.expect("a body");
        assert!(status.is_success(), "{op}: {status} {text}");
        let value = if op == "files.export" { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::Null) };
        self.answers.push((op, value.clone()));
        value
    }

    async fn get(&mut self, op: &'static str, path: &str) -> Value {
        self.call(op, Method::GET, path, None).await
    }

    async fn post(&mut self, op: &'static str, path: &str, body: Value) -> Value {
        self.call(op, Method::POST, path, Some(body)).await
    }

    async fn patch(&mut self, op: &'static str, path: &str, body: Value) -> Value {
        self.call(op, Method::PATCH, path, Some(body)).await
    }

    async fn delete(&mut self, op: &'static str, path: &str) {
        self.call(op, Method::DELETE, path, None).await;
    }
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// What every served method answers.
pub async fn take(rig: &Rig) -> Vec<(&'static str, Value)> {
    let mut tour = Tour { rig, answers: Vec::new() };
    let drive = drives(&mut tour).await;
    let file = files(&mut tour, &drive).await;
    permissions(&mut tour, &file, &drive).await;
    revisions(&mut tour, &file).await;
    changes(&mut tour, &file, &drive).await;
    for path in ["files/trash", &format!("files/{file}"), &format!("drives/{drive}?allowItemDeletion=true&useDomainAdminAccess=true")] {
        let op = if path == "files/trash" {
            "files.emptyTrash"
        } else {
            ["files.delete", "drives.delete"][usize::from(path.starts_with("drives"))]
        };
        tour.delete(op, path).await;
    }
    tour.answers
}

async fn drives(tour: &mut Tour<'_>) -> String {
    let drive = id(&tour.post("drives.create", "drives?requestId=once", json!({ "name": "Field" })).await);
    tour.patch("drives.update", &format!("drives/{drive}"), json!({ "name": "Fieldwork" })).await;
    tour.post("drives.hide", &format!("drives/{drive}/hide"), json!({})).await;
    tour.post("drives.unhide", &format!("drives/{drive}/unhide"), json!({})).await;
    tour.get("drives.get", &format!("drives/{drive}")).await;
    tour.get("drives.list", "drives").await;
    drive
}

async fn files(tour: &mut Tour<'_>, drive: &str) -> String {
    let control = &tour.rig.control;
    let root = control.mkdir(ANA, "root", "novos").expect("a folder");
    let file = control.put(ANA, &root, "a.pdf", b"%PDF-", "application/pdf").expect("a file");
    let document = control.google_doc(ANA, &root, "letter", "document").expect("a document");
    let shortcut = control.shortcut(ANA, &root, "link", &file).expect("a shortcut");
    let inside = control.put(ANA, drive, "in.txt", b"x", "text/plain").expect("a file");
    control.trash(ANA, &inside).expect("it is trashed");
    control.touch_noise(ANA, &file, "view").expect("it is opened");
    let gift = control.put("bea@example.com", "root", "gift.txt", b"x", "text/plain").expect("a file");
    control.share("bea@example.com", &gift, ANA, "writer").expect("it is shared");
    tour.get("about.get", "about").await;
    tour.get("files.generateIds", "files/generateIds?count=2").await;
    let body =
        json!({ "name": "b.txt", "appProperties": { "k": "v" }, "properties": { "p": "q" }, "starred": true, "folderColorRgb": "#ac725e" });
    let made = id(&tour.post("files.create", "files", body).await);
    for id in [&root, &file, &document, &shortcut, &inside, &gift, &made] {
        tour.get("files.get", &format!("files/{id}")).await;
    }
    tour.patch("files.update", &format!("files/{file}"), json!({ "description": "seen" })).await;
    tour.post("files.copy", &format!("files/{file}/copy"), json!({ "name": "copy.pdf" })).await;
    tour.get("files.list", "files?corpora=allDrives&includeItemsFromAllDrives=true&pageSize=3").await;
    tour.get("files.export", &format!("files/{document}/export?mimeType=text/plain")).await;
    file
}

async fn permissions(tour: &mut Tour<'_>, file: &str, drive: &str) {
    let grants = [
        json!({ "type": "user", "role": "reader", "emailAddress": "bea@example.com", "expirationTime": "2199-01-01T00:00:00Z" }),
        json!({ "type": "domain", "role": "reader", "domain": "example.com", "allowFileDiscovery": true }),
        json!({ "type": "anyone", "role": "reader" }),
    ];
    let mut made = String::new();
    for mut grant in grants {
        if grant["type"] == "user" {
            let soon = tour.rig.control.now_ms().expect("a clock") + 86_400_000;
            grant["expirationTime"] = json!(rfc3339(soon));
        }
        made = id(&tour.post("permissions.create", &format!("files/{file}/permissions"), grant).await);
    }
    tour.get("permissions.get", &format!("files/{file}/permissions/{made}")).await;
    tour.get("permissions.list", &format!("files/{file}/permissions")).await;
    tour.get("permissions.list", &format!("files/{drive}/permissions")).await;
    tour.patch("permissions.update", &format!("files/{file}/permissions/{made}"), json!({ "role": "commenter" })).await;
    tour.delete("permissions.delete", &format!("files/{file}/permissions/{made}")).await;
}

async fn revisions(tour: &mut Tour<'_>, file: &str) {
    tour.rig.control.replace(ANA, file, b"new").expect("new bytes");
    let all = tour.get("revisions.list", &format!("files/{file}/revisions")).await;
    let first = format!("files/{file}/revisions/{}", id(&all["revisions"][0]));
    tour.patch("revisions.update", &first, json!({ "keepForever": true })).await;
    tour.get("revisions.get", &first).await;
    tour.delete("revisions.delete", &first).await;
}

async fn changes(tour: &mut Tour<'_>, file: &str, drive: &str) {
    tour.rig.control.set_switches(|switches| switches.push_allows_http = true).expect("a switch");
    for query in [String::new(), format!("?driveId={drive}")] {
        tour.get("changes.getStartPageToken", &format!("changes/startPageToken{query}")).await;
    }
    let gone = tour.rig.control.put(ANA, "root", "gone.txt", b"x", "text/plain").expect("a file");
    tour.rig.control.delete(ANA, &gone).expect("it is deleted");
    tour.get("changes.list", "changes?pageToken=1&includeItemsFromAllDrives=true").await;
    tour.get("changes.list", &format!("changes?pageToken=1&driveId={drive}&includeItemsFromAllDrives=true")).await;
    let channel = |id: &str| json!({ "id": id, "type": "web_hook", "address": "http://127.0.0.1:9/", "token": "t" });
    tour.post("changes.watch", "changes/watch?pageToken=1", channel("all")).await;
    let one = tour.post("files.watch", &format!("files/{file}/watch"), channel("one")).await;
    let stop = json!({ "id": "one", "resourceId": one["resourceId"] });
    tour.post("channels.stop", "channels/stop", stop).await;
}

/// Milliseconds since 1970 as a request writes them.
fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).expect("a time of our days").to_string()
}
