//! Starting, stopping, and several processes on one directory.

use std::path::PathBuf;
use std::time::Duration;

use drive_emulator::DriveEmulator;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn directory() -> PathBuf {
    std::env::temp_dir().join(format!("drive-emulator-test-{:016x}", rand::random::<u64>()))
}

#[tokio::test]
async fn two_processes_may_serve_one_directory() {
    let dir = directory();
    let start = || DriveEmulator::builder().data(&dir).start();
    let (one, two) = (start().await.expect("one starts"), start().await.expect("two starts"));
    let ana = one.control().user("ana@example.com").expect("made");
    let writes = (0..40).map(|n| {
        let control = if n % 2 == 0 { one.control() } else { two.control() };
        tokio::task::spawn_blocking(move || control.mkdir("ana@example.com", "root", &format!("f{n}")))
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.expect("no panic").expect("made");
    }
    assert_eq!(two.control().children(&ana.root_id).expect("children").len(), 40);
    drop((one, two));
    let again = start().await.expect("it opens again");
    assert_eq!(again.control().user("ana@example.com").expect("known").token, ana.token);
    let snapshot = again.control().snapshot().expect("a snapshot");
    assert_eq!(snapshot["files"].as_array().map(Vec::len), Some(41), "{}", json!(snapshot["users"]));
    drop(again);
    std::fs::remove_dir_all(dir).expect("it goes");
}

/// Who stalls in a head, or keeps a connection for nothing, has it closed; a body takes the time it takes.
#[tokio::test]
async fn a_connection_that_sends_no_whole_head_is_closed() {
    let emulator = DriveEmulator::builder().head_within(Duration::from_millis(200)).start().await.expect("it starts");
    let address = emulator.url().trim_start_matches("http://");
    let sent = async |pieces: &[&str]| {
        let mut stream = TcpStream::connect(address).await.expect("it takes connections");
        for (n, piece) in pieces.iter().enumerate() {
            if n > 0 {
                // Longer than a head may take.
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            stream.write_all(piece.as_bytes()).await.expect("sent");
        }
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_mins(1), stream.read_to_end(&mut answer)).await;
        read.expect("it is closed").expect("not broken");
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert_eq!(sent(&["GET /drive/v3/files HT"]).await, "");
    assert_eq!(sent(&[]).await, "");
    let health = sent(&["GET /_emulator/health HTTP/1.1\r\nHost: x\r\n\r\n"]).await;
    assert_eq!(health.matches("HTTP/1.1 200").count(), 1, "{health}");
    let slow = sent(&["POST /drive/v3/files HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{", "}"]).await;
    assert!(slow.starts_with("HTTP/1.1 401"), "{slow}");
}
