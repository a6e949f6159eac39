//! Transport and generic request rules.

use reqwest::Method;
use serde_json::json;

use crate::support::{Rig, names, send, text};

#[tokio::test]
async fn b0_3_answers_are_indented_unless_asked_not_to_be() {
    let rig = Rig::start().await;
    for (query, indented) in [("", true), ("&prettyPrint=false", false)] {
        let response = rig.request(&rig.ana, Method::GET, &format!("about?fields=user{query}")).send().await.expect("the emulator answers");
        assert_eq!(response.headers()["content-type"], "application/json; charset=UTF-8");
        assert_eq!(response.text().await.expect("the body arrives").contains("\n  "), indented);
    }
}

#[tokio::test]
async fn b0_4_long_integers_are_strings() {
    let rig = Rig::start().await;
    let id = rig.control.put(&rig.ana.email, "root", "a.txt", b"abc", "text/plain").expect("it is put");
    let file = rig.get(&rig.ana, &format!("files/{id}?fields=size,version,quotaBytesUsed")).await.ok();
    assert_eq!(file, json!({"size": "3", "version": "1", "quotaBytesUsed": "3"}));
}

#[tokio::test]
async fn b0_9_a_long_get_may_come_as_post() {
    // b12_10: X-HTTP-Method-Override.
    let rig = Rig::start().await;
    rig.control.mkdir(&rig.ana.email, "root", "novos").expect("it is made");
    let padding = "or name = 'x' ".repeat(200);
    let request = rig
        .request(&rig.ana, Method::POST, "files")
        .header("X-HTTP-Method-Override", "GET")
        .form(&[("q", format!("name = 'novos' {padding}").as_str()), ("fields", "files(name)")]);
    let body = send(request).await.ok();
    assert_eq!(names(body["files"].as_array().expect("a list")), ["novos"]);
}

#[tokio::test]
async fn b0_11_only_bearer_counts_and_b6_4_what_is_said_without() {
    let rig = Rig::start().await;
    let url = format!("{}/drive/v3/files", rig.emulator.url());
    let basic = rig.http.get(&url).header("Authorization", format!("bearer {}", rig.ana.token));
    send(basic).await.refused(403, "forbidden");
    let body = send(rig.http.post(&url)).await.refused(401, "required");
    assert_eq!(text(&body["error"]["errors"][0], "message"), "Login Required.");
    let wrong = send(rig.http.get(&url).bearer_auth("wrong")).await.refused(401, "authError");
    assert_eq!(wrong["error"]["status"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn b2_2_a_bad_boolean_is_refused_before_the_file_is_looked_up() {
    let rig = Rig::start().await;
    let body = rig.get(&rig.ana, "files/nothing?supportsAllDrives=NOPE").await.refused(400, "invalid");
    assert_eq!(body["error"]["status"], "INVALID_ARGUMENT");
    rig.get(&rig.ana, "files/nothing?acknowledgeAbuse=true").await.refused(403, "invalidAbuseAcknowledgment");
    rig.get(&rig.ana, "files/nothing?fields=nonsense").await.refused(404, "notFound");
    rig.get(&rig.ana, "files/root?fields=nonsense").await.refused(400, "invalidParameter");
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let rig = Rig::start().await;
    rig.get(&rig.ana, "files/abc/comments").await.refused(501, "notImplemented");
    rig.get(&rig.ana, "nothing").await.refused(404, "notFound");
    rig.get(&rig.ana, "/elsewhere").await.refused(404, "notFound");
}

#[tokio::test]
async fn b1_56_about_wants_fields() {
    let rig = Rig::start().await;
    rig.get(&rig.ana, "about").await.refused(400, "required");
    let about = rig.get(&rig.ana, "about?fields=user(emailAddress,permissionId)").await.ok();
    assert_eq!(about, json!({"user": {"emailAddress": "ana@example.com", "permissionId": rig.ana.permission_id}}));
}

#[tokio::test]
async fn a_stopped_emulator_answers_on_no_connection() {
    let Rig { emulator, control, ana, http, .. } = Rig::start().await;
    let url = format!("{}/drive/v3/about?fields=user", emulator.url());
    // The client keeps this connection and would use it again.
    let first = http.get(&url).bearer_auth(&ana.token).send().await.expect("it answers");
    assert_eq!(first.status(), 200);
    first.bytes().await.expect("a body");
    drop((emulator, control));
    assert!(http.get(&url).bearer_auth(&ana.token).send().await.is_err());
}
