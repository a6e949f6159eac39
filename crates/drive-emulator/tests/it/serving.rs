//! Starting, stopping, and several processes on one directory.

use std::path::PathBuf;

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
