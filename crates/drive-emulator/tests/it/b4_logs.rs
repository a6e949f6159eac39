//! Tokens, pages and entries of the change logs.

use std::time::Duration;

use drive_emulator::{DescendantChanges, User};
use serde_json::{Value, json};

use crate::support::{Rig, text};

const ANA: &str = "ana@example.com";
const BEA: &str = "bea@example.com";

async fn now(rig: &Rig, user: &User) -> String {
    text(&rig.get(user, "changes/startPageToken").await.ok(), "startPageToken").to_owned()
}

async fn entries(rig: &Rig, user: &User, token: &str, more: &str) -> Vec<Value> {
    let page = rig.get(user, &format!("changes?pageToken={token}&fields=*{more}")).await.ok();
    assert!(page.get("nextPageToken").is_none(), "one page holds them all");
    page["changes"].as_array().cloned().expect("changes")
}

#[tokio::test]
async fn b4_1_the_token_of_now_is_a_number_in_letters() {
    let rig = Rig::start().await;
    let answer = rig.get(&rig.ana, "changes/startPageToken").await.ok();
    assert_eq!(answer["kind"], "drive#startPageToken");
    assert!(text(&answer, "startPageToken").parse::<u64>().is_ok(), "{answer}");
    rig.control.mkdir(ANA, "root", "a").expect("made");
    assert!(entries(&rig, &rig.ana, &now(&rig, &rig.ana).await, "").await.is_empty(), "what was before is not told");
}

#[tokio::test]
async fn b4_3_tokens_do_not_expire_and_b4_27_pages_can_be_read_again() {
    // b12_4: a page read again.
    let rig = Rig::start().await;
    let token = now(&rig, &rig.ana).await;
    let file = rig.control.mkdir(ANA, "root", "a").expect("made");
    let first = entries(&rig, &rig.ana, &token, "").await;
    assert_eq!(entries(&rig, &rig.ana, &token, "").await, first);
    rig.control.clock_advance(Duration::from_hours(24 * 400)).expect("time passes");
    rig.control.rename(ANA, &file, "b").expect("renamed");
    let later = entries(&rig, &rig.ana, &token, "").await;
    assert_eq!((later.len(), &later[0]["file"]["name"]), (1, &json!("b")), "the same token, a newer state");
    // b4_26: a token taken before a listing covers what happens during it.
    rig.control.reject_old_tokens().expect("rejected");
    rig.get(&rig.ana, &format!("changes?pageToken={token}")).await.refused(400, "invalid");
    assert!(entries(&rig, &rig.ana, &now(&rig, &rig.ana).await, "").await.is_empty());
}

#[tokio::test]
async fn b4_5_pages_and_b4_6_their_tokens() {
    let rig = Rig::start().await;
    let token = now(&rig, &rig.ana).await;
    for name in ["a", "b", "c"] {
        rig.control.mkdir(ANA, "root", name).expect("made");
    }
    rig.get(&rig.ana, &format!("changes?pageToken={token}&pageSize=1001")).await.refused(400, "invalidParameter");
    let page = rig.get(&rig.ana, &format!("changes?pageToken={token}&pageSize=2")).await.ok();
    assert_eq!((page["changes"].as_array().map(Vec::len), page.get("newStartPageToken")), (Some(2), None));
    let last = rig.get(&rig.ana, &format!("changes?pageToken={}&pageSize=2", text(&page, "nextPageToken"))).await.ok();
    assert_eq!((last["changes"].as_array().map(Vec::len), last.get("nextPageToken")), (Some(1), None));
    assert_eq!(text(&last, "newStartPageToken"), now(&rig, &rig.ana).await);
    // A page of nothing may have a token: what is left out still takes its place.
    let token = now(&rig, &rig.ana).await;
    for name in ["d", "e"] {
        let gone = rig.control.mkdir(ANA, "root", name).expect("made");
        rig.control.delete(ANA, &gone).expect("deleted");
    }
    let page = rig.get(&rig.ana, &format!("changes?pageToken={token}&pageSize=1&includeRemoved=false")).await.ok();
    assert_eq!((&page["changes"], page["nextPageToken"].is_string()), (&json!([]), true), "{page}");
    // b4_29: a mask that forgets the token gets none.
    let masked = rig.get(&rig.ana, &format!("changes?pageToken={token}&fields=changes(fileId)")).await.ok();
    assert!(masked.get("newStartPageToken").is_none(), "{masked}");
    // b4_28: and each page costs what a list costs.
    let paid: Vec<u32> = rig.control.requests().iter().filter(|call| call.op == "changes.list").map(|call| call.units).collect();
    assert!(paid.len() >= 4 && paid.iter().all(|units| *units == 100), "{paid:?}");
}

#[tokio::test]
async fn b4_10_what_an_entry_says_and_b4_11_removals_left_out() {
    let rig = Rig::start().await;
    let token = now(&rig, &rig.ana).await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let change = &entries(&rig, &rig.ana, &token, "").await[0];
    assert_eq!((&change["kind"], &change["changeType"], &change["type"]), (&json!("drive#change"), &json!("file"), &json!("file")));
    assert_eq!((&change["fileId"], &change["file"]["name"], &change["removed"]), (&json!(file), &json!("a.pdf"), &json!(false)));
    assert!(change["time"].is_string());
    rig.control.delete(ANA, &file).expect("deleted");
    let change = &entries(&rig, &rig.ana, &token, "").await[0];
    assert_eq!((&change["removed"], change.get("file")), (&json!(true), None));
    assert!(entries(&rig, &rig.ana, &token, "&includeRemoved=false").await.is_empty());
}

#[tokio::test]
async fn b4_19_a_changed_grant_is_told_of_the_item_alone() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let folder = rig.control.mkdir(ANA, &drive, "novos").expect("made");
    rig.control.put(ANA, &folder, "a.pdf", b"x", "application/pdf").expect("put");
    let more = format!("&driveId={drive}&supportsAllDrives=true&includeItemsFromAllDrives=true");
    let answer = rig.get(&rig.ana, &format!("changes/startPageToken?driveId={drive}&supportsAllDrives=true")).await.ok();
    rig.control.share(ANA, &folder, "joao@example.com", "reader").expect("shared");
    let found = entries(&rig, &rig.ana, text(&answer, "startPageToken"), &more).await;
    let ids: Vec<&str> = found.iter().map(|change| text(change, "fileId")).collect();
    assert_eq!(ids, [folder]);
}

#[tokio::test]
async fn b4_20_descendants_are_told_or_not() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let file = rig.control.put(ANA, &folder, "a.pdf", b"x", "application/pdf").expect("put");
    // b4_21: being given a folder, and losing it.
    for (mode, told) in [(DescendantChanges::None, vec![&folder]), (DescendantChanges::All, vec![&folder, &file])] {
        rig.control.set_switches(|switches| switches.descendant_changes = mode).expect("set");
        for removed in [false, true] {
            let token = now(&rig, &rig.bea).await;
            if removed {
                rig.control.unshare(ANA, &folder, BEA).expect("unshared");
            } else {
                rig.control.share(ANA, &folder, BEA, "writer").expect("shared");
            }
            let found = entries(&rig, &rig.bea, &token, "").await;
            let ids: Vec<&str> = found.iter().map(|change| text(change, "fileId")).collect();
            assert_eq!(ids, told, "{mode:?} removed {removed}");
            assert!(found.iter().all(|change| change["removed"] == removed), "{found:?}");
        }
    }
}

#[tokio::test]
async fn b4_10_b4_17_b4_18_drives_in_a_users_log_and_items_given_to_who_is_no_member() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    let file = rig.control.put(ANA, &drive, "a.pdf", b"x", "application/pdf").expect("put");
    let flags = "&supportsAllDrives=true&includeItemsFromAllDrives=true";
    // Given one item of it, Bea is told of the item.
    let token = now(&rig, &rig.bea).await;
    rig.control.share(ANA, &file, BEA, "reader").expect("shared");
    let found = entries(&rig, &rig.bea, &token, flags).await;
    assert_eq!((found.len(), &found[0]["fileId"], &found[0]["changeType"]), (1, &json!(file), &json!("file")));
    assert!(entries(&rig, &rig.bea, &token, "").await.is_empty(), "not without the flags");
    // Made a member, and renamed, she is told of the drive, and of no item in it.
    for (what, name) in [("joined", "Field"), ("renamed", "Meadow")] {
        let token = now(&rig, &rig.bea).await;
        if what == "joined" {
            rig.control.drive_member(&drive, BEA, "reader").expect("a member");
        } else {
            rig.patch(&rig.ana, &format!("drives/{drive}"), json!({"name": name})).await.ok();
        }
        let found = entries(&rig, &rig.bea, &token, flags).await;
        let drives: Vec<_> = found.iter().filter(|change| change["changeType"] == "drive").collect();
        assert_eq!(
            (drives.len(), &drives[0]["driveId"], &drives[0]["drive"]["name"]),
            (1, &json!(drive), &json!(name)),
            "{what}: {found:?}"
        );
        assert!(drives[0].get("fileId").is_none() && drives[0]["removed"] == false, "{found:?}");
        assert!(found.iter().all(|change| change["changeType"] == "drive" || change["fileId"] == drive.as_str()), "{what}: {found:?}");
    }
}
