//! What the control API refuses, and what it tells of requests.

use drive_emulator::control::{Effect, Fault, Quota, When};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, send, text};

const ANA: &str = "ana@example.com";

#[tokio::test]
async fn rules_that_can_never_strike_are_refused_and_say_why() {
    let rig = Rig::start().await;
    for (rule, part) in [
        (json!({"match": {"op": "no.such"}, "effect": "hang"}), "files.create"),
        (json!({"match": {"op": "comments.list"}, "effect": "hang"}), "upload.chunk"),
        (json!({"when": {"calls": [0]}, "effect": "hang"}), "never strikes"),
        (json!({"when": {"calls": []}, "effect": "hang"}), "never strikes"),
        (json!({"when": {"every": 0}, "effect": "hang"}), "never strikes"),
        (json!({"when": {"next": 0}, "effect": "hang"}), "never strikes"),
        (json!({"when": {"probability": 2}, "effect": "hang"}), "never strikes"),
        (json!({"when": "never", "effect": "hang"}), "{\"calls\": [1]}"),
        (json!({"effect": {"status": {"code": 99}}}), "no status of an error"),
        (json!({"effect": {"status": {"code": 200}}}), "no status of an error"),
        (json!({"effect": "explode"}), "explode"),
        (json!({"match": {"op": "files.get", "only_writes": true}, "effect": "hang"}), "changes nothing"),
        (json!({"match": {"op": "token", "only_writes": true}, "effect": "hang"}), "changes nothing"),
        (json!({"match": {"op": "files.create", "method": "GET"}, "effect": "hang"}), "comes by POST"),
        (json!({"match": {"op": "files.list", "method": "PATCH"}, "effect": "hang"}), "comes by GET or POST"),
        (json!({"match": {"path_prefix": "drive/v3"}, "effect": "hang"}), "begins with \"/\""),
    ] {
        let answer = rig.control_call(Method::POST, "faults", rule.clone()).await;
        assert_eq!(answer.status, 400, "{rule}: {answer:?}");
        assert!(text(&answer.body["error"], "message").contains(part), "{rule}: {answer:?}");
    }
    assert_eq!(rig.control.fault(Fault::new(Effect::Hang).op("files.crate")).expect_err("refused").reason(), "invalid");
    for rule in [
        json!({"match": {"op": "upload.chunk"}, "effect": "hang"}),
        json!({"match": {"op": "token"}, "effect": "hang"}),
        // A long list comes as a POST.
        json!({"match": {"op": "files.list", "method": "post"}, "effect": "hang"}),
        json!({"match": {"op": "files.update", "method": "PUT"}, "effect": "hang"}),
    ] {
        rig.control_call(Method::POST, "faults", rule).await.ok();
    }
}

#[tokio::test]
async fn numbers_names_and_ids_that_are_none_are_refused() {
    let rig = Rig::start().await;
    for (method, path, body) in [
        (Method::POST, "clock", json!({"advance_ms": -5})),
        (Method::PUT, "latency", json!({"ms": -1})),
        (Method::GET, "requests?limit=abc", json!({})),
        (Method::GET, "requests?after=-1", json!({})),
        (Method::POST, "users", json!({"email": "not an address"})),
        (Method::POST, "users", json!({"email": "@example.com"})),
        (Method::POST, "acts/mkdir", json!({"email": "not an address", "name": "novos"})),
        (Method::POST, "storage_limit", json!({"email": "not an address", "bytes": 1})),
        (Method::POST, "drives", json!({"name": "Field", "organizer": "not an address"})),
        (Method::POST, "drive_members", json!({"drive_id": "x", "email": "not an address", "role": "reader"})),
        (Method::POST, "delegations", json!({"client_email": ANA, "subject": "not an address"})),
        (Method::POST, "groups", json!({"email": "team", "members": [ANA]})),
        (Method::POST, "groups", json!({"email": "team@example.com", "members": ["ana"]})),
        (Method::POST, "service_accounts", json!({"name": "Bad Name/../x"})),
        // Of another kind than the field is.
        (Method::POST, "authorized_users", json!({"email": ANA, "scopes": ["https://www.googleapis.com/auth/drive.file"]})),
        (Method::POST, "storage_limit", json!({"email": ANA, "bytes": "all"})),
        (Method::POST, "storage_limit", json!({"email": ANA, "bytes": -1})),
        (Method::POST, "groups", json!({"email": "team@example.com", "members": ANA})),
        (Method::POST, "groups", json!({"email": "team@example.com", "members": [5]})),
        (Method::POST, "acts/mkdir", json!({"email": ANA, "name": "novos", "parent": 5})),
        (Method::POST, "acts/mkdir", json!({"email": ANA, "name": 5})),
        (Method::POST, "acts/put", json!({"email": ANA, "name": "a", "content": [1]})),
        (Method::POST, "acts/update", json!({"email": ANA, "id": "x", "body": "name"})),
        (Method::POST, "acts/mark_abusive", json!({"id": "x", "abusive": "no"})),
        (Method::POST, "clock", json!({"set": 5})),
        (Method::POST, "acts/google_doc", json!({"email": ANA, "name": "a", "kind": "bogus"})),
    ] {
        let refused = rig.control_call(method, path, body).await.refused(400, "invalid");
        let said = text(&refused["error"], "message");
        assert!(said.contains("is ") && !said.contains("Required"), "{path}: {said}");
    }
    // Nothing was made of any of them.
    let users = rig.control_call(Method::GET, "users", json!({})).await.ok();
    assert_eq!(users.as_array().map(Vec::len), Some(2), "{users}");
    for (method, path, body) in [
        (Method::GET, "children/nowhere", json!({})),
        (Method::POST, "drive_members", json!({"drive_id": rig.ana.root_id, "email": ANA, "role": "reader"})),
        (Method::POST, "delegations", json!({"client_email": "nobody@example.com", "subject": ANA})),
        (Method::DELETE, "delegations", json!({"client_email": "nobody@example.com", "subject": ANA})),
        (Method::POST, "revoke_tokens", json!({"email": "nobody@example.com"})),
        (Method::POST, "revoke_keys", json!({"email": "nobody"})),
        (Method::POST, "acts/mark_abusive", json!({"id": "nowhere"})),
    ] {
        rig.control_call(method, path, body).await.refused(404, "notFound");
    }
    // In Rust as over HTTP.
    for refused in [
        rig.control.user("not an address").map(drop),
        rig.control.mkdir("not an address", "root", "novos").map(drop),
        rig.control.service_account("Bad Name/../x").map(drop),
        rig.control.google_doc(ANA, "root", "a", "bogus").map(drop),
    ] {
        assert_eq!(refused.expect_err("refused").reason(), "invalid");
    }
    for refused in [rig.control.revoke_keys("nobody"), rig.control.revoke_tokens("nobody@example.com")] {
        assert_eq!(refused.expect_err("refused").reason(), "notFound");
    }
}

#[tokio::test]
async fn a_number_of_bytes_in_letters_is_that_limit() {
    let rig = Rig::start().await;
    rig.control_call(Method::POST, "storage_limit", json!({"email": ANA, "bytes": "100"})).await.ok();
    let limit = async || rig.get(&rig.ana, "about?fields=storageQuota(limit)").await.ok()["storageQuota"]["limit"].clone();
    assert_eq!(limit().await, "100");
    rig.control_call(Method::POST, "storage_limit", json!({"email": ANA, "bytes": null})).await.ok();
    assert_eq!(limit().await, Value::Null);
}

#[tokio::test]
async fn after_a_revocation_an_address_has_a_new_token() {
    let rig = Rig::start().await;
    rig.control_call(Method::POST, "revoke_tokens", json!({"email": ANA})).await.ok();
    rig.get(&rig.ana, "about?fields=kind").await.refused(401, "authError");
    let again = rig.control_call(Method::POST, "users", json!({"email": ANA})).await.ok();
    assert_eq!(text(&again, "root_id"), rig.ana.root_id);
    let ana = drive_emulator::User { token: text(&again, "token").to_owned(), ..rig.ana.clone() };
    rig.get(&ana, "about?fields=kind").await.ok();
    rig.get(&rig.ana, "about?fields=kind").await.refused(401, "authError");
    assert_eq!(rig.control_call(Method::POST, "users", json!({"email": ANA})).await.ok()["token"], again["token"]);
}

/// A token that ended is nobody's: it is not logged as its owner's, and no quota of theirs refuses it.
#[tokio::test]
async fn a_token_that_ended_acts_for_nobody() {
    let rig = Rig::start().await;
    rig.get(&rig.ana, "about?fields=kind").await.ok();
    rig.control.revoke_tokens(ANA).expect("revoked");
    rig.control.set_quota(Quota { calls_per_minute: Some(0), ..Quota::default() });
    rig.get(&rig.ana, "about?fields=kind").await.refused(401, "authError");
    let principals: Vec<Option<String>> = rig.control.requests().into_iter().map(|request| request.principal).collect();
    assert_eq!(principals, [Some(ANA.to_owned()), None]);
    rig.get(&rig.bea, "about?fields=kind").await.refused(403, "userRateLimitExceeded");
}

#[tokio::test]
async fn requests_tell_what_was_asked_by_whom_and_why_it_was_refused() {
    let rig = Rig::start().await;
    let requests = async |query: &str| rig.control_call(Method::GET, &format!("requests?{query}"), json!({})).await.ok();
    rig.post(&rig.ana, "files", json!({"name": "a.pdf"})).await.ok();
    rig.post(&rig.bea, "files", json!({"parents": ["nowhere"]})).await.refused(404, "notFound");
    send(rig.http.get(format!("{}/drive/v3/about?fields=kind&access_token={}", rig.emulator.url(), rig.bea.token))).await.ok();
    let all = requests("").await;
    let asked: Vec<Value> = ["body", "reason", "principal", "status"].iter().map(|name| all[1][name].clone()).collect();
    assert_eq!(json!(asked), json!([r#"{"parents":["nowhere"]}"#, "notFound", "bea@example.com", 404]));
    assert_eq!((&all[0]["body"], all[0].get("reason")), (&json!(r#"{"name":"a.pdf"}"#), None));
    assert_eq!((&all[2]["principal"], &all[2]["query"]), (&json!("bea@example.com"), &json!("fields=kind&access_token=-")));
    let seqs = async |query: &str| requests(query).await.as_array().expect("a list").iter().map(|r| r["seq"].clone()).collect::<Vec<_>>();
    assert_eq!(seqs("after=1").await, [2, 3]);
    assert_eq!(seqs("principal=bea@example.com&status=404").await, [2]);
    assert_eq!(seqs("op=files.create&limit=1").await, [2]);
    assert_eq!(seqs("after=3").await, [0; 0]);
    // A channel's maker names a secret: it is not kept, and nor are bytes.
    let channel = json!({"id": "c", "type": "web_hook", "address": "https://example.com/x", "token": "s3cret"});
    rig.post(&rig.ana, "changes/watch?pageToken=1", channel).await.ok();
    send(rig.request(&rig.ana, Method::POST, "/upload/drive/v3/files?uploadType=media").body("bytes")).await.ok();
    let last = requests("after=3").await;
    assert!(last.as_array().expect("a list").iter().all(|request| request.get("body").is_none()), "{last}");
}

#[tokio::test]
async fn a_browser_that_came_by_another_name_reads_nothing_and_icons_are_no_calls() {
    let rig = Rig::start().await;
    let users = || rig.http.get(format!("{}/_emulator/users", rig.emulator.url()));
    let browser = "Mozilla/5.0 (X11; Linux x86_64)";
    send(users().header("Host", "evil.example:80").header("User-Agent", browser)).await.refused(403, "forbidden");
    send(users().header("User-Agent", browser)).await.ok();
    send(users().header("Host", "drive-emulator:8080")).await.ok();
    rig.control.fault(Fault::new(Effect::CutBefore).when(When::Always)).expect("a rule that can strike");
    let icon = rig.http.get(format!("{}/favicon.ico", rig.emulator.url())).send().await.expect("no rule strikes it");
    assert_eq!((icon.status().as_u16(), rig.control.calls()), (404, 0));
}

#[tokio::test]
async fn answers_of_rules_are_dated_by_the_emulated_clock_and_downloads_are_attachments() {
    let rig = Rig::start().await;
    rig.control.clock_set("2031-05-06T07:08:09Z").expect("set");
    let file = rig.control.put(ANA, "root", "a.html", b"<script>alert(1)</script>", "text/html").expect("put");
    let get = async || rig.request(&rig.ana, Method::GET, &format!("files/{file}?alt=media")).send().await.expect("it answers");
    let media = get().await;
    assert!(media.headers()["content-disposition"] == "attachment" && media.headers()["x-content-type-options"] == "nosniff");
    rig.control.fault(Fault::new(Effect::Unauthorized)).expect("a rule that can strike");
    for answer in [media, get().await] {
        let date = answer.headers()["date"].to_str().expect("text");
        assert!(date.contains("06 May 2031"), "{date}");
    }
}
