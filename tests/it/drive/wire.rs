//! What each call puts on the wire, and what it makes of the answer.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tecnico::drive::{Change, Created, FileId, Kind, Meter, NewFolder, NewGrant, Query};
use tempfile::tempdir;

use super::script::{Reply, Script};

fn id(text: &str) -> FileId {
    FileId::new(text).expect("an id")
}

fn file(name: &str) -> Value {
    json!({"id": name, "name": name, "mimeType": "application/pdf"})
}

#[tokio::test]
async fn every_call_carries_the_token_shared_drives_and_a_mask() {
    let server = Script::start(|seen, _| match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/drive/v3/files/generateIds") => Reply::json(&json!({"ids": ["a", "b"]})),
        ("GET", "/drive/v3/files") => Reply::json(&json!({"files": [file("f")]})),
        ("GET", "/drive/v3/files/f/permissions") => Reply::json(&json!({"permissions": []})),
        ("POST" | "PATCH", path) if path.contains("permissions") => Reply::json(&json!({"id": "7", "type": "user", "role": "writer"})),
        ("DELETE", _) => Reply::empty(204),
        ("GET", "/drive/v3/changes/startPageToken") => Reply::json(&json!({"startPageToken": "9"})),
        ("GET", "/drive/v3/changes") => Reply::json(&json!({"changes": [], "newStartPageToken": "10"})),
        ("GET", "/drive/v3/about") => Reply::json(&json!({"user": {"emailAddress": "robot@example.com"}, "storageQuota": {"limit": "0"}})),
        ("GET", path) if path.starts_with("/drive/v3/drives/") => Reply::json(&json!({"id": "d", "name": "Campo"})),
        _ => Reply::json(&file("f")),
    })
    .await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    let f = id("f");
    assert_eq!(drive.generate_ids(2).await.expect("ids"), [id("a"), id("b")]);
    let new =
        NewFolder { id: f.clone(), name: "novos".into(), parent: id("p"), app_properties: BTreeMap::from([("k".into(), "v".into())]) };
    assert!(matches!(drive.create_folder(&new).await.expect("created"), Created::New(e) if e.id == f));
    assert_eq!(drive.get(&f).await.expect("read").expect("there").name, "f");
    assert_eq!(drive.list(&Query::children_of(&f).trashed(false)).await.expect("listed").len(), 1);
    let change = Change { add_parent: Some(id("to")), remove_parent: Some(id("from")), ..Change::default() };
    drive.update(&f, &change).await.expect("moved");
    drive.permissions(&f).await.expect("listed");
    drive.grant(&f, &NewGrant { email: "ana@example.com".into(), role: "writer".into(), notify: false }).await.expect("shared");
    drive.regrant(&f, "7", "reader").await.expect("changed");
    drive.revoke(&f, "7").await.expect("taken away");
    assert_eq!(drive.start_token(Some(&id("d"))).await.expect("a token"), "9");
    assert_eq!(drive.changes("9", None).await.expect("a page").new_start.as_deref(), Some("10"));
    assert_eq!(drive.about().await.expect("about").storage_limit, Some(0));
    assert_eq!(drive.shared_drive(&id("d")).await.expect("read").expect("there").name, "Campo");

    let seen = server.seen();
    for request in &seen {
        let path = &request.path;
        assert_eq!(request.headers["authorization"], "Bearer tok0", "{path}");
        // generateIds, about and drives know no such parameter.
        if !["generateIds", "/about", "/drives/"].iter().any(|p| path.contains(p)) {
            assert_eq!(request.query.get("supportsAllDrives").map(String::as_str), Some("true"), "{path}");
        }
        if request.method != "DELETE" && !path.contains("generateIds") && !path.contains("startPageToken") {
            assert!(request.query.get("fields").is_some_and(|f| !f.is_empty()), "{path} without a mask");
        }
    }
    assert_eq!(server.tokens(), 1);
    // 1 ids, 1 create, 1 get, 1 list, 1 update, 4 of permissions, 2 of the feed, about, drive.
    assert_eq!(drive.meter(), Meter { calls: 13, units: 5 + 50 + 5 + 100 + 50 + 100 + 3 * 50 + 5 + 100 + 5 + 5, writes: 5 });

    let create = &seen[1];
    assert_eq!((create.method.as_str(), create.path.as_str()), ("POST", "/drive/v3/files"));
    assert_eq!(
        create.json(),
        json!({"id": "f", "name": "novos", "mimeType": "application/vnd.google-apps.folder", "parents": ["p"], "appProperties": {"k": "v"}})
    );
    assert!(create.query["fields"].contains("webViewLink"));
    assert_eq!((seen[4].query["addParents"].as_str(), seen[4].query["removeParents"].as_str()), ("to", "from"));
    assert_eq!(seen[6].query["sendNotificationEmail"], "false");
    assert_eq!(seen[6].json(), json!({"type": "user", "role": "writer", "emailAddress": "ana@example.com"}));
    assert_eq!(seen[9].query["driveId"], "d");
    assert!(seen[10].query["fields"].contains("newStartPageToken") && seen[10].query["fields"].contains("nextPageToken"));
}

#[tokio::test]
async fn c6_7_a_listing_takes_every_page_even_empty_ones_and_each_file_once() {
    let server = Script::start(|seen, _| match seen.query.get("pageToken").map(String::as_str) {
        None => Reply::json(&json!({"files": [file("a"), file("b")], "nextPageToken": "1"})),
        Some("1") => Reply::json(&json!({"files": [], "nextPageToken": "2"})),
        _ => Reply::json(&json!({"files": [file("b"), file("c")]})),
    })
    .await;
    let cache = tempdir().expect("a directory");
    let found = server.drive(cache.path()).await.list(&Query::with_property("k", "v")).await.expect("listed");
    assert_eq!(found.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(server.seen().iter().all(|s| s.query["q"] == "appProperties has { key='k' and value='v' }"));
}

#[tokio::test]
async fn a_listing_starts_over_when_its_token_is_forgotten_but_not_for_ever() {
    let rejected = json!({"error": {"code": 400, "message": "Invalid Value", "errors":
        [{"reason": "invalid", "location": "pageToken", "locationType": "parameter", "message": "Invalid Value"}]}});
    let bad = rejected.clone();
    let server = Script::start(move |seen, n| match seen.query.get("pageToken") {
        None => Reply::json(&json!({"files": [file("a")], "nextPageToken": "1"})),
        Some(_) if n == 1 => Reply::status(400, &bad),
        Some(_) => Reply::json(&json!({"files": [file("b")]})),
    })
    .await;
    let cache = tempdir().expect("a directory");
    let found = server.drive(cache.path()).await.list(&Query::with_property_key("k")).await.expect("listed");
    assert_eq!((found.len(), server.seen().len()), (2, 4));

    let server = Script::start(move |seen, _| match seen.query.get("pageToken") {
        None => Reply::json(&json!({"files": [], "nextPageToken": "1"})),
        Some(_) => Reply::status(400, &rejected),
    })
    .await;
    let error = server.drive(cache.path()).await.list(&Query::with_property_key("k")).await.expect_err("forgotten each time");
    assert_eq!((error.kind, server.seen().len()), (Kind::BadToken, 6));
}

#[tokio::test]
async fn a_page_that_comes_again_and_again_ends_in_an_error() {
    let server = Script::start(|_, _| Reply::json(&json!({"files": [], "nextPageToken": "same"}))).await;
    let cache = tempdir().expect("a directory");
    let error = server.drive(cache.path()).await.list(&Query::with_property_key("k")).await.expect_err("no end");
    assert_eq!((error.kind, server.seen().len()), (Kind::Unreadable, 2));
}

#[tokio::test]
async fn an_incomplete_search_is_a_failure_and_an_empty_or_is_not_asked() {
    let server = Script::start(|_, _| Reply::json(&json!({"files": [file("a")], "incompleteSearch": true}))).await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    assert!(drive.list(&Query::any([])).await.expect("nothing").is_empty());
    assert_eq!(server.seen().len(), 0);
    let error = drive.list(&Query::with_property_key("k")).await.expect_err("incomplete");
    assert!(error.is_reason("incompleteSearch"), "{error}");
}

#[tokio::test]
async fn several_folders_that_seem_empty_together_are_asked_one_by_one() {
    let server = Script::start(|seen, _| match seen.query["q"].as_str() {
        "'b' in parents" => Reply::json(&json!({"files": [file("f")]})),
        _ => Reply::json(&json!({"files": []})),
    })
    .await;
    let cache = tempdir().expect("a directory");
    let both = Query::any([Query::children_of(&id("a")), Query::children_of(&id("b"))]);
    assert_eq!(server.drive(cache.path()).await.list(&both).await.expect("listed").len(), 1);
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_shared_drive_is_listed_as_a_whole() {
    let server = Script::start(|_, _| Reply::json(&json!({"files": []}))).await;
    let cache = tempdir().expect("a directory");
    let mut settings = server.settings();
    settings.shared_drive_id = Some("0Drive".into());
    let drive = tecnico::drive::Drive::connect(&settings, cache.path()).await.expect("connected");
    drive.list(&Query::with_property_key("k")).await.expect("listed");
    let query = &server.seen()[0].query;
    let part = |key: &str| query.get(key).map(String::as_str);
    assert_eq!((part("corpora"), part("driveId"), part("includeItemsFromAllDrives")), (Some("drive"), Some("0Drive"), Some("true")));
    settings.shared_drive_id = Some("https://drive.google.com/drive/folders/0Drive".into());
    assert_eq!(tecnico::drive::Drive::connect(&settings, cache.path()).await.expect_err("no id").code(), "shared_drive_id");
}

#[tokio::test]
async fn a_name_of_another_case_is_not_taken_for_ours() {
    let server = Script::start(|_, _| Reply::json(&json!({"files": [file("Novos"), file("novos")]}))).await;
    let cache = tempdir().expect("a directory");
    let found = server.drive(cache.path()).await.list(&Query::children_of(&id("p")).named("novos")).await.expect("listed");
    assert_eq!(found.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["novos"]);
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_ends_as_existing() {
    let server = Script::start(|_, n| if n == 0 { Reply::Cut } else { Reply::refused(409, "fileIdInUse") }).await;
    let cache = tempdir().expect("a directory");
    let new = NewFolder { id: id("f"), name: "n".into(), parent: id("p"), app_properties: BTreeMap::new() };
    assert_eq!(server.drive(cache.path()).await.create_folder(&new).await.expect("known"), Created::Existing);
    let seen = server.seen();
    assert_eq!((seen.len(), &seen[0].json()["id"]), (2, &seen[1].json()["id"]));
}

#[tokio::test]
async fn a_folder_just_made_is_waited_for_and_an_unknown_one_is_not() {
    let server = Script::start(|seen, n| match seen.json()["id"].as_str() {
        Some("child") if n < 3 => Reply::refused(404, "notFound"),
        Some("lost") => Reply::refused(404, "notFound"),
        _ => Reply::json(&file("f")),
    })
    .await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    let new = |own: &str, parent: &str| NewFolder { id: id(own), name: "n".into(), parent: id(parent), app_properties: BTreeMap::new() };
    drive.create_folder(&new("made", "p")).await.expect("created");
    drive.create_folder(&new("child", "made")).await.expect("created in the end");
    assert_eq!(server.seen().len(), 4);
    assert_eq!(drive.create_folder(&new("lost", "elsewhere")).await.expect_err("unknown").kind, Kind::Gone);
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn a_move_whose_answer_was_lost_counts_as_done_and_a_refused_one_does_not() {
    for (parents, done) in [(json!(["to"]), true), (json!(["from"]), false)] {
        let now = json!({"id": "f", "name": "f", "mimeType": "t", "parents": parents});
        let server = Script::start(move |seen, n| match (seen.method.as_str(), n) {
            ("PATCH", 0) => Reply::Cut,
            ("PATCH", _) => Reply::refused(403, "cannotAddParent"),
            _ => Reply::json(&now),
        })
        .await;
        let cache = tempdir().expect("a directory");
        let change = Change { add_parent: Some(id("to")), remove_parent: Some(id("from")), ..Change::default() };
        let result = server.drive(cache.path()).await.update(&id("f"), &change).await;
        match result {
            Ok(entry) => assert!(done && entry.parents == [id("to")]),
            Err(error) => assert!(!done && error.is_reason("cannotAddParent"), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_feed_page_must_say_how_to_go_on() {
    for page in [json!({"changes": []}), json!({"changes": [], "nextPageToken": "1", "newStartPageToken": "2"})] {
        let server = Script::start(move |_, _| Reply::json(&page)).await;
        let cache = tempdir().expect("a directory");
        let error = server.drive(cache.path()).await.changes("1", None).await.expect_err("no way on");
        assert_eq!(error.kind, Kind::Unreadable);
    }
}

#[tokio::test]
async fn a_rejected_feed_token_is_a_kind_of_its_own() {
    for status in [400, 410] {
        let server = Script::start(move |_, _| Reply::refused(status, "invalid")).await;
        let cache = tempdir().expect("a directory");
        let error = server.drive(cache.path()).await.changes("old", None).await.expect_err("rejected");
        assert_eq!((error.kind, server.seen().len()), (Kind::BadToken, 1), "{status}");
    }
    // A shared drive we were thrown out of is gone; its token is not to blame.
    let server = Script::start(|_, _| Reply::refused(404, "notFound")).await;
    let cache = tempdir().expect("a directory");
    let error = server.drive(cache.path()).await.changes("1", Some(&id("d"))).await.expect_err("gone");
    assert_eq!(error.kind, Kind::Gone);
}
