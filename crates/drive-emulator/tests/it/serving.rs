//! Starting, stopping, and several processes on one directory.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use drive_emulator::DriveEmulator;
use serde_json::json;

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

#[tokio::test]
async fn a_killed_server_keeps_every_answered_write() {
    let dir = directory();
    let watching = DriveEmulator::builder().data(&dir).start().await.expect("it starts");
    let ana = watching.control().user("ana@example.com").expect("made");
    let mut answered = Vec::new();
    for round in 0..3 {
        let mut server = Command::new(env!("CARGO_BIN_EXE_drive-emulator"))
            .arg("--data")
            .arg(&dir)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut url = String::new();
        std::io::BufReader::new(server.stdout.take().expect("piped")).read_line(&mut url).expect("it prints its address");
        let url = format!("{}/upload/drive/v3/files?uploadType=media", url.trim());
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let (url, token, http) = (url.clone(), ana.token.clone(), reqwest::Client::new());
                tokio::spawn(async move {
                    let mut made = Vec::new();
                    // Until the server is killed under them.
                    while let Ok(response) = http.post(&url).bearer_auth(&token).body(vec![b'x'; 3_000]).send().await {
                        let Ok(file) = response.json::<serde_json::Value>().await else { break };
                        made.push(file["id"].as_str().expect("an id").to_owned());
                    }
                    made
                })
            })
            .collect();
        let many = answered.len() + 20;
        let deadline = Instant::now() + Duration::from_mins(2);
        while watching.control().children(&ana.root_id).expect("children").len() < many {
            assert!(Instant::now() < deadline, "the writers do not get on");
            tokio::task::yield_now().await;
        }
        server.kill().expect("it is killed");
        server.wait().expect("it is gone");
        for writer in writers {
            answered.extend(writer.await.expect("no panic"));
        }
        assert!(answered.len() + 8 > many, "round {round}: {}", answered.len());
    }
    for id in &answered {
        assert_eq!(watching.control().content(id).expect("the answered write is there").len(), 3_000);
    }
    drop(watching);
    std::fs::remove_dir_all(dir).expect("it goes");
}
