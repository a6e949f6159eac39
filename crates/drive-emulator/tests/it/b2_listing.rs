//! Lists: what is in them, in which order things are checked, and how they mislead.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Rig, names};

const ANA: &str = "ana@example.com";

#[tokio::test]
async fn b2_34_pages_may_be_empty_and_have_a_token() {
    // b12_3: an empty page with a token.
    let rig = Rig::start().await;
    for name in ["a", "b", "c"] {
        rig.control.mkdir(ANA, "root", name).expect("made");
    }
    rig.control.set_switches(|switches| switches.list_first_page_empty = true).expect("set");
    let (mut found, mut token, mut pages) = (Vec::<Value>::new(), String::new(), 0);
    loop {
        let page = rig.get(&rig.ana, &format!("files?pageSize=2&pageToken={token}")).await.ok();
        found.extend(page["files"].as_array().cloned().unwrap_or_default());
        pages += 1;
        assert!(pages > 1 || found.is_empty());
        match page["nextPageToken"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!((names(&found).len(), pages), (3, 3));
}

#[tokio::test]
async fn b2_38_of_shared_drives_the_users_corpus_holds_what_they_opened() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", "bea@example.com").expect("made");
    rig.control.drive_member(&drive, ANA, "reader").expect("a member");
    let [seen, _] = ["seen", "unseen"].map(|name| rig.control.put("bea@example.com", &drive, name, b"x", "text/plain").expect("put"));
    rig.control.touch_noise(ANA, &seen, "view").expect("she opens it");
    let flags = "supportsAllDrives=true&includeItemsFromAllDrives=true";
    let mine = rig.get(&rig.ana, &format!("files?{flags}")).await.ok();
    assert_eq!(names(mine["files"].as_array().expect("files")), ["seen"]);
    let whole = rig.get(&rig.ana, &format!("files?{flags}&corpora=drive&driveId={drive}")).await.ok();
    assert_eq!(names(whole["files"].as_array().expect("files")), ["seen", "unseen"]);
}

#[tokio::test]
async fn b2_39_what_is_checked_first_in_a_list() {
    let rig = Rig::start().await;
    let mut wrong = vec![
        ("pageSize=0", 400, "invalidParameter"),
        ("orderBy=nonsense", 400, "invalid"),
        ("includeItemsFromAllDrives=true", 403, "supportsTeamDrivesRequired"),
        ("q=nonsense", 400, "invalid"),
        ("pageToken=nonsense", 400, "invalid"),
        ("fields=nonsense", 400, "invalidParameter"),
    ];
    while let Some((_, status, reason)) = wrong.first().copied() {
        let query: Vec<&str> = wrong.iter().rev().map(|(part, ..)| *part).collect();
        rig.get(&rig.ana, &format!("files?{}", query.join("&"))).await.refused(status, reason);
        wrong.remove(0);
    }
    // Between q and the token: no order for a full text.
    rig.get(&rig.ana, "files?q=fullText+contains+'x'&orderBy=name&pageToken=nonsense&fields=nonsense").await.refused(403, "forbidden");
}

#[tokio::test]
async fn b2_40_lists_are_sorted_as_asked() {
    let rig = Rig::start().await;
    for name in ["file 10", "File 9", "alpha"] {
        rig.control.put(ANA, "root", name, b"x", "text/plain").expect("put");
    }
    rig.control.mkdir(ANA, "root", "zeta").expect("made");
    for (order, wanted) in [
        ("name_natural", ["alpha", "File 9", "file 10", "zeta"]),
        ("folder,name_natural desc", ["zeta", "file 10", "File 9", "alpha"]),
        ("createdTime", ["file 10", "File 9", "alpha", "zeta"]),
    ] {
        let page = rig.get(&rig.ana, &format!("files?orderBy={order}")).await.ok();
        let found: Vec<&str> = page["files"].as_array().expect("files").iter().filter_map(|file| file["name"].as_str()).collect();
        assert_eq!(found, wanted, "{order}");
    }
    rig.get(&rig.ana, "files?orderBy=name,name_natural").await.refused(403, "orderByContainsDuplicateSortKeys");
    rig.get(&rig.ana, "files?orderBy=name,starred").await.refused(500, "internalError");
}

#[tokio::test]
async fn b2_41_lists_lag_behind_and_reads_do_not() {
    let rig = Rig::start().await;
    rig.control.set_switches(|switches| switches.list_lag_ms = 30_000).expect("set");
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.get(&rig.ana, &format!("files/{file}")).await.ok();
    assert!(rig.list(&rig.ana, "name = 'a.pdf'").await.is_empty());
    rig.control.clock_advance(Duration::from_secs(31)).expect("time passes");
    assert_eq!(rig.list(&rig.ana, "name = 'a.pdf'").await.len(), 1);
}

#[tokio::test]
async fn b2_42_a_query_of_several_folders_may_find_nothing() {
    // b12_3: a query of several parents that finds nothing.
    let rig = Rig::start().await;
    let folders = ["a", "b"].map(|name| rig.control.mkdir(ANA, "root", name).expect("made"));
    for folder in &folders {
        rig.control.put(ANA, folder, "x.txt", b"x", "text/plain").expect("put");
    }
    let both = format!("'{}' in parents or '{}' in parents", folders[0], folders[1]);
    assert_eq!(rig.list(&rig.ana, &both).await.len(), 2);
    rig.control.set_switches(|switches| switches.multi_parent_query_is_empty = true).expect("set");
    assert!(rig.list(&rig.ana, &both).await.is_empty());
    assert_eq!(rig.list(&rig.ana, &format!("'{}' in parents", folders[0])).await.len(), 1, "one by one they are found");
}

#[tokio::test]
async fn b2_44_without_a_query_a_list_is_flat_and_b2_54_a_query_may_be_long() {
    let rig = Rig::start().await;
    let mut parent = "root".to_owned();
    for name in ["a", "b", "c"] {
        parent = rig.control.mkdir(ANA, &parent, name).expect("made");
    }
    assert_eq!(names(&rig.list(&rig.ana, "").await), ["a", "b", "c"]);
    let long = (0..200).map(|n| format!("name = 'file {n}'")).collect::<Vec<_>>().join(" or ") + " or name = 'b'";
    assert_eq!(names(&rig.list(&rig.ana, &long).await), ["b"]);
}

#[tokio::test]
async fn b2_48_properties_are_found_by_key_and_value_and_by_their_own_app() {
    let rig = Rig::start().await;
    rig.post(&rig.ana, "files", json!({"name": "a", "appProperties": {"k": "it's"}, "properties": {"p": "1"}})).await.ok();
    assert_eq!(rig.list(&rig.ana, "appProperties has { key='k' and value='it\\'s' }").await.len(), 1);
    assert_eq!(rig.list(&rig.ana, "appProperties has { key='k' }").await.len(), 1);
    assert_eq!(rig.list(&rig.ana, "properties has { key='p' and value='1' }").await.len(), 1);
    assert!(rig.list(&rig.ana, "properties has { key='k' and value='it\\'s' }").await.is_empty());
    assert!(rig.list(&rig.ana, "appProperties has { key='k' and value='other' }").await.is_empty());
}
