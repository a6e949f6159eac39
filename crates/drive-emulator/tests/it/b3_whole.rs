//! Sharing, with every word of its refusals, and what becomes of grants that end or are narrowed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Rig, text};

const ANA: &str = "ana@example.com";
const BEA: &str = "bea@example.com";

fn grant(email: &str, role: &str) -> Value {
    json!({"type": "user", "role": role, "emailAddress": email})
}

fn message(refused: &Value) -> &str {
    text(&refused["error"], "message")
}

/// Address and role of everybody in a list of permissions.
async fn listed(rig: &Rig, file: &str) -> Vec<(String, String)> {
    let all =
        rig.get(&rig.ana, &format!("files/{file}/permissions?supportsAllDrives=true&fields=permissions(emailAddress,role)")).await.ok();
    let mut all: Vec<_> = all["permissions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| (text(p, "emailAddress").to_owned(), text(p, "role").to_owned()))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn b3_2_a_grantee_has_one_id_everywhere_and_links_have_theirs() {
    let rig = Rig::start().await;
    let folders = ["a", "b"].map(|name| rig.control.mkdir(ANA, "root", name).expect("made"));
    for folder in &folders {
        let made = rig.post(&rig.ana, &format!("files/{folder}/permissions"), grant(BEA, "reader")).await.ok();
        assert_eq!(text(&made, "id"), rig.bea.permission_id);
        let link = json!({"type": "anyone", "role": "reader"});
        let made = rig.post(&rig.ana, &format!("files/{folder}/permissions"), link).await.ok();
        assert_eq!(made, json!({"kind": "drive#permission", "id": "anyoneWithLink", "type": "anyone", "role": "reader"}));
        let open = json!({"type": "anyone", "role": "reader", "allowFileDiscovery": true});
        assert_eq!(text(&rig.post(&rig.ana, &format!("files/{folder}/permissions"), open).await.ok(), "id"), "anyone");
    }
    let about = rig.get(&rig.bea, "about?fields=user(permissionId)").await.ok();
    assert_eq!(about["user"]["permissionId"], rig.bea.permission_id.as_str());
}

#[tokio::test]
async fn b3_6_b3_7_b3_9_refusals_of_addresses_word_for_word() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let path = |notify: bool| format!("files/{folder}/permissions?sendNotificationEmail={notify}");
    rig.control.set_switches(|switches| switches.no_google_account = vec!["x@example.com".into()]).expect("turned");
    let refused = rig.post(&rig.ana, &path(false), grant("x@example.com", "reader")).await.refused(400, "invalidSharingRequest");
    let wanted = "Bad Request. User message: \"You are trying to invite x@example.com. Since there is no Google account associated with this \
                  email address, you must check the \"Notify people\" box to invite this recipient.\"";
    assert_eq!(message(&refused), wanted);
    assert_eq!(listed(&rig, &folder).await.len(), 1, "and nothing was granted");
    let refused = rig.post(&rig.ana, &path(false), grant("no address", "reader")).await.refused(400, "invalid");
    assert_eq!(message(&refused), "The specified emailAddress is invalid or not applicable for the given permission type.");
    rig.control.set_switches(|switches| switches.sharing_mail_fails = true).expect("turned");
    let refused = rig.post(&rig.ana, &path(true), grant(BEA, "reader")).await.refused(400, "invalidSharingRequest");
    assert!(message(&refused).contains("successfully shared but emails could not be sent"), "{refused}");
    // b12_7: the other meaning of the same reason: it was granted all the same.
    assert!(listed(&rig, &folder).await.contains(&(BEA.into(), "reader".into())));
}

#[tokio::test]
async fn b3_13_b3_14_a_weaker_inherited_and_a_stronger_direct_grant_stand_side_by_side() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let file = rig.control.put(ANA, &folder, "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &folder, BEA, "reader").expect("shared");
    rig.control.share(ANA, &file, BEA, "writer").expect("shared");
    let path = format!("files/{file}/permissions/{}", rig.bea.permission_id);
    let seen = rig.get(&rig.ana, &format!("{path}?fields=role,permissionDetails")).await.ok();
    let mut details = seen["permissionDetails"].as_array().cloned().expect("details");
    details.sort_by_key(|detail| detail["inherited"] == true);
    let wanted = json!([
        {"permissionType": "file", "role": "writer", "inherited": false},
        {"permissionType": "file", "role": "reader", "inherited": true},
    ]);
    assert_eq!((text(&seen, "role"), json!(details)), ("writer", wanted));
    assert_eq!(rig.delete(&rig.ana, &path).await.status, 204, "the direct one goes");
    assert_eq!(text(&rig.get(&rig.ana, &path).await.ok(), "role"), "reader", "the inherited one stays");
    rig.delete(&rig.ana, &path).await.refused(403, "cannotModifyInheritedPermission");
}

#[tokio::test]
async fn b3_17_unknown_permissions_say_so_and_people_may_leave() {
    let rig = Rig::start().await;
    let folder = rig.control.mkdir(ANA, "root", "novos").expect("made");
    for verb in ["get", "patch", "delete"] {
        let path = format!("files/{folder}/permissions/123");
        let answer = match verb {
            "get" => rig.get(&rig.ana, &path).await,
            "patch" => rig.patch(&rig.ana, &path, json!({"role": "reader"})).await,
            _ => rig.delete(&rig.ana, &path).await,
        };
        assert_eq!(message(&answer.refused(404, "notFound")), "Permission not found: 123.", "{verb}");
    }
    rig.control.share(ANA, &folder, BEA, "reader").expect("shared");
    // A reader shares nothing, but leaves.
    rig.post(&rig.bea, &format!("files/{folder}/permissions"), grant("x@example.com", "reader"))
        .await
        .refused(403, "insufficientFilePermissions");
    assert_eq!(rig.delete(&rig.bea, &format!("files/{folder}/permissions/{}", rig.bea.permission_id)).await.status, 204);
    rig.get(&rig.bea, &format!("files/{folder}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn b3_18_ownership_that_is_offered_and_taken() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    let path = format!("files/{file}/permissions");
    let bea = format!("{path}/{}", rig.bea.permission_id);
    rig.post(&rig.ana, &path, grant(BEA, "writer")).await.ok();
    // Who is no pending owner takes nothing.
    rig.patch(&rig.bea, &format!("{bea}?transferOwnership=true"), json!({"role": "owner"}))
        .await
        .refused(403, "insufficientFilePermissions");
    let offered = rig.patch(&rig.ana, &format!("{bea}?fields=pendingOwner"), json!({"pendingOwner": true, "role": "writer"})).await.ok();
    assert_eq!(offered, json!({"pendingOwner": true}));
    rig.patch(&rig.bea, &bea, json!({"role": "owner"})).await.refused(403, "invalidOwnershipTransfer");
    rig.patch(&rig.bea, &format!("{bea}?transferOwnership=true"), json!({"role": "owner"})).await.ok();
    assert_eq!(listed(&rig, &file).await, [(ANA.into(), "writer".into()), (BEA.into(), "owner".into())]);
}

#[tokio::test]
async fn b3_20_an_expired_grant_is_in_no_list_and_a_year_is_the_most() {
    let rig = Rig::start().await;
    let file = rig.control.put(ANA, "root", "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.clock_set("2026-03-01T00:00:00Z").expect("set");
    let until = |at: &str| {
        let mut body = grant(BEA, "reader");
        body["expirationTime"] = json!(at);
        body
    };
    let path = format!("files/{file}/permissions");
    rig.post(&rig.ana, &path, until("2027-03-10T00:00:00Z")).await.refused(400, "invalid");
    rig.post(&rig.ana, &path, until("2026-03-01T01:00:00Z")).await.ok();
    assert_eq!(listed(&rig, &file).await.len(), 2);
    rig.control.clock_advance(Duration::from_mins(61)).expect("time passes");
    // b12_7: a grant that expires is gone.
    assert_eq!(listed(&rig, &file).await, [(ANA.into(), "owner".into())]);
    rig.get(&rig.ana, &format!("{path}/{}", rig.bea.permission_id)).await.refused(404, "notFound");
    rig.get(&rig.bea, &format!("files/{file}")).await.refused(404, "notFound");
}

#[tokio::test]
async fn b3_22_limited_access_keeps_a_glimpse_for_those_who_inherited() {
    let rig = Rig::start().await;
    let outer = rig.control.mkdir(ANA, "root", "pdfs").expect("made");
    let inner = rig.control.mkdir(ANA, &outer, "novos").expect("made");
    let file = rig.control.put(ANA, &inner, "a.pdf", b"x", "application/pdf").expect("put");
    rig.control.share(ANA, &outer, BEA, "reader").expect("shared");
    let limit = |limited: bool| json!({ "inheritedPermissionsDisabled": limited });
    rig.patch(&rig.bea, &format!("files/{inner}"), limit(true)).await.refused(403, "insufficientFilePermissions");
    rig.patch(&rig.ana, &format!("files/{file}"), limit(true)).await.refused(403, "fieldNotWritable");
    let can = async || {
        rig.get(&rig.ana, &format!("files/{inner}?fields=capabilities(canDisableInheritedPermissions,canEnableInheritedPermissions)"))
            .await
            .ok()
    };
    let may = |disable: bool, enable: bool| json!({"capabilities": {"canDisableInheritedPermissions": disable, "canEnableInheritedPermissions": enable}});
    assert_eq!(can().await, may(true, false));
    rig.patch(&rig.ana, &format!("files/{inner}"), limit(true)).await.ok();
    assert_eq!(can().await, may(false, true));
    // b12_7: they see that it is there and nothing in it.
    rig.get(&rig.bea, &format!("files/{inner}")).await.ok();
    assert!(rig.list(&rig.bea, &format!("'{inner}' in parents")).await.is_empty());
    rig.get(&rig.bea, &format!("files/{file}")).await.refused(404, "notFound");
    let path = format!("files/{inner}/permissions?fields=permissions(emailAddress,role,view)");
    let entries = rig.get(&rig.ana, &path).await.ok()["permissions"].clone();
    let entries = entries.as_array().expect("a list");
    assert!(entries.contains(&json!({"emailAddress": BEA, "role": "reader", "view": "metadata"})), "{entries:?}");
    // Of a glimpse nothing is left one limited folder further down.
    let deep = rig.control.mkdir(ANA, &inner, "deep").expect("made");
    rig.patch(&rig.ana, &format!("files/{deep}"), limit(true)).await.ok();
    rig.get(&rig.bea, &format!("files/{deep}")).await.refused(404, "notFound");
    let path = format!("files/{deep}/permissions?fields=permissions(emailAddress,role)");
    assert_eq!(rig.get(&rig.ana, &path).await.ok(), json!({"permissions": [{"emailAddress": ANA, "role": "owner"}]}));
    // Who is granted it directly sees all of it.
    rig.control.share(ANA, &inner, BEA, "writer").expect("shared");
    rig.get(&rig.bea, &format!("files/{file}")).await.ok();
    rig.control.unshare(ANA, &inner, BEA).expect("unshared");
    rig.patch(&rig.ana, &format!("files/{inner}"), limit(false)).await.ok();
    rig.get(&rig.bea, &format!("files/{file}")).await.ok();
}

#[tokio::test]
async fn b3_15_a_shared_drives_permissions_come_in_pages_of_a_hundred() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Field", ANA).expect("made");
    for number in 0..104 {
        rig.control.drive_member(&drive, &format!("u{number}@example.com"), "reader").expect("a member");
    }
    let path = format!("files/{drive}/permissions?supportsAllDrives=true");
    let page = |value: &Value| value["permissions"].as_array().map(Vec::len);
    let first = rig.get(&rig.ana, &path).await.ok();
    let second = rig.get(&rig.ana, &format!("{path}&pageToken={}", text(&first, "nextPageToken"))).await.ok();
    assert_eq!((page(&first), page(&second), second.get("nextPageToken")), (Some(100), Some(5), None));
}
