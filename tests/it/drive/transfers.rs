//! Content: continued after a cut, checked against what was asked for, uploaded whole whatever the line does.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tecnico::drive::{Created, Downloaded, FileId, Kind, NewFile};
use tempfile::tempdir;

use super::script::{Reply, Script, Seen};

fn id(text: &str) -> FileId {
    FileId::new(text).expect("an id")
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|i| u8::try_from(i % 251).expect("below 256")).collect()
}

/// Where a `Range: bytes=N-` starts.
fn start(seen: &Seen) -> Option<usize> {
    seen.headers.get("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}

#[tokio::test]
async fn a_download_is_continued_where_the_line_broke() {
    let whole = content(100_000);
    let served = whole.clone();
    let server = Script::start(move |seen, n| {
        let from = start(seen).unwrap_or(0);
        let rest = served[from..].to_vec();
        let (status, headers) =
            if from == 0 { (200, String::new()) } else { (206, format!("Content-Range: bytes {from}-99999/100000\r\n")) };
        if n < 3 {
            let piece = rest[..rest.len().min(20_000)].to_vec();
            return Reply::CutBody(status, headers, piece, rest.len());
        }
        Reply::Whole(status, headers, rest)
    })
    .await;
    let cache = tempdir().expect("a directory");
    let mut sink = Vec::new();
    let done = server.drive(cache.path()).await.download(&id("f"), 0, &mut sink).await.expect("downloaded");
    assert_eq!(done, Downloaded { written: 100_000, total: Some(100_000) });
    assert!(sink == whole);
    let seen = server.seen();
    assert_eq!(seen.iter().map(start).collect::<Vec<_>>(), [None, Some(20_000), Some(40_000), Some(60_000)]);
    assert_eq!(seen[0].query["alt"], "media");
}

#[tokio::test]
async fn a_download_starts_in_the_middle_even_where_ranges_are_unknown() {
    let whole = content(1000);
    for knows in [true, false] {
        let served = whole.clone();
        let server = Script::start(move |_, _| {
            if knows {
                Reply::Whole(206, "Content-Range: bytes 400-999/1000\r\n".into(), served[400..].to_vec())
            } else {
                Reply::Whole(200, String::new(), served.clone())
            }
        })
        .await;
        let cache = tempdir().expect("a directory");
        let mut sink = Vec::new();
        let done = server.drive(cache.path()).await.download(&id("f"), 400, &mut sink).await.expect("downloaded");
        assert_eq!((done.written, done.total, sink == whole[400..]), (600, Some(1000), true), "{knows}");
    }
}

#[tokio::test]
async fn a_range_after_the_end_and_an_empty_file_write_nothing() {
    let server = Script::start(
        |seen, _| if start(seen).is_some() { Reply::refused(416, "requestedRangeNotSatisfiable") } else { Reply::empty(200) },
    )
    .await;
    let cache = tempdir().expect("a directory");
    let drive = server.drive(cache.path()).await;
    let mut sink = Vec::new();
    assert_eq!(drive.download(&id("f"), 10, &mut sink).await.expect("complete").written, 0);
    assert_eq!(drive.download(&id("f"), 0, &mut sink).await.expect("empty").total, Some(0));
    assert!(sink.is_empty());
}

#[tokio::test]
async fn another_part_than_asked_for_is_not_taken() {
    let server = Script::start(|_, _| Reply::Whole(206, "Content-Range: bytes 0-9/10\r\n".into(), content(10))).await;
    let cache = tempdir().expect("a directory");
    let mut sink = Vec::new();
    let error = server.drive(cache.path()).await.download(&id("f"), 5, &mut sink).await.expect_err("another part");
    assert_eq!((error.kind, sink.len()), (Kind::Unreadable, 0));
}

#[tokio::test]
async fn a_file_replaced_between_two_parts_is_noticed() {
    let server = Script::start(|_, n| match n {
        0 => Reply::CutBody(200, String::new(), content(100), 1000),
        _ => Reply::Whole(206, "Content-Range: bytes 100-499/500\r\n".into(), content(400)),
    })
    .await;
    let cache = tempdir().expect("a directory");
    let error = server.drive(cache.path()).await.download(&id("f"), 0, &mut Vec::new()).await.expect_err("replaced");
    assert!(error.is_reason("contentChanged"), "{error}");
}

#[tokio::test]
async fn a_refused_download_says_why() {
    let server = Script::start(|_, _| Reply::refused(403, "fileNotDownloadable")).await;
    let cache = tempdir().expect("a directory");
    let error = server.drive(cache.path()).await.download(&id("f"), 0, &mut Vec::new()).await.expect_err("refused");
    assert!(error.is_reason("fileNotDownloadable") && error.kind == Kind::Refused);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_export_comes_whole_or_not_at_all() {
    let server = Script::start(|_, n| {
        if n == 0 { Reply::CutBody(200, String::new(), content(5), 100) } else { Reply::Whole(200, String::new(), content(100)) }
    })
    .await;
    let cache = tempdir().expect("a directory");
    let pdf = server.drive(cache.path()).await.export(&id("f"), "application/pdf").await.expect("exported");
    assert_eq!(pdf, content(100));
    assert_eq!(server.seen()[1].query["mimeType"], "application/pdf");
}

/// An upload session that stores what arrives.
fn session(
    stored: Arc<Mutex<Vec<u8>>>,
    url: Arc<Mutex<String>>,
    trouble: impl Fn(usize, &Seen) -> Option<(usize, Reply)> + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Reply + Send + Sync {
    move |seen, n| {
        if seen.method == "POST" {
            let location = format!("Location: {}/session\r\n", url.lock().expect("no panic"));
            return Reply::Whole(200, location, Vec::new());
        }
        let mut stored = stored.lock().expect("no panic");
        let range = seen.headers["content-range"].clone();
        let (span, total) = range.strip_prefix("bytes ").expect("bytes").split_once('/').expect("a total");
        let total: usize = total.parse().expect("a number");
        let told = trouble(n, seen);
        if let Some((from, _)) = span.split_once('-') {
            assert_eq!(from.parse::<usize>().expect("a number"), stored.len(), "the chunk leaves a hole or overlaps");
            let keep = told.as_ref().map_or(seen.body.len(), |(keep, _)| *keep).min(seen.body.len());
            stored.extend_from_slice(&seen.body[..keep]);
        }
        if let Some((_, reply)) = told {
            return reply;
        }
        if stored.len() == total {
            return Reply::json(&json!({"id": "new", "name": "n", "mimeType": "application/pdf"}));
        }
        let range = if stored.is_empty() { String::new() } else { format!("Range: bytes=0-{}\r\n", stored.len() - 1) };
        Reply::Whole(308, range, Vec::new())
    }
}

async fn upload(length: usize, trouble: impl Fn(usize, &Seen) -> Option<(usize, Reply)> + Send + Sync + 'static) {
    let (stored, url) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(String::new())));
    let server = Script::start(session(Arc::clone(&stored), Arc::clone(&url), trouble)).await;
    url.lock().expect("no panic").clone_from(&server.url);
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&content(length)).expect("written");
    let cache = tempdir().expect("a directory");
    let new =
        NewFile { id: id("new"), name: "n".into(), parent: id("p"), mime_type: "application/pdf".into(), app_properties: BTreeMap::new() };
    let created = server.drive(cache.path()).await.upload(&new, file.path()).await.expect("uploaded");
    assert!(matches!(created, Created::New(entry) if entry.id == id("new")));
    assert!(*stored.lock().expect("no panic") == content(length), "what arrived is not what was sent");
    let start = &server.seen()[0];
    assert_eq!((start.query["uploadType"].as_str(), start.json()["id"].as_str()), ("resumable", Some("new")));
}

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn uploads_arrive_whole_whatever_their_length() {
    for length in [0, 1, 4 * MIB, 9 * MIB + 17] {
        upload(length, |_, _| None).await;
    }
}

#[tokio::test]
async fn an_upload_goes_on_from_what_the_server_has() {
    // The first chunk is kept in part, with an honest answer.
    upload(9 * MIB, |n, _| (n == 1).then(|| (MIB, Reply::Whole(308, format!("Range: bytes=0-{}\r\n", MIB - 1), Vec::new())))).await;
    // It is lost with a 503, and it is kept whole while the answer is lost.
    upload(9 * MIB, |n, _| (n == 1).then(|| (0, Reply::empty(503)))).await;
    upload(9 * MIB, |n, _| (n == 1).then_some((usize::MAX, Reply::Cut))).await;
    // The answer to the last byte is lost: asking what is there gives the file.
    upload(MIB, |n, _| (n == 1).then_some((usize::MAX, Reply::Cut))).await;
}
