//! Callers who do it wrong, by accident or on purpose, and what others notice of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::{KEY, Service, ana, world_and_backend};
use crate::support::waiting::{PATIENCE, until_answered};

const JSON: &str = "application/json";

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_none_are_refused_in_the_contracts_shape() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    let deep = format!("{}1{}", "[".repeat(30_000), "]".repeat(30_000));
    for (media, text, status) in [
        (JSON, "", 400),
        (JSON, "{\"user_id\": ", 400),
        (JSON, "[]", 400),
        (JSON, "null", 400),
        (JSON, "\"42\"", 400),
        (JSON, deep.as_str(), 400),
        (JSON, "{\"user_id\": \"\\ud800\"}", 400),
        ("text/plain", "{\"user_id\": \"42\"}", 415),
        ("application/x-www-form-urlencoded", "user_id=42", 415),
        ("application/json; charset=utf-8", "{}", 400),
    ] {
        let (got, answer) = service.send(Method::POST, "/api/folders/create", Some(KEY), Some((media, text.to_owned()))).await;
        assert_eq!((got, answer["status"].as_str()), (status, Some("error")), "{media} {text:.40}: {answer}");
        assert!(answer["message"].is_string());
    }
    for size in [70_000, 3_000_000] {
        let huge = json!({ "user_id": "4".repeat(size) }).to_string();
        let (status, answer) = service.send(Method::POST, "/api/folders/create", Some(KEY), Some((JSON, huge))).await;
        assert_eq!((status, answer["status"].as_str()), (413, Some("error")));
    }
    for (method, path, status) in [
        (Method::GET, "/api/folders/create", 405),
        (Method::DELETE, "/api/status/x", 405),
        (Method::POST, "/api/health", 405),
        (Method::GET, "/", 404),
        (Method::POST, "/api/folders/delete", 404),
        (Method::GET, "/api/status/", 404),
        (Method::GET, "/api/status/a/b", 404),
    ] {
        let (got, answer) = service.send(method.clone(), path, Some(KEY), None).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
        assert!(answer["message"].is_string() && answer["status"].is_string(), "{answer}");
    }
    assert!(world.drive_tree().is_empty());
}

/// Sends what it is given, and reads until the other side closes.
fn talk(address: &str, bytes: &[u8]) -> String {
    let mut line = TcpStream::connect(address).expect("connects");
    line.set_read_timeout(Some(PATIENCE)).expect("set");
    // The other side may close in the middle of it.
    let _ = line.write_all(bytes);
    let mut said = Vec::new();
    let _ = line.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// The longest head, body and margin that the server waits for, with much room for a loaded machine.
const CUT_WITHIN: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_dawdle_are_cut_off_and_others_are_served_meanwhile() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    let address = service.url.trim_start_matches("http://").to_owned();
    let head = format!(
        "POST /api/folders/create HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n"
    );
    let beginnings = [String::new(), "POST /api/fol".to_owned(), head[..head.len() - 2].to_owned(), format!("{head}{{\"user")];
    let began = Instant::now();
    let dawdlers: Vec<_> = (0..100)
        .map(|n| {
            let (address, beginning) = (address.clone(), beginnings[n % beginnings.len()].clone());
            std::thread::spawn(move || talk(&address, beginning.as_bytes()))
        })
        .collect();
    let (status, _) = service.send(Method::GET, "/api/health", None, None).await;
    assert_eq!(status, 200);
    let (status, answer) = service.post("/api/folders/status", &json!({ "user_id": "42" })).await;
    assert_eq!(status, 200, "{answer}");
    let said: Vec<String> =
        tokio::task::spawn_blocking(move || dawdlers.into_iter().map(|d| d.join().expect("ended")).collect()).await.expect("ended");
    assert!(began.elapsed() < CUT_WITHIN, "{:?}", began.elapsed());
    assert!(said.iter().skip(3).step_by(4).all(|s| s.starts_with("HTTP/1.1 408")), "{:?}", said[3]);
    assert!(world.drive_tree().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_or_too_much_of_it_harms_nobody() {
    let (world, _backend) = world_and_backend().await;
    let service = Service::start(&world);
    let address = service.url.trim_start_matches("http://").to_owned();
    let many = (0..1000).map(|n| format!("X-{n}: 1\r\n")).collect::<Vec<_>>().concat();
    let sent: [Vec<u8>; 6] = [
        vec![0; 100_000],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        format!("GET /api/health HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(100_000)).into_bytes(),
        format!("POST /api/folders/create HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nX-API-Key: other\r\nContent-Length: 2\r\n\r\n{{}}")
            .into_bytes(),
        format!("POST /api/folders/create HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Length: 99999999999999999999\r\n\r\n")
            .into_bytes(),
    ];
    for bytes in sent {
        let to = address.clone();
        let said = tokio::task::spawn_blocking(move || talk(&to, &bytes)).await.expect("ended");
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    }
    // One that goes away before its answer loses nothing: the work is done.
    let mut body = ana();
    body["async"] = json!(false);
    let body = body.to_string();
    let request = format!(
        "POST /api/folders/create HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    TcpStream::connect(&address).expect("connects").write_all(request.as_bytes()).expect("sent");
    until_answered("it is done", async || {
        service.post("/api/folders/status", &json!({ "user_id": "42" })).await.1["folders_exist"] == true
    })
    .await;
}
