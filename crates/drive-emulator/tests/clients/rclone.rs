//! rclone as Debian ships it. It cannot be told another address, so a proxy ends its TLS on the way (10.4).

mod mount;
mod setup;

use std::time::{Duration, Instant};

use drive_emulator::control::{Effect, Fault, Status, When};
use serde_json::Value;
use setup::Rclone;

const ANA: &str = "ana@example.com";

/// Files as people name them.
const FILES: &[(&str, &str)] = &[
    ("16517189.pdf", "first order"),
    ("Ordem de serviço nº 7 'cópia'.pdf", "second"),
    ("back\\slash.txt", "a name with a backslash"),
    ("empty.txt", ""),
    ("deep/er/still/down.txt", "four levels"),
    ("deep/side.txt", "beside"),
];

/// Paths in a listing, sorted, and what is said of one.
fn paths(listing: &str) -> (Vec<String>, Vec<Value>) {
    let entries: Vec<Value> = serde_json::from_str(listing).expect("lsjson prints JSON");
    let mut paths: Vec<String> = entries.iter().map(|entry| entry["Path"].as_str().unwrap_or_default().to_owned()).collect();
    paths.sort();
    (paths, entries)
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_there_and_back_and_finds_no_difference() {
    let rclone = Rclone::start().await;
    rclone.write("here", FILES);
    rclone.run(&["copy", "here", "ana:orders"]).await;
    rclone.run(&["check", "here", "ana:orders"]).await;
    rclone.run(&["check", "--download", "here", "ana:orders"]).await;
    let (found, entries) = paths(&rclone.run(&["lsjson", "--recursive", "--files-only", "--hash", "ana:orders"]).await);
    let mut wanted: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    let pdf = entries.iter().find(|entry| entry["Path"] == "16517189.pdf").expect("it is listed");
    assert_eq!((&pdf["Size"], &pdf["MimeType"]), (&Value::from(11), &Value::from("application/pdf")));
    assert!(pdf["Hashes"]["md5"].is_string(), "{pdf}");
    rclone.run(&["copy", "ana:orders", "back"]).await;
    rclone.run(&["check", "here", "back"]).await;
    let before = rclone.rig.count("files.create");
    rclone.run(&["copy", "here", "ana:orders"]).await;
    assert_eq!(rclone.rig.count("files.create"), before, "times come back as they were sent, so nothing is copied twice");
    rclone.rig.nothing_unknown();
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_files_and_folders_on_the_server() {
    let rclone = Rclone::start().await;
    rclone.write("here", FILES);
    rclone.run(&["copy", "here", "ana:novos"]).await;
    let id = rclone.id("novos/16517189.pdf").await;
    rclone.run(&["moveto", "ana:novos/16517189.pdf", "ana:processados/2026/16517189.pdf"]).await;
    rclone.run(&["moveto", "ana:novos/deep", "ana:processados/deep"]).await;
    rclone.run(&["copyto", "ana:novos/empty.txt", "ana:erro/copy.txt"]).await;
    let calls = rclone.rig.control.requests();
    assert_eq!(rclone.id("processados/2026/16517189.pdf").await, id, "a move keeps the id");
    assert!(
        calls.iter().any(|call| call.op == "files.update" && call.query.contains("addParents=") && call.query.contains("removeParents="))
    );
    assert_eq!(rclone.rig.count("files.copy"), 1);
    let (left, _) = paths(&rclone.run(&["lsjson", "--recursive", "--files-only", "ana:novos"]).await);
    assert_eq!(left.len(), FILES.len() - 3, "{left:?}");
    rclone.run(&["move", "ana:novos", "ana:erro"]).await;
    let (left, _) = paths(&rclone.run(&["lsjson", "--recursive", "--files-only", "ana:novos"]).await);
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_trashes_and_cleanup_deletes() {
    let rclone = Rclone::start().await;
    rclone.write("here", &[("keep.txt", "1"), ("change.txt", "old"), ("drop.txt", "3")]);
    rclone.run(&["sync", "here", "ana:orders"]).await;
    let (changed, dropped) = (rclone.id("orders/change.txt").await, rclone.id("orders/drop.txt").await);
    rclone.write("here", &[("change.txt", "new and longer"), ("more.txt", "4")]);
    rclone.remove("here/drop.txt");
    rclone.run(&["sync", "here", "ana:orders"]).await;
    rclone.run(&["check", "here", "ana:orders"]).await;
    let control = &rclone.rig.control;
    assert_eq!(control.file(&dropped).expect("it is in the trash")["trashed"], true);
    assert_eq!(control.content(&changed).expect("the same file"), b"new and longer", "new bytes are a revision of the same file");
    rclone.run(&["cleanup", "ana:"]).await;
    assert!(control.file(&dropped).is_err(), "the trash is empty");
    rclone.run(&["delete", "--drive-use-trash=false", "ana:orders/keep.txt"]).await;
    rclone.run(&["mkdir", "ana:orders/empty"]).await;
    rclone.run(&["rmdir", "ana:orders/empty"]).await;
    rclone.run(&["purge", "ana:orders"]).await;
    let (left, _) = paths(&rclone.run(&["lsjson", "ana:"]).await);
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_twice_in_one_folder_are_told_apart_and_merged() {
    let rclone = Rclone::start().await;
    let control = &rclone.rig.control;
    let orders = control.mkdir(ANA, "root", "orders").expect("a folder");
    for text in ["same", "same", "newer"] {
        control.put(ANA, &orders, "twin.txt", text.as_bytes(), "text/plain").expect("a file");
        control.clock_advance(Duration::from_secs(5)).expect("time passes");
    }
    for name in ["left.txt", "right.txt"] {
        let folder = control.mkdir(ANA, &orders, "double").expect("a folder");
        control.put(ANA, &folder, name, b"x", "text/plain").expect("a file");
    }
    rclone.run(&["dedupe", "--dedupe-mode", "newest", "ana:orders"]).await;
    let (found, _) = paths(&rclone.run(&["lsjson", "--recursive", "ana:orders"]).await);
    assert_eq!(found, ["double", "double/left.txt", "double/right.txt", "twin.txt"]);
    assert_eq!(rclone.run(&["cat", "ana:orders/twin.txt"]).await, "newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_in_chunks_through_errors() {
    let rclone = Rclone::start().await;
    let bytes = "0123456789abcdef".repeat(70_000);
    rclone.write("here", &[("large.bin", &bytes)]);
    let chunks = |effect| Fault::new(effect).op("upload.chunk");
    rclone
        .rig
        .control
        .fault(chunks(Effect::Status(Status::new(503, "backendError"))).when(When::Calls { calls: vec![2] }))
        .expect("a rule that can strike");
    rclone.rig.control.fault(chunks(Effect::CutBefore).when(When::Calls { calls: vec![4] })).expect("a rule that can strike");
    let resumable = ["--drive-chunk-size", "256k", "--drive-upload-cutoff", "0"];
    rclone.run(&[&["copy", "here", "ana:orders"], &resumable[..]].concat()).await;
    rclone.run(&["check", "here", "ana:orders"]).await;
    assert!(rclone.rig.count("upload.chunk") >= 7, "five chunks and two sent again: {:?}", rclone.rig.control.counts());
    rclone.write("here", &[("large.bin", &bytes[16..])]);
    rclone.run(&[&["copy", "here", "ana:orders"], &resumable[..]].concat()).await;
    rclone.run(&["check", "--download", "here", "ana:orders"]).await;
    let control = &rclone.rig.control;
    let orders = control.children(&rclone.rig.ana.root_id).expect("her root");
    let orders = orders[0]["id"].as_str().expect("the folder");
    assert_eq!(control.children(orders).expect("the folder").len(), 1, "one file, whatever happened on the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_many_folders_at_once_even_where_drive_answers_nothing() {
    let rclone = Rclone::start().await;
    let control = &rclone.rig.control;
    let orders = control.mkdir(ANA, "root", "orders").expect("a folder");
    for number in 0..60 {
        let folder = control.mkdir(ANA, &orders, &format!("folder {number}")).expect("a folder");
        control.put(ANA, &folder, "a.txt", b"x", "text/plain").expect("a file");
    }
    for misbehaves in [false, true] {
        control.set_switches(|switches| switches.multi_parent_query_is_empty = misbehaves).expect("a switch");
        control.clear_requests();
        let (found, _) = paths(&rclone.run(&["lsjson", "--recursive", "--fast-list", "--files-only", "ana:orders"]).await);
        assert_eq!(found.len(), 60, "answers nothing: {misbehaves}");
        let asked = control.requests();
        assert!(asked.iter().any(|call| call.query.matches("in+parents").count() > 10), "many folders in one query");
        let lists = rclone.rig.count("files.list");
        assert_eq!(lists > 60, misbehaves, "folder by folder only where it must be: {lists} lists");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_drives_shared_files_shortcuts_and_documents() {
    let rclone = Rclone::start().await;
    let control = &rclone.rig.control;
    let drive = control.shared_drive("Field", ANA).expect("a drive");
    rclone.write("here", &[("a.txt", "shared")]);
    let on_drive = ["--drive-team-drive", &drive];
    rclone.run(&[&["copy", "here", "ana:orders"], &on_drive[..]].concat()).await;
    rclone.run(&[&["check", "here", "ana:orders"], &on_drive[..]].concat()).await;
    let drives: Value = serde_json::from_str(&rclone.run(&["backend", "drives", "ana:"]).await).expect("JSON");
    assert_eq!(drives[0]["id"], drive.as_str());

    let gift = control.mkdir(ANA, "root", "gift").expect("a folder");
    control.put(ANA, &gift, "b.txt", b"for Bea", "text/plain").expect("a file");
    control.share(ANA, &gift, "bea@example.com", "reader").expect("it is shared");
    assert_eq!(rclone.run(&["cat", "--drive-shared-with-me", "bea:gift/b.txt"]).await, "for Bea");
    let (hers, _) = paths(&rclone.run(&["lsjson", "bea:"]).await);
    assert!(hers.is_empty(), "what is shared with her is not in her root: {hers:?}");

    rclone.run(&["backend", "shortcut", "ana:", "gift/b.txt", "link.txt"]).await;
    assert_eq!(rclone.run(&["cat", "ana:link.txt"]).await, "for Bea");
    control.google_doc(ANA, &gift, "letter", "document").expect("a document");
    rclone.run(&["copy", "--drive-export-formats", "pdf", "ana:gift", "out"]).await;
    assert!(rclone.read("out/letter.pdf").starts_with("%PDF-"));
    let about: Value = serde_json::from_str(&rclone.run(&["about", "--json", "ana:"]).await).expect("JSON");
    assert!(about["used"].as_u64().is_some_and(|used| used >= 7), "{about}");
    rclone.rig.nothing_unknown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_file_asks_the_emulator_for_its_token() {
    let rclone = Rclone::start().await;
    let key = rclone.rig.control.service_account("robot").expect("it is made");
    let shared = rclone.rig.control.mkdir(ANA, "root", "shared").expect("a folder");
    rclone.rig.control.share(ANA, &shared, "robot@project.iam.gserviceaccount.com", "writer").expect("it is shared");
    rclone.write("", &[("key.json", &key)]);
    let robot = ["--drive-service-account-file", "key.json", "--drive-root-folder-id", &shared];
    rclone.run(&[&["mkdir", "robot:made"], &robot[..]].concat()).await;
    let made = &rclone.rig.control.children(&shared).expect("the folder")[0];
    assert_eq!((&made["name"], &made["owner"]), (&"made".into(), &"robot@project.iam.gserviceaccount.com".into()));
    assert_eq!(rclone.rig.count("token"), 1);
}

/// The directory cache of a mount, followed without one: `serve http` has the same cache and the same poll of
/// changes, and needs no FUSE.
#[tokio::test(flavor = "multi_thread")]
async fn the_cache_of_a_mount_follows_the_changes() {
    let rclone = Rclone::start().await;
    let control = &rclone.rig.control;
    let orders = control.mkdir(ANA, "root", "orders").expect("a folder");
    let first = control.put(ANA, &orders, "first.txt", b"1", "text/plain").expect("a file");
    let served = rclone.serve(&["--poll-interval", "200ms", "--dir-cache-time", "10h", "ana:"]).await;
    let page = format!("{}/orders/", served.url);
    assert!(text(&page).await.contains("first.txt"));
    let shows = async |name: &str, there: bool| {
        let deadline = Instant::now() + Duration::from_mins(1);
        while text(&page).await.contains(name) != there {
            assert!(Instant::now() < deadline, "{name} there: {there}, not seen in time");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let listed = rclone.rig.count("files.list");
    assert!(text(&page).await.contains("first.txt"));
    assert_eq!(rclone.rig.count("files.list"), listed, "a second look comes from the cache");
    control.put(ANA, &orders, "second.txt", b"2", "text/plain").expect("a file");
    shows("second.txt", true).await;
    control.rename(ANA, &first, "renamed.txt").expect("it is renamed");
    shows("renamed.txt", true).await;
    control.trash(ANA, &first).expect("it is trashed");
    shows("renamed.txt", false).await;
    assert!(rclone.rig.count("changes.list") >= 3);
}

async fn text(url: &str) -> String {
    let answer = reqwest::get(url).await.expect("rclone serves");
    answer.text().await.expect("a page")
}
