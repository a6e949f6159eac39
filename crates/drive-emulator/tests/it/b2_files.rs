//! Reading, moving, listing, trash and deletion.

use reqwest::Method;
use serde_json::json;

use crate::support::{Rig, names, send, text};

#[tokio::test]
async fn b2_1_what_is_invisible_does_not_exist() {
    let rig = Rig::start().await;
    let id = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    rig.get(&rig.ana, &format!("files/{id}")).await.ok();
    let bea = rig.get(&rig.bea, &format!("files/{id}")).await.refused(404, "notFound");
    assert_eq!(text(&bea["error"], "message"), format!("File not found: {id}."));
}

#[tokio::test]
async fn b2_14_links() {
    let rig = Rig::start().await;
    let id = rig.control.mkdir(&rig.ana.email, "root", "novos").expect("made");
    let file = rig.get(&rig.ana, &format!("files/{id}?fields=webViewLink,webContentLink")).await.ok();
    assert_eq!(file, json!({"webViewLink": format!("https://drive.google.com/drive/folders/{id}")}));
}

#[tokio::test]
async fn b2_17_a_move_names_both_parents_and_may_be_repeated() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let (novos, done) = (rig.control.mkdir(ana, "root", "novos").expect("made"), rig.control.mkdir(ana, "root", "done").expect("made"));
    let file = rig.control.put(ana, &novos, "a.pdf", b"%PDF-", "application/pdf").expect("put");
    rig.patch(&rig.ana, &format!("files/{file}?addParents={done}"), json!({})).await.refused(403, "cannotAddParent");
    let path = format!("files/{file}?addParents={done}&removeParents={novos}&fields=parents,headRevisionId");
    let moved = rig.patch(&rig.ana, &path, json!({"description": "why"})).await.ok();
    assert_eq!(moved["parents"], json!([done]));
    let again = rig.patch(&rig.ana, &path, json!({})).await.ok();
    assert_eq!(again, moved);
    rig.patch(&rig.ana, &format!("files/{file}"), json!({"parents": [novos]})).await.refused(403, "fieldNotWritable");
    let cycle = format!("files/{novos}?addParents={novos}&removeParents=root");
    rig.patch(&rig.ana, &cycle, json!({})).await.refused(400, "badRequest");
}

#[tokio::test]
async fn b2_18_a_parent_that_is_not_seen_cannot_be_left() {
    let rig = Rig::start().await;
    let file = rig.control.put(&rig.ana.email, "root", "a.pdf", b"a", "application/pdf").expect("put");
    rig.control.share(&rig.ana.email, &file, &rig.bea.email, "writer").expect("shared");
    let seen = rig.get(&rig.bea, &format!("files/{file}?fields=id,parents")).await.ok();
    assert!(seen.get("parents").is_none(), "b3_26");
    let path = format!("files/{file}?addParents=root&removeParents={}", rig.ana.root_id);
    rig.patch(&rig.bea, &path, json!({})).await.refused(403, "cannotAddParent");
}

#[tokio::test]
async fn b2_33_b2_35_pages() {
    let rig = Rig::start().await;
    let parent = rig.control.mkdir(&rig.ana.email, "root", "many").expect("made");
    for n in 0..7 {
        rig.control.mkdir(&rig.ana.email, &parent, &format!("f{n}")).expect("made");
    }
    rig.get(&rig.ana, "files?pageSize=0").await.refused(400, "invalidParameter");
    rig.get(&rig.ana, "files?pageToken=garbage").await.refused(400, "invalid");
    for order in ["", "name", "name desc", "folder,modifiedTime desc,name", "name_natural"] {
        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let query = [
                ("q", format!("'{parent}' in parents")),
                ("pageSize", "3".into()),
                ("orderBy", order.into()),
                ("pageToken", token),
                ("fields", "nextPageToken,files(name)".into()),
            ];
            let page = send(rig.request(&rig.ana, Method::GET, "files").query(&query)).await.ok();
            found.extend(page["files"].as_array().expect("files").iter().map(|file| text(file, "name").to_owned()));
            match page["nextPageToken"].as_str() {
                Some(next) => token = next.to_owned(),
                None => break,
            }
        }
        if order.starts_with("name desc") {
            assert!(found.is_sorted_by(|a, b| a > b), "{order}: {found:?}");
        } else if order.starts_with("name") {
            assert!(found.is_sorted(), "{order}: {found:?}");
        }
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 7, "{order}");
    }
}

#[tokio::test]
async fn b2_36_b2_37_shared_drive_flags() {
    let rig = Rig::start().await;
    let drive = rig.control.shared_drive("Equipe", &rig.ana.email).expect("made");
    let folder = rig.control.mkdir(&rig.ana.email, &drive, "novos").expect("made");
    rig.get(&rig.ana, &format!("files/{folder}")).await.refused(404, "notFound");
    rig.get(&rig.ana, &format!("files/{folder}?supportsAllDrives=1")).await.refused(404, "notFound");
    let seen = rig.get(&rig.ana, &format!("files/{folder}?supportsAllDrives=true")).await.ok();
    assert_eq!(text(&seen, "driveId"), drive);
    rig.get(&rig.ana, "files?includeItemsFromAllDrives=true").await.refused(403, "supportsTeamDrivesRequired");
    let all = "supportsAllDrives=true&includeItemsFromAllDrives=true";
    rig.get(&rig.ana, &format!("files?corpora=drive&{all}")).await.refused(400, "required");
    let list = rig.get(&rig.ana, &format!("files?corpora=drive&driveId={drive}&{all}")).await.ok();
    assert_eq!(names(list["files"].as_array().expect("files")), ["novos"]);
    let mine = rig.get(&rig.ana, "files").await.ok();
    assert_eq!(mine["files"], json!([]), "the user corpus without shared drives");
}

#[tokio::test]
async fn b2_46_b2_49_b2_53_queries() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let novos = rig.control.mkdir(ana, "root", "Novos").expect("made");
    rig.control.put(ana, &novos, "ordem 165.pdf", b"%PDF-", "application/pdf").expect("put");
    rig.control.put(ana, &novos, "notes.txt", b"x", "text/plain").expect("put");
    let found = |q: String| {
        let rig = &rig;
        async move { names(&rig.list(&rig.ana, &q).await) }
    };
    assert_eq!(found("name = 'nOVOS'".into()).await, ["Novos"]);
    assert_eq!(found("name contains '16'".into()).await, ["ordem 165.pdf"]);
    assert_eq!(found("name contains '65'".into()).await, Vec::<String>::new());
    assert_eq!(found(format!("'{novos}' in parents and mimeType='application/pdf'")).await, ["ordem 165.pdf"]);
    assert_eq!(found(format!("'{novos}' in parents and not name contains 'ordem'")).await, ["notes.txt"]);
    assert_eq!(found("'me' in owners and 'root' in parents".into()).await, ["Novos"]);
    rig.get(&rig.ana, "files?q='missing'+in+parents").await.refused(404, "notFound");
    rig.get(&rig.ana, "files?q=name+is+x").await.refused(400, "invalid");
    rig.get(&rig.ana, "files?q=fullText+contains+'x'&orderBy=name").await.refused(403, "forbidden");
}

#[tokio::test]
async fn b2_55_b2_56_trash_of_a_folder() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let folder = rig.control.mkdir(ana, "root", "novos").expect("made");
    let file = rig.control.put(ana, &folder, "a.pdf", b"a", "application/pdf").expect("put");
    rig.control.share(ana, &folder, &rig.bea.email, "writer").expect("shared");
    rig.patch(&rig.bea, &format!("files/{file}"), json!({"trashed": true})).await.refused(403, "insufficientFilePermissions");
    rig.patch(&rig.ana, &format!("files/{folder}"), json!({"trashed": true})).await.ok();
    let below = rig.get(&rig.ana, &format!("files/{file}?fields=trashed,explicitlyTrashed,parents")).await.ok();
    assert_eq!(below, json!({"trashed": true, "explicitlyTrashed": false, "parents": [folder]}));
    assert_eq!(rig.list(&rig.ana, "trashed = false").await.len(), 0);
    assert_eq!(rig.list(&rig.ana, "").await.len(), 2, "b2_32: trashed items are listed");
    rig.get(&rig.bea, &format!("files/{file}")).await.ok();
    rig.patch(&rig.ana, &format!("files/{folder}"), json!({"trashed": false})).await.ok();
    assert_eq!(rig.list(&rig.ana, "trashed = false").await.len(), 2);
}

#[tokio::test]
async fn b2_59_b2_60_deleting_is_the_owners() {
    let rig = Rig::start().await;
    let ana = &rig.ana.email;
    let folder = rig.control.mkdir(ana, "root", "novos").expect("made");
    rig.control.share(ana, &folder, &rig.bea.email, "writer").expect("shared");
    let beas = rig.control.put(&rig.bea.email, &folder, "b.pdf", b"b", "application/pdf").expect("put");
    let anas = rig.control.put(ana, &folder, "a.pdf", b"a", "application/pdf").expect("put");
    rig.delete(&rig.bea, &format!("files/{folder}")).await.refused(403, "insufficientFilePermissions");
    assert_eq!(rig.delete(&rig.ana, &format!("files/{folder}")).await.status, 204);
    rig.delete(&rig.ana, &format!("files/{folder}")).await.refused(404, "notFound");
    assert!(rig.control.file(&anas).is_err());
    assert_eq!(rig.control.file(&beas).expect("it stays")["parents"], json!([rig.bea.root_id]));
}
