//! The binary is killed at random moments under writers of every kind, and has every answered write when it starts again.

mod facts;
mod writers;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use facts::Facts;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use writers::{Caller, KINDS, Session};

use crate::binary::Binary;

/// The binary on a directory.
struct Server {
    binary: Binary,
    caller: Caller,
}

impl Server {
    async fn start(dir: &Path, answered: &Arc<AtomicUsize>) -> Self {
        let binary = Binary::start(["--data".as_ref(), dir.as_os_str()], Stdio::inherit());
        let mut caller = Caller { http: reqwest::Client::new(), url: binary.url.clone(), token: String::new(), answered: answered.clone() };
        let ana = caller.control("users", Some(json!({"email": "ana@example.com"}))).await;
        ana["token"].as_str().expect("a token").clone_into(&mut caller.token);
        Self { binary, caller }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_keeps_every_answered_write() {
    let dir = std::env::temp_dir().join(format!("drive-emulator-crash-{:016x}", rand::random::<u64>()));
    let mut dice = rand::rngs::StdRng::from_entropy();
    let answered = Arc::new(AtomicUsize::new(0));
    let (mut facts, mut sessions) = (Facts::default(), Vec::<Session>::new());
    for _ in 0..5 {
        let mut server = Server::start(&dir, &answered).await;
        facts.hold(&server.caller.control("snapshot", None).await);
        for session in sessions.drain(..) {
            session.go_on(&server.caller, &mut facts).await;
        }
        facts.hold(&server.caller.control("snapshot", None).await);
        let writers: Vec<_> =
            (0..KINDS * 2).map(|kind| tokio::spawn(writers::write(server.caller.clone(), kind % KINDS, dice.r#gen()))).collect();
        let enough = answered.load(Ordering::Relaxed) + dice.gen_range(30..300);
        let deadline = Instant::now() + Duration::from_mins(2);
        while answered.load(Ordering::Relaxed) < enough {
            assert!(Instant::now() < deadline, "the writers do not get on");
            tokio::time::sleep(Duration::from_micros(dice.gen_range(100..3_000))).await;
        }
        server.binary.kill();
        for writer in writers {
            let (seen, open) = writer.await.expect("no panic");
            facts.extend(seen);
            sessions.extend(open);
        }
    }
    let server = Server::start(&dir, &answered).await;
    let snapshot = server.caller.control("snapshot", None).await;
    facts.hold(&snapshot);
    for session in sessions {
        session.go_on(&server.caller, &mut facts).await;
    }
    facts.hold(&server.caller.control("snapshot", None).await);
    facts.hold_bytes(&server.caller).await;
    assert!(facts.aspects().len() >= 6, "all kinds of writes were answered: {:?}", facts.aspects());
    drop(server);
    std::fs::remove_dir_all(dir).expect("it goes");
}

/// The value at a key, in letters.
fn letters(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}
