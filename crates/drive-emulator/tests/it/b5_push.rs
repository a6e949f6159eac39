//! Push channels (`drive-v3-behaviour` 5), delivered for real.

mod receiver;

use std::time::Duration;

use receiver::Receiver;
use serde_json::{Value, json};

use crate::support::Rig;

async fn rig() -> Rig {
    let rig = Rig::start().await;
    rig.control.set_switches(|switches| switches.push_allows_http = true).expect("it is turned");
    rig
}

fn channel(id: &str, address: &str) -> Value {
    json!({"id": id, "type": "web_hook", "address": address, "token": "t0k"})
}

#[tokio::test]
async fn b5_9_a_changes_channel_syncs_then_tells_of_changes() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let made = rig.post(&rig.ana, "changes/watch?pageToken=1", channel("c1", &receiver.address)).await.ok();
    assert_eq!((&made["kind"], &made["id"], &made["token"]), (&json!("api#channel"), &json!("c1"), &json!("t0k")));
    assert!(made["expiration"].is_string(), "{made}");
    let sync = receiver.next().await;
    assert_eq!(sync["line"], "POST /hook?x=1 HTTP/1.1");
    assert_eq!((sync["x-goog-resource-state"].as_str(), sync["x-goog-message-number"].as_str()), ("sync", "1"));
    assert_eq!((sync["x-goog-channel-id"].as_str(), sync["x-goog-channel-token"].as_str()), ("c1", "t0k"));
    assert_eq!(json!(sync["x-goog-resource-id"]), made["resourceId"]);
    assert_eq!(sync["content-length"], "0");
    rig.control.mkdir("ana@example.com", "root", "novos").expect("it is made");
    let change = receiver.next().await;
    assert_eq!((change["x-goog-resource-state"].as_str(), change["x-goog-message-number"].as_str()), ("change", "2"));
    assert!(change["x-goog-channel-expiration"].ends_with(" GMT"));
    rig.control.mkdir("bea@example.com", "root", "hers").expect("it is made");
    rig.control.set_switches(|switches| switches.push_says_changed = true).expect("it is turned");
    rig.control.mkdir("ana@example.com", "root", "more").expect("it is made");
    let next = receiver.next().await;
    assert_eq!(
        (next["x-goog-resource-state"].as_str(), next["x-goog-message-number"].as_str()),
        ("changed", "3"), // b11_5
        "Bea's folder is no news to Ana"
    );
}

#[tokio::test]
async fn b5_10_a_file_channel_says_what_happened() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let id = rig.control.put("ana@example.com", "root", "a.pdf", b"hello", "application/pdf").expect("it is made");
    rig.post(&rig.ana, &format!("files/{id}/watch"), channel("c1", &receiver.address)).await.ok();
    assert_eq!(receiver.next().await["x-goog-resource-state"], "sync");
    rig.control.replace("ana@example.com", &id, b"more").expect("it is replaced");
    let update = receiver.next().await;
    assert_eq!(update["x-goog-resource-state"], "update");
    assert!(update["x-goog-changed"].contains("content"), "{update:?}");
    rig.control.trash("ana@example.com", &id).expect("it is trashed");
    assert_eq!(receiver.next().await["x-goog-resource-state"], "trash");
    rig.control.delete("ana@example.com", &id).expect("it is deleted");
    assert_eq!(receiver.next().await["x-goog-resource-state"], "remove");
}

#[tokio::test]
async fn b5_13_an_unwell_receiver_is_asked_again() {
    let (rig, mut receiver) = (rig().await, Receiver::start(vec![503]).await);
    rig.post(&rig.ana, "changes/watch?pageToken=1", channel("c1", &receiver.address)).await.ok();
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first["x-goog-message-number"], second["x-goog-message-number"]);
}

#[tokio::test]
async fn b5_14_a_stopped_channel_is_silent_and_b5_4_its_id_is_used_up() {
    // b12_5: no id twice, nothing stopped twice.
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let watch = async |id: &str| rig.post(&rig.ana, "changes/watch?pageToken=1", channel(id, &receiver.address)).await;
    let made = watch("c1").await.ok();
    watch("c1").await.refused(400, "channelIdNotUnique");
    let stop = json!({"id": "c1", "resourceId": made["resourceId"]});
    rig.post(&rig.bea, "channels/stop", stop.clone()).await.refused(404, "notFound");
    assert_eq!(rig.post(&rig.ana, "channels/stop", stop.clone()).await.status, 204);
    rig.post(&rig.ana, "channels/stop", stop).await.refused(404, "notFound");
    watch("c1").await.refused(400, "channelIdNotUnique");
    watch("c2").await.ok();
    rig.control.mkdir("ana@example.com", "root", "novos").expect("it is made");
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(receiver.next().await["x-goog-channel-id"].clone());
    }
    told.sort();
    assert_eq!(told, ["c1", "c2", "c2"], "c1 synced, then only c2 was told");
}

#[tokio::test]
async fn b5_3_channels_end_by_the_clock() {
    let (rig, receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let now = rig.control.now_ms().expect("the time");
    let mut long = channel("c1", &receiver.address);
    long["expiration"] = json!((now + 999 * 86_400_000).to_string());
    let made = rig.post(&rig.ana, "changes/watch?pageToken=1", long).await.ok();
    let expires: i64 = made["expiration"].as_str().and_then(|text| text.parse().ok()).expect("ms");
    assert!(expires <= now + 604_800_000 + 60_000, "a week at most");
    rig.control.clock_advance(Duration::from_hours(8 * 24)).expect("time passes");
    let stop = json!({"id": "c1", "resourceId": made["resourceId"]});
    rig.post(&rig.ana, "channels/stop", stop).await.refused(404, "notFound");
}

#[tokio::test]
async fn b5_5_addresses_and_types() {
    let rig = Rig::start().await;
    let watch = async |body: Value| rig.post(&rig.ana, "changes/watch?pageToken=1", body).await;
    watch(channel("c1", "http://127.0.0.1:1/x")).await.refused(400, "push.webhookUrlNotHttps");
    watch(channel("c1", "")).await.refused(400, "push.webhookUrlNoHostOrAddress");
    watch(json!({"id": "c1", "type": "mail", "address": "https://example.com/x"})).await.refused(400, "push.channelTypeNotSupported");
    watch(json!({"type": "web_hook", "address": "https://example.com/x"})).await.refused(400, "required");
    watch(channel("c 1", "https://example.com/x")).await.refused(400, "invalid");
    watch(channel("c1", "https://example.com/x")).await.ok();
    rig.post(&rig.ana, "changes/watch", channel("c2", "https://example.com/x")).await.refused(400, "required");
    rig.post(&rig.ana, "files/none/watch", channel("c2", "https://example.com/x")).await.refused(404, "notFound");
    rig.control.set_switches(|switches| switches.push_allows_http = true).expect("it is turned");
    watch(channel("c3", "http://example.com/x")).await.refused(400, "push.webhookUrlNotHttps");
}

#[tokio::test]
async fn b5_1_a_channels_parts_and_b5_2_its_answer() {
    let rig = Rig::start().await;
    let address = "https://example.com/x";
    let watch = async |body: Value| rig.post(&rig.ana, "changes/watch?pageToken=1", body).await;
    watch(channel(&"x".repeat(65), address)).await.refused(400, "invalid");
    let long = json!({"id": "c0", "type": "web_hook", "address": address, "token": "x".repeat(257)});
    watch(long).await.refused(400, "invalid");
    let now = rig.control.now_ms().expect("the time");
    let made = watch(json!({"id": "a-B_9+/=", "type": "web_hook", "address": address})).await.ok();
    let expires: i64 = made["expiration"].as_str().and_then(|text| text.parse().ok()).expect("ms in letters");
    assert!((now + 3_500_000..now + 3_700_000).contains(&expires), "an hour where nothing is said");
    assert!(made["resourceId"].is_string() && made["resourceUri"].is_string() && made.get("token").is_none(), "{made}");
    // b5_15, b6_22: what watching costs.
    let asked = rig.control.requests();
    assert!(asked.iter().all(|call| call.op == "changes.watch" && call.units == 5), "{asked:?}");
    // b5_17: plain http is for loopback, and only where it is allowed.
    watch(channel("c1", "http://127.0.0.1:9/x")).await.refused(400, "push.webhookUrlNotHttps");
    rig.control.set_switches(|switches| switches.push_allows_http = true).expect("it is turned");
    watch(channel("c1", "http://127.0.0.1:9/x")).await.ok();
}

#[tokio::test]
async fn b5_6_a_domain_nobody_verified_and_b11_14_one_that_is_fine() {
    let rig = Rig::start().await;
    let watch = async |id: &str| rig.post(&rig.ana, "changes/watch?pageToken=1", channel(id, "https://Example.com/x")).await;
    watch("c1").await.ok();
    rig.control.set_switches(|switches| switches.push_refused_hosts = vec!["example.com".into()]).expect("it is turned");
    watch("c2").await.refused(401, "push.webhookUrlUnauthorized");
}

#[tokio::test]
async fn b5_8_messages_are_empty_and_b5_11_name_no_file() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    rig.post(&rig.ana, "changes/watch?pageToken=1", channel("c1", &receiver.address)).await.ok();
    receiver.next().await;
    let file = rig.control.mkdir("ana@example.com", "root", "novos").expect("it is made");
    let told = receiver.next().await;
    assert_eq!((told["content-length"].as_str(), told.get("x-goog-changed")), ("0", None));
    assert!(told["user-agent"].starts_with("APIs-Google"), "{told:?}");
    assert!(!format!("{told:?}").contains(&file), "{told:?}");
}

#[tokio::test]
async fn b5_9_numbers_have_gaps_and_b5_13_messages_come_twice_or_never() {
    // b12_5: gaps, duplicates, losses.
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    rig.control.set_switches(|switches| switches.push_number_step = 7).expect("it is turned");
    rig.post(&rig.ana, "changes/watch?pageToken=1", channel("c1", &receiver.address)).await.ok();
    assert_eq!(receiver.next().await["x-goog-message-number"], "1");
    rig.control.set_switches(|switches| switches.push_repeats = true).expect("it is turned");
    rig.control.mkdir("ana@example.com", "root", "a").expect("it is made");
    let (one, two) = (receiver.next().await, receiver.next().await);
    assert_eq!((one["x-goog-message-number"].as_str(), two["x-goog-message-number"].as_str()), ("8", "8"));
    rig.control
        .set_switches(|switches| {
            switches.push_repeats = false;
            switches.push_loses = true;
        })
        .expect("it is turned");
    rig.control.mkdir("ana@example.com", "root", "lost").expect("it is made");
    rig.control.set_switches(|switches| switches.push_loses = false).expect("it is turned");
    rig.control.mkdir("ana@example.com", "root", "b").expect("it is made");
    assert_eq!(receiver.next().await["x-goog-message-number"], "15", "and not a word of the one before");
}

#[tokio::test]
async fn b5_12_a_folders_channel_is_about_the_folder() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let folder = rig.control.mkdir("ana@example.com", "root", "novos").expect("it is made");
    rig.post(&rig.ana, &format!("files/{folder}/watch"), channel("c1", &receiver.address)).await.ok();
    receiver.next().await;
    let below = rig.control.mkdir("ana@example.com", &folder, "below").expect("it is made");
    assert_eq!(receiver.next().await["x-goog-changed"], "children");
    rig.control.mkdir("ana@example.com", &below, "deep").expect("it is made");
    rig.control.rename("ana@example.com", &folder, "renamed").expect("it is renamed");
    assert_eq!(receiver.next().await["x-goog-changed"], "properties", "what lies deeper is not told");
}

#[tokio::test]
async fn b5_9_the_first_message_may_come_before_the_channels_answer() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    rig.control.set_switches(|switches| switches.push_sync_first = true).expect("it is turned");
    // b12_5: the answer is held; the message is there.
    let calls = drive_emulator::control::Match { op: Some("changes.watch".into()), ..Default::default() };
    rig.control.gate().pause_after_matching(calls, 1);
    let watching = rig.request(&rig.ana, reqwest::Method::POST, "changes/watch?pageToken=1").json(&channel("c1", &receiver.address)).send();
    let (answer, ()) = tokio::join!(watching, async {
        assert_eq!(receiver.next().await["x-goog-resource-state"], "sync");
        rig.control.wait_paused().await;
        rig.control.resume();
    });
    assert!(answer.is_err(), "it never got its answer");
    let made = rig.post(&rig.ana, "changes/watch?pageToken=1", channel("c2", &receiver.address)).await.ok();
    assert!(receiver.notices.try_recv().is_ok_and(|sync| json!(sync["x-goog-resource-id"]) == made["resourceId"]), "it came first");
}

/// Only a channel's first message is waited for, whatever the others call themselves.
#[tokio::test]
async fn b5_10_a_change_that_says_sync_is_no_first_message() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let turned = rig.control.set_switches(|switches| {
        switches.push_sync_first = true;
        switches.push_state = "sync".into();
    });
    turned.expect("it is turned");
    rig.post(&rig.ana, "changes/watch?pageToken=1", channel("c1", &receiver.address)).await.ok();
    assert_eq!(receiver.next().await["x-goog-message-number"], "1");
    // On a thread of the runtime nothing can be waited for.
    rig.control.mkdir("ana@example.com", "root", "novos").expect("it is made");
    let told = receiver.next().await;
    assert_eq!((told["x-goog-resource-state"].as_str(), told["x-goog-message-number"].as_str()), ("sync", "2"));
}

#[tokio::test]
async fn b5_10_a_state_nobody_knows() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let file = rig.control.put("ana@example.com", "root", "a.pdf", b"x", "application/pdf").expect("it is made");
    rig.control.set_switches(|switches| switches.push_state = "transmogrify".into()).expect("it is turned");
    rig.post(&rig.ana, "changes/watch?pageToken=1", channel("c1", &receiver.address)).await.ok();
    assert_eq!(receiver.next().await["x-goog-resource-state"], "sync");
    rig.post(&rig.ana, &format!("files/{file}/watch"), channel("c2", &receiver.address)).await.ok();
    assert_eq!(receiver.next().await["x-goog-resource-state"], "sync");
    rig.control.rename("ana@example.com", &file, "b.pdf").expect("it is renamed");
    // b12_5: on either kind of channel.
    for _ in 0..2 {
        assert_eq!(receiver.next().await["x-goog-resource-state"], "transmogrify");
    }
    let wrong = rig.control.set_switches(|switches| switches.push_state = "a\r\nX-Evil: 1".into());
    assert!(wrong.is_err(), "it goes into a header");
}

#[tokio::test]
async fn b5_3_a_files_channel_lives_a_day_at_most_and_is_silent_then() {
    let (rig, mut receiver) = (rig().await, Receiver::start(Vec::new()).await);
    let file = rig.control.put("ana@example.com", "root", "a.pdf", b"x", "application/pdf").expect("it is made");
    let now = rig.control.now_ms().expect("the time");
    let mut long = channel("c1", &receiver.address);
    long["expiration"] = json!((now + 30 * 86_400_000_i64).to_string());
    let made = rig.post(&rig.ana, &format!("files/{file}/watch"), long).await.ok();
    let expires: i64 = made["expiration"].as_str().and_then(|text| text.parse().ok()).expect("ms");
    assert!((now + 86_000_000..=now + 86_460_000).contains(&expires), "a day");
    assert_eq!(receiver.next().await["x-goog-channel-id"], "c1");
    rig.control.clock_advance(Duration::from_hours(25)).expect("time passes");
    // b12_5: a new one beside it is told, the old one is not.
    rig.post(&rig.ana, &format!("files/{file}/watch"), channel("c2", &receiver.address)).await.ok();
    rig.control.rename("ana@example.com", &file, "b.pdf").expect("it is renamed");
    for _ in 0..2 {
        assert_eq!(receiver.next().await["x-goog-channel-id"], "c2");
    }
    rig.post(&rig.ana, "channels/stop", json!({"id": "c1", "resourceId": made["resourceId"]})).await.refused(404, "notFound");
}
