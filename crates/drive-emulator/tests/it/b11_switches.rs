//! What nobody could settle is a switch: its default, and the other behaviour.

use drive_emulator::{Control, DescendantChanges, Switches};
use reqwest::Method;
use serde_json::json;

use crate::support::{Rig, send, text};

const ANA: &str = "ana@example.com";

fn turn(control: &Control, turn: impl FnOnce(&mut Switches)) {
    control.set_switches(turn).expect("it is turned");
}

#[tokio::test]
async fn b11_1_page_sizes_are_refused_or_cut() {
    let rig = Rig::start().await;
    rig.get(&rig.ana, "files?pageSize=5000").await.refused(400, "invalidParameter");
    turn(&rig.control, |switches| switches.strict_page_size = false);
    for path in ["files?pageSize=5000", "files?pageSize=0", "drives?pageSize=101"] {
        rig.get(&rig.ana, path).await.ok();
    }
}

#[tokio::test]
async fn b11_2_lists_hold_what_is_trashed_or_not() {
    let rig = Rig::start().await;
    let file = rig.control.mkdir(ANA, "root", "a").expect("made");
    rig.control.trash(ANA, &file).expect("trashed");
    assert_eq!(rig.list(&rig.ana, "").await.len(), 1);
    turn(&rig.control, |switches| switches.list_includes_trashed = false);
    assert!(rig.list(&rig.ana, "").await.is_empty());
    assert_eq!(rig.list(&rig.ana, "trashed = true").await.len(), 1, "whoever asks is told");
}

#[tokio::test]
async fn b11_3_name_contains_finds_beginnings_of_words_or_anything() {
    let rig = Rig::start().await;
    rig.control.mkdir(ANA, "root", "ordem 16517189.pdf").expect("made");
    assert!(rig.list(&rig.ana, "name contains '517'").await.is_empty());
    assert_eq!(rig.list(&rig.ana, "name contains '165'").await.len(), 1);
    turn(&rig.control, |switches| switches.name_contains_is_token_prefix = false);
    assert_eq!(rig.list(&rig.ana, "name contains '517'").await.len(), 1);
}

#[tokio::test]
async fn b11_4_a_sorted_full_text_search_is_403_or_400() {
    let rig = Rig::start().await;
    let path = "files?q=fullText+contains+'x'&orderBy=name";
    rig.get(&rig.ana, path).await.refused(403, "forbidden");
    turn(&rig.control, |switches| switches.full_text_order_is_403 = false);
    rig.get(&rig.ana, path).await.refused(400, "badRequest");
}

#[tokio::test]
async fn b11_6_service_accounts_own_no_files_or_do() {
    let rig = Rig::start().await;
    rig.control.service_account("robot").expect("made");
    let robot = rig.control.user("robot@project.iam.gserviceaccount.com").expect("the account");
    rig.post(&robot, "files", json!({})).await.refused(403, "storageQuotaExceeded");
    turn(&rig.control, |switches| switches.service_accounts_own_files = true);
    let made = rig.post(&robot, "files?fields=ownedByMe", json!({})).await.ok();
    assert_eq!(made, json!({"ownedByMe": true}));
}

#[tokio::test]
async fn b11_7_what_has_no_bytes_is_403_or_401() {
    let rig = Rig::start().await;
    let document = rig.control.google_doc(ANA, "root", "letter", "document").expect("made");
    let path = format!("files/{document}?alt=media");
    rig.get(&rig.ana, &path).await.refused(403, "fileNotDownloadable");
    turn(&rig.control, |switches| switches.not_downloadable_is_401 = true);
    let body = rig.get(&rig.ana, &path).await.refused(401, "fileNotDownloadable");
    assert_eq!(body["error"]["code"], 401);
}

#[tokio::test]
async fn b11_8_a_delete_answers_nothing_or_an_empty_object() {
    let rig = Rig::start().await;
    for (json, status, said) in [(false, 204, ""), (true, 200, "{}")] {
        turn(&rig.control, |switches| switches.delete_answers_json = json);
        let file = rig.control.mkdir(ANA, "root", "a").expect("made");
        let response = rig.request(&rig.ana, Method::DELETE, &format!("files/{file}")).send().await.expect("it answers");
        assert_eq!((response.status().as_u16(), response.text().await.expect("a body").trim()), (status, said));
    }
}

#[tokio::test]
async fn b11_9_a_used_id_has_the_one_reason_or_the_other() {
    let rig = Rig::start().await;
    let id = rig.get(&rig.ana, "files/generateIds?count=1").await.ok()["ids"][0].clone();
    rig.post(&rig.ana, "files", json!({"id": id})).await.ok();
    rig.post(&rig.ana, "files", json!({"id": id})).await.refused(409, "fileIdInUse");
    turn(&rig.control, |switches| switches.duplicate_id_reason = "duplicate".into());
    rig.post(&rig.ana, "files", json!({"id": id})).await.refused(409, "duplicate");
}

#[tokio::test]
async fn b11_10_a_bad_token_of_changes_is_400_or_410() {
    let rig = Rig::start().await;
    rig.get(&rig.ana, "changes?pageToken=bad").await.refused(400, "invalid");
    turn(&rig.control, |switches| switches.invalid_change_token_is_410 = true);
    rig.get(&rig.ana, "changes?pageToken=bad").await.refused(410, "invalid");
}

#[tokio::test]
async fn b11_11_descendants_of_a_trashed_folder_have_entries_or_none() {
    let rig = Rig::start().await;
    assert_eq!(Switches::default().descendant_changes, DescendantChanges::None);
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    rig.control.mkdir(ANA, &folder, "below").expect("made");
    for (mode, told) in [(DescendantChanges::None, 1), (DescendantChanges::All, 2)] {
        turn(&rig.control, |switches| switches.descendant_changes = mode);
        let start = rig.get(&rig.ana, "changes/startPageToken").await.ok();
        rig.control.trash(ANA, &folder).expect("trashed");
        let page = rig.get(&rig.ana, &format!("changes?pageToken={}", text(&start, "startPageToken"))).await.ok();
        assert_eq!(page["changes"].as_array().map(Vec::len), Some(told), "{mode:?}");
        rig.control.untrash(ANA, &folder).expect("untrashed");
    }
}

#[tokio::test]
async fn b11_12_granting_again_lowers_or_keeps() {
    let rig = Rig::start().await;
    let path = format!("files/{}/permissions", rig.control.mkdir(ANA, "root", "a").expect("made"));
    let grant = |role: &str| json!({"type": "user", "role": role, "emailAddress": "bea@example.com"});
    for (keeps, role) in [(false, "reader"), (true, "writer")] {
        turn(&rig.control, |switches| switches.regrant_never_lowers = keeps);
        rig.post(&rig.ana, &path, grant("writer")).await.ok();
        assert_eq!(text(&rig.post(&rig.ana, &path, grant("reader")).await.ok(), "role"), role);
    }
}

#[tokio::test]
async fn b11_13_several_parents_large_properties_and_ids_of_the_purged() {
    let rig = Rig::start().await;
    let folders = ["a", "b"].map(|name| rig.control.mkdir(ANA, "root", name).expect("made"));
    let both = json!({ "parents": folders });
    let large = json!({"properties": {"k": "v".repeat(200)}});
    let id = rig.get(&rig.ana, "files/generateIds?count=1").await.ok()["ids"][0].clone();
    let purged = async || {
        let made = rig.post(&rig.ana, "files", json!({"id": id})).await;
        if made.status == 200 {
            rig.control.delete(ANA, id.as_str().expect("an id")).expect("deleted");
        }
        made
    };
    rig.post(&rig.ana, "files", both.clone()).await.refused(403, "cannotAddParent");
    rig.post(&rig.ana, "files", large.clone()).await.refused(400, "invalid");
    purged().await.ok();
    purged().await.ok();
    turn(&rig.control, |switches| {
        switches.many_parents_reason = "multipleParentsNotAllowed".into();
        switches.property_limit_is_403 = true;
        switches.purged_id_is_free = false;
    });
    rig.post(&rig.ana, "files", both).await.refused(403, "multipleParentsNotAllowed");
    rig.post(&rig.ana, "files", large).await.refused(403, "forbidden");
    purged().await.refused(409, "fileIdInUse");
}

#[tokio::test]
async fn b11_18_a_query_of_an_unknown_folder_is_404_or_nothing() {
    let rig = Rig::start().await;
    let request = || rig.request(&rig.ana, Method::GET, "files").query(&[("q", "'nowhere' in parents")]);
    send(request()).await.refused(404, "notFound");
    turn(&rig.control, |switches| switches.unknown_parent_is_404 = false);
    assert_eq!(send(request()).await.ok()["files"], json!([]));
}
