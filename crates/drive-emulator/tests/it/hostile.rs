//! What no client sends: the binary answers it in Google's shape, keeps answering others, and its memory stays bounded.

mod victim;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use victim::{Raw, Victim};

#[tokio::test]
async fn bodies_that_are_no_metadata_are_refused_in_googles_shape() {
    let mut victim = Victim::start().await;
    let deep = [b"{\"a\":".to_vec(), vec![b'['; 100_000]].concat();
    for (body, reason) in [
        (&b"{\"name\":"[..], "parseError"),
        (b"[1]", "parseError"),
        (b"{\"name\":\"\xff\"}", "parseError"),
        (b"{\"name\":\"\\ud800\"}", "parseError"),
        (&deep, "parseError"),
        (b"{\"name\":5}", "invalid"),
        (b"{\"parents\":{\"a\":1}}", "invalid"),
        (b"{\"parents\":[1]}", "invalid"),
        (b"{\"parents\":[null,\"root\"]}", "invalid"),
        (b"{\"properties\":{\"a\":[1]}}", "invalid"),
        (b"{\"modifiedTime\":\"yesterday\"}", "invalid"),
    ] {
        victim.ask("POST", "/drive/v3/files", "", body).await.refused(400, reason);
    }
    let large = [b"{\"description\":\"".to_vec(), vec![b'a'; 9 << 20], b"\"}".to_vec()].concat();
    victim.ask("POST", "/drive/v3/files", "", &large).await.refused(413, "uploadTooLarge");
    for (body, breaks_off) in [("zz\r\n{}", false), ("fffffffffffffffff\r\n{}", false), ("2\r\n{}", true)] {
        let head = format!("POST /drive/v3/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", victim.token);
        let mut stream = TcpStream::connect(&victim.address).await.expect("connected");
        stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n{body}").as_bytes()).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("answered");
        // Who stops sending in the middle may find the connection closed.
        if !(breaks_off && answer.is_empty()) {
            Raw::read(&answer).refused(400, "badRequest");
        }
    }
    victim.is_well().await;
}

#[tokio::test]
async fn names_and_types_come_back_as_data() {
    let mut victim = Victim::start().await;
    for name in ["a\0b", "../../etc/passwd", "a\r\nX-Evil: 1", "\u{202e}gpj.exe", "<script>alert(1)</script>"] {
        let made = victim.ask("POST", "/drive/v3/files", "", json!({"name": name}).to_string().as_bytes()).await;
        assert_eq!((made.status, &made.json()["name"]), (200, &json!(name)));
    }
    let kind = "Content-Type: multipart/related; boundary=b\r\n";
    let body = b"--b\r\n\r\n{\"mimeType\":\"a/b\\r\\nX-Evil: 1\"}\r\n--b\r\n\r\nhi\r\n--b--";
    let made = victim.ask("POST", "/upload/drive/v3/files?uploadType=multipart", kind, body).await;
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    let whole = format!(
        "GET /drive/v3/files/{id}?alt=media HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        victim.token
    );
    let answer = victim.send(whole.as_bytes()).await;
    assert!(!String::from_utf8_lossy(&answer).to_lowercase().contains("\r\nx-evil"), "a type became a header");
    victim.is_well().await;
}

#[tokio::test]
async fn paths_and_queries_that_lead_nowhere_are_refused_in_googles_shape() {
    let mut victim = Victim::start().await;
    for path in ["/nowhere", "/drive/v3/../../etc/passwd", "/drive/v2/files", "/upload/drive/v3/changes", "//", "/drive/v3/files/a/b/c/d"] {
        victim.ask("GET", path, "", b"").await.refused(404, "notFound");
    }
    for id in ["..%2f..%2fetc%2fpasswd", "%zz%", "a%00b", "%ff"] {
        victim.ask("GET", &format!("/drive/v3/files/{id}?alt=media"), "", b"").await.refused(404, "notFound");
        victim.ask("GET", &format!("/_emulator/content/{id}"), "", b"").await.refused(404, "notFound");
    }
    for query in ["q=%ff%fe", "pageToken=%00", "q=name%3D'open", "orderBy=%00", "corpora=x"] {
        victim.ask("GET", &format!("/drive/v3/files?{query}"), "", b"").await.refused(400, "invalid");
    }
    victim.ask("GET", "/drive/v3/files?fields=%c3%28", "", b"").await.refused(400, "invalidParameter");
    for token in ["-9223372036854775808", "9223372036854775807", "99999999999999999999", "%00"] {
        victim.ask("GET", &format!("/drive/v3/changes?pageToken={token}"), "", b"").await.refused(400, "invalid");
    }
    for session in ["../../../etc/passwd", "%00", "x", ""] {
        let answer = victim.ask("PUT", &format!("/upload/drive/v3/files?uploadType=resumable&upload_id={session}"), "", b"abc").await;
        assert!((400..500).contains(&answer.status), "{session}: {answer:?}");
    }
    victim.is_well().await;
}

#[tokio::test]
async fn sessions_with_senseless_lengths_are_refused() {
    let mut victim = Victim::start().await;
    for length in ["-5", "x", "9223372036854775807", "1e3"] {
        let header = format!("X-Upload-Content-Length: {length}\r\n");
        victim.ask("POST", "/upload/drive/v3/files?uploadType=resumable", &header, b"{}").await.refused(400, "invalid");
    }
    for range in
        ["bytes 0-18446744073709551615/*", "bytes 0-18446744073709551614/18446744073709551615", "bytes 5-2/9", "bytes", "bytes 0-0/-1"]
    {
        let started = format!(
            "POST /upload/drive/v3/files?uploadType=resumable HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Length: 0\r\n\r\n",
            victim.token
        );
        let started = String::from_utf8(victim.send(started.as_bytes()).await).expect("text");
        let location = started.lines().find_map(|line| line.strip_prefix("location: http://x")).expect("an address").to_owned();
        let answer = victim.ask("PUT", &location, &format!("Content-Range: {range}\r\n"), b"ab").await;
        assert_eq!((answer.status, &answer.body[..]), (400, &b"Failed to parse Content-Range header"[..]), "{range}");
    }
    victim.is_well().await;
}

#[tokio::test]
async fn what_is_no_http_is_refused_in_googles_shape_and_ends_its_own_connection_only() {
    let mut victim = Victim::start().await;
    // b6_3: Google's front end answers these with a page; here it is the JSON of all other refusals.
    let many = "x: y\r\n".repeat(500);
    let long = "a".repeat(2 << 20);
    let head = format!("Host: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n", victim.token);
    let (bad, large) = ((400, "badRequest"), (431, "requestHeaderFieldsTooLarge"));
    for (bytes, (status, reason)) in [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03garbage\r\n\r\n".to_vec(), bad),
        (b"\0\xff\xfe\r\n\r\n".to_vec(), bad),
        (b"GET /\r\n\r\n".to_vec(), bad),
        (format!("GET /drive/v3/files HTTP/1.1\r\n{head}{many}\r\n").into_bytes(), large),
        (format!("GET /drive/v3/files HTTP/1.1\r\n{head}x: {long}\r\n\r\n").into_bytes(), large),
        (format!("GET /drive/v3/files?q={long} HTTP/1.1\r\n{head}\r\n").into_bytes(), large),
        (format!("GET /drive/v3/files?q={} HTTP/1.1\r\n{head}\r\n", &long[..70_000]).into_bytes(), (414, "uriTooLong")),
        (format!("POST /drive/v3/files HTTP/1.1\r\n{head}Content-Length: 2\r\nContent-Length: 5\r\n\r\n{{}}").into_bytes(), bad),
        (format!("POST /drive/v3/files HTTP/1.1\r\n{head}Content-Length: -1\r\n\r\n").into_bytes(), bad),
        ([b"GET /drive/v3/files?q=name='\xff' HTTP/1.1\r\n".to_vec(), format!("{head}\r\n").into_bytes()].concat(), bad),
    ] {
        Raw::read(&victim.send(&bytes).await).refused(status, reason);
    }
    // Good requests in front of a bad one are answered, and so is the bad one.
    let good = format!("GET /drive/v3/about?fields=user HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", victim.token);
    let answer = victim.send(format!("{}GARBAGE\r\n\r\n", good.repeat(20)).as_bytes()).await;
    let text = String::from_utf8_lossy(&answer);
    assert_eq!(text.matches("HTTP/1.1 200").count(), 20);
    let (_, last) = text.rsplit_once("HTTP/1.1 ").expect("an answer");
    Raw::read(format!("HTTP/1.1 {last}").as_bytes()).refused(400, "badRequest");
    victim.is_well().await;
}

/// The server's own refusals are replaced on their way out; nobody's bytes may be taken for one.
#[tokio::test]
async fn a_file_that_looks_like_a_refusal_comes_back_as_it_is() {
    let mut victim = Victim::start().await;
    let refusal = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    for content in [refusal.to_owned(), refusal.repeat(40_000)] {
        let made = victim.ask("POST", "/upload/drive/v3/files?uploadType=media", "", content.as_bytes()).await.json();
        let path = format!("/drive/v3/files/{}?alt=media", made["id"].as_str().expect("an id"));
        assert_eq!(victim.ask("GET", &path, "", b"").await.body, content.as_bytes());
        // And once more with others behind it on the same connection, the last of them broken.
        let get = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", victim.token);
        let answer = victim.send(format!("{get}{get}GARBAGE\r\n\r\n").as_bytes()).await;
        let ours = content.matches("HTTP/1.1 400").count();
        let text = String::from_utf8_lossy(&answer);
        assert_eq!(text.matches(refusal).count(), 2 * ours);
        let (_, last) = text.rsplit_once("HTTP/1.1 ").expect("an answer");
        Raw::read(format!("HTTP/1.1 {last}").as_bytes()).refused(400, "badRequest");
    }
    victim.is_well().await;
}

#[tokio::test]
async fn long_questions_are_answered_or_refused_soon() {
    let mut victim = Victim::start().await;
    let list = |terms: usize| (0..terms).map(|n| format!("name='a{n}'")).collect::<Vec<_>>().join(" or ");
    let posted = "X-HTTP-Method-Override: GET\r\n";
    let answer = victim.ask("POST", "/drive/v3/files", posted, format!("q={}", list(2_000)).as_bytes()).await;
    assert_eq!(answer.json()["files"], json!([]));
    victim.ask("POST", "/drive/v3/files", posted, format!("q={}", list(20_000)).as_bytes()).await.refused(400, "invalid");
    // Found at once, each of them: by searching through the ones before, this takes minutes.
    let fields = (0..200_000).map(|n| format!("a{n}")).collect::<Vec<_>>().join(",");
    victim.ask("POST", "/drive/v3/files", posted, format!("fields={fields}").as_bytes()).await.refused(400, "invalidParameter");
    victim.is_well().await;
}

#[tokio::test]
async fn the_control_api_takes_no_number_that_breaks_the_rest() {
    let mut victim = Victim::start().await;
    for (method, path, body) in [
        ("POST", "clock", json!({"advance_ms": u64::MAX})),
        ("POST", "clock", json!({"set": "-009999-01-02T00:00:00Z"})),
        ("PATCH", "switches", json!({"list_lag_ms": i64::MAX})),
        ("PATCH", "switches", json!({"push_number_step": i64::MIN})),
        ("PATCH", "feed", json!({"delay_ms": -1})),
        ("POST", "acts/put_generated", json!({"email": "ana@example.com", "name": "g", "size": u64::MAX})),
    ] {
        victim.ask(method, &format!("/_emulator/{path}"), "", body.to_string().as_bytes()).await.refused(400, "invalid");
    }
    let made = victim.ask("POST", "/drive/v3/files?fields=createdTime", "", b"{}").await.json();
    assert!(made["createdTime"].as_str().is_some_and(|time| time.starts_with("20")), "{made}");
    victim.is_well().await;
}

/// Whoever sends without a token, stalls, or sends far too much costs a bounded amount of memory, and others are served.
#[tokio::test]
async fn a_thousand_connections_at_once_are_served_in_bounded_memory() {
    let mut victim = Victim::start().await;
    let before = victim.most_memory();
    // 300 that never finish their head or their body.
    let mut stalled = Vec::new();
    for n in 0..300 {
        let mut stream = TcpStream::connect(&victim.address).await.expect("connected");
        let head = if n % 2 == 0 {
            "GET /drive/v3/files HT"
        } else {
            "POST /drive/v3/files HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n{"
        };
        stream.write_all(head.as_bytes()).await.expect("sent");
        stalled.push(stream);
    }
    // 700 at once, every fourth with 7 MB that nobody wants: 1.2 GB, several times what is allowed.
    let piece = vec![b'x'; 1 << 20];
    let calls = (0..700).map(|n| {
        let (victim, piece) = (&victim, &piece);
        async move {
            if n % 4 == 0 {
                victim.pour("/drive/v3/files", piece, 7).await.refused(400, "parseError");
            } else {
                assert_eq!(victim.ask("GET", "/drive/v3/about?fields=user", "", b"").await.status, 200);
            }
        }
    });
    futures_util::future::join_all(calls).await;
    // The most it ever had, while they were all there.
    let after = victim.most_memory();
    assert!(after < before + 400, "from {before} to {after} MB");
    drop(stalled);
    victim.is_well().await;
}
