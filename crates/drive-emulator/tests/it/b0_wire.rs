//! What clients really put on the wire: parameters said twice, words for true, bodies in pieces.

use std::convert::Infallible;

use drive_emulator::User;
use reqwest::{Body, Method};
use serde_json::{Value, json};

use crate::support::{Rig, names, refresh, send, text};

const ANA: &str = "ana@example.com";

/// Ana with a token of another client, which saw these scopes consented to.
async fn through_another_app(rig: &Rig, scopes: &str) -> User {
    let file: Value = serde_json::from_str(&rig.control.authorized_user_for(ANA, scopes).expect("made")).expect("JSON");
    let (url, form) = refresh(&file);
    let answer = send(rig.http.post(url).form(&form)).await.ok();
    User { token: text(&answer, "access_token").to_owned(), ..rig.ana.clone() }
}

#[tokio::test]
async fn b0_6_of_each_parameter_given_twice_the_first_counts() {
    // b12_10: parameters given twice.
    let rig = Rig::start().await;
    for name in ["a", "b", "c"] {
        rig.control.put(ANA, "root", name, name.as_bytes(), "text/plain").expect("put");
    }
    let listed = async |query: &str| {
        let page = rig.get(&rig.ana, &format!("files?{query}")).await.ok();
        page["files"].as_array().expect("files").iter().map(|file| text(file, "name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("q=name='a'&q=name='b'").await, ["a"]);
    assert_eq!(listed("q=name='a'&q=nonsense").await, ["a"]);
    assert_eq!(listed("orderBy=name+desc&orderBy=name").await, ["c", "b", "a"]);
    assert_eq!(listed("orderBy=name&pageSize=2&pageSize=1").await, ["a", "b"]);
    let first = rig.get(&rig.ana, "files?orderBy=name&pageSize=1&fields=nextPageToken").await.ok();
    let token = text(&first, "nextPageToken");
    assert_eq!(listed(&format!("orderBy=name&pageSize=1&pageToken={token}&pageToken=nonsense")).await, ["b"]);
    let id = rig.control.children(&rig.ana.root_id).expect("children")[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(rig.get(&rig.ana, &format!("files/{id}?fields=name&fields=id")).await.ok(), json!({"name": "a"}));
    let bytes = rig.request(&rig.ana, Method::GET, &format!("files/{id}?alt=media&alt=json")).send().await.expect("it answers");
    assert_eq!(bytes.text().await.expect("a body"), "a");
    let flat = rig.request(&rig.ana, Method::GET, "about?fields=kind&prettyPrint=false&prettyPrint=true").send().await.expect("it answers");
    assert!(!flat.text().await.expect("a body").contains('\n'));
    let letter = rig.control.google_doc(ANA, "root", "letter", "document").expect("made");
    let path = format!("files/{letter}/export?mimeType=application/pdf&mimeType=nonsense");
    let export = rig.request(&rig.ana, Method::GET, &path).send().await.expect("it answers");
    assert_eq!(export.headers()["content-type"], "application/pdf");
}

#[tokio::test]
async fn b0_8_four_checks_want_the_very_word_true() {
    let rig = Rig::start().await;
    for other in ["1", "t", "yes", "Y"] {
        // Neither of the older names either.
        for include in ["includeItemsFromAllDrives", "includeTeamDriveItems"] {
            rig.get(&rig.ana, &format!("files?{include}={other}")).await.ok();
            rig.get(&rig.ana, &format!("files?{include}=TRUE")).await.refused(403, "supportsTeamDrivesRequired");
            for supports in ["supportsAllDrives", "supportsTeamDrives"] {
                rig.get(&rig.ana, &format!("files?{include}=true&{supports}={other}")).await.refused(403, "supportsTeamDrivesRequired");
                rig.get(&rig.ana, &format!("files?{include}=true&{supports}=True")).await.ok();
            }
        }
        rig.get(&rig.ana, &format!("files/nowhere?acknowledgeAbuse={other}")).await.refused(404, "notFound");
        rig.get(&rig.ana, "files/nowhere?acknowledgeAbuse=TRUE").await.refused(403, "invalidAbuseAcknowledgment");
    }
}

#[tokio::test]
async fn b0_11_other_schemes_are_no_credential() {
    let rig = Rig::start().await;
    let url = format!("{}/drive/v3/files", rig.emulator.url());
    for value in [format!("Basic {}", rig.ana.token), format!("BEARER {}", rig.ana.token), rig.ana.token.clone(), "Bearer".to_owned()] {
        send(rig.http.get(&url).header("Authorization", &value)).await.refused(403, "forbidden");
    }
}

#[tokio::test]
async fn b0_12_root_is_not_there_for_a_scope_that_cannot_see_it() {
    let rig = Rig::start().await;
    let narrow = through_another_app(&rig, "https://www.googleapis.com/auth/drive.file").await;
    rig.get(&narrow, "files/root").await.refused(404, "notFound");
    // It may be written into all the same.
    let made = rig.post(&narrow, "files?fields=id", json!({"name": "mine"})).await.ok();
    rig.get(&narrow, &format!("files/{}", text(&made, "id"))).await.ok();
    // b1_5: a folder some person made is none of its business.
    let folder = rig.control.mkdir(ANA, "root", "hers").expect("made");
    rig.post(&narrow, "files", json!({"parents": [folder]})).await.refused(403, "insufficientParentPermissions");
}

#[tokio::test]
async fn b1_22_multipart_in_pieces_with_every_liberty_clients_take() {
    // b12_10: chunked, quoted, with bare line ends.
    let rig = Rig::start().await;
    let mount =
        |mount: &str| rig.request(&rig.ana, Method::POST, &format!("/{mount}/drive/v3/files?uploadType=multipart&fields=name,size"));
    let metadata = r#"{"name":"a.txt"}"#;
    let bodies = [
        // A line in front, lengths in the parts, names in lower case.
        format!(
            "\r\n--b\r\ncontent-length: {}\r\ncontent-type: application/json\r\n\r\n{metadata}\r\n--b\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello\r\n--b--\r\n",
            metadata.len()
        ),
        // Bare line ends.
        format!(
            "--b\nContent-Type: application/json; charset=UTF-8\nMIME-Version: 1.0\n\n{metadata}\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: binary\n\nhello\n--b--"
        ),
    ];
    for body in bodies {
        for (kind, by) in [("multipart/related; boundary=b", "upload"), ("multipart/related; boundary=\"b\"", "resumable/upload")] {
            // In pieces of seven bytes, without a length: Transfer-Encoding: chunked.
            let pieces: Vec<Result<Vec<u8>, Infallible>> = body.as_bytes().chunks(7).map(|piece| Ok(piece.to_vec())).collect();
            let request = mount(by).header("Content-Type", kind).body(Body::wrap_stream(futures_util::stream::iter(pieces)));
            assert_eq!(send(request).await.ok(), json!({"name": "a.txt", "size": "5"}), "{body:?}");
        }
    }
}

#[tokio::test]
async fn b1_48_private_properties_are_one_apps() {
    let rig = Rig::start().await;
    let id = rig.control.mkdir(ANA, "root", "novos").expect("made");
    let path = format!("files/{id}?fields=appProperties,properties");
    rig.patch(&rig.ana, &path, json!({"appProperties": {"k": "ours"}, "properties": {"p": "all"}})).await.ok();
    let other = through_another_app(&rig, "https://www.googleapis.com/auth/drive").await;
    assert_eq!(rig.get(&other, &path).await.ok(), json!({"properties": {"p": "all"}}));
    // b2_48: nor does a query find by another's.
    assert!(rig.list(&other, "appProperties has { key='k' and value='ours' }").await.is_empty());
    assert_eq!(names(&rig.list(&other, "properties has { key='p' and value='all' }").await), ["novos"]);
    // b1_49: each app has its thirty.
    let many = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    rig.patch(&rig.ana, &path, json!({"appProperties": many(29)})).await.ok();
    rig.patch(&rig.ana, &path, json!({"appProperties": many(30)})).await.refused(400, "invalid");
    let theirs = rig.patch(&other, &path, json!({"appProperties": many(30)})).await.ok();
    assert_eq!(theirs["appProperties"].as_object().map(serde_json::Map::len), Some(30));
}
