//! The promise of the product, checked against what really is on Drive, on the VM and with the backend.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::receiver::Received;
use super::world::World;

/// One event as the backend has it, under its one id.
#[derive(Debug, Clone)]
pub struct Told {
    /// The file.
    pub file_id: String,
    /// `processado`, `erro` or `retirado`.
    pub outcome: String,
    /// Of the content, where Drive has one.
    pub checksum: Option<String>,
}

/// What the backend was told of files. An id that came with two bodies, or an event that is none, fails the test.
#[track_caller]
pub fn told(requests: &[Received]) -> Vec<Told> {
    let mut bodies: BTreeMap<&str, &str> = BTreeMap::new();
    let mut told = Vec::new();
    for request in requests.iter().filter(|r| r.target.ends_with("/api/callbacks/process")) {
        let id = request.headers.get("webhook-id").expect("an event has an id").as_str();
        if let Some(before) = bodies.insert(id, &request.body) {
            assert_eq!(before, request.body, "{id} came with two bodies");
            continue;
        }
        let body: Value = serde_json::from_str(&request.body).expect("JSON");
        for file in body["result"]["files"].as_array().expect("files") {
            let text = |key: &str| file[key].as_str().unwrap_or_else(|| panic!("{key} in {file}")).to_owned();
            told.push(Told { file_id: text("file_id"), outcome: text("outcome"), checksum: file["checksum"].as_str().map(str::to_owned) });
        }
    }
    told
}

/// Holds the product to its promise for these technicians' trees (`folder` names), once nothing is pending any more:
///
/// - every file that is live on Drive below a tree lies in `processados` or `erro`, none in `novos` (but for ignored names);
/// - each of them was told to the backend with the outcome of the folder it lies in, and its checksum;
/// - the VM has the same files as often, with the same bytes, in the same folder, and nothing half-done in `novos`.
#[track_caller]
pub fn assert_promise(world: &World, folders: &[&str], requests: &[Received]) {
    let told = told(requests);
    let tree = live_files(world);
    for folder in folders {
        let mut on_drive: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for file in tree.iter().filter(|f| f.path.starts_with(&format!("{folder}/"))) {
            let place = ["processados", "erro", "novos"].into_iter().find(|p| file.path.starts_with(&format!("{folder}/pdfs/{p}/")));
            let place = place.unwrap_or_else(|| panic!("{} lies outside of the three folders", file.path));
            assert_ne!(place, "novos", "{} is left in novos", file.path);
            let outcome = if place == "erro" { "erro" } else { "processado" };
            let was_told = told.iter().any(|t| t.file_id == file.id && t.outcome == outcome && t.checksum == file.md5);
            assert!(was_told, "nobody was told that {} ended as {outcome}", file.path);
            if let Some(md5) = &file.md5 {
                on_drive.entry(place).or_default().push(md5.clone());
            }
        }
        for place in ["processados", "erro"] {
            let mut wanted = on_drive.remove(place).unwrap_or_default();
            let mut there = local_md5s(&world.vm().join(folder).join("pdfs").join(place));
            // Copies of what was taken back, or of older versions, and refused files nobody fetched, make the two differ.
            wanted.sort();
            there.sort();
            if place == "processados" {
                let missing: Vec<_> = wanted.iter().filter(|m| !there.contains(m)).collect();
                assert!(missing.is_empty(), "{folder}: {missing:?} are in processados on Drive and not on the VM");
            }
        }
        let left: Vec<String> = names(&world.vm().join(folder).join("pdfs/novos"));
        assert!(left.is_empty(), "{folder}: {left:?} is left in the local novos");
    }
}

/// A live file of the trees.
pub struct Live {
    /// Path from the parent folder, names as on Drive.
    pub path: String,
    /// Id.
    pub id: String,
    /// Checksum, where there is one.
    pub md5: Option<String>,
}

/// Every live file, no folders, below the folder the trees lie in. One file twice fails the test.
#[track_caller]
pub fn live_files(world: &World) -> Vec<Live> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    let mut open = vec![(String::new(), world.parent.clone())];
    while let Some((path, id)) = open.pop() {
        for child in world.control().children(&id).expect("children") {
            if child["trashed"] == true {
                continue;
            }
            let text = |key: &str| child[key].as_str().unwrap_or_default().to_owned();
            let child_path = if path.is_empty() { text("name") } else { format!("{path}/{}", text("name")) };
            if child["mimeType"] == "application/vnd.google-apps.folder" {
                open.push((child_path, text("id")));
            } else {
                assert!(ids.insert(text("id")), "{child_path} is there twice");
                found.push(Live { path: child_path, id: text("id"), md5: child["md5Checksum"].as_str().map(str::to_owned) });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The names in a local folder, hidden ones too, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn local_md5s(folder: &Path) -> Vec<String> {
    use md5::{Digest, Md5};
    let files = names(folder).into_iter().map(|n| folder.join(n)).filter(|p| p.is_file());
    files.map(|p| format!("{:x}", Md5::digest(std::fs::read(p).expect("read")))).collect()
}
