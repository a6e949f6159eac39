//! A following watch looks on while files are worked on: one that takes long holds up nobody else's.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tecnico::agent::{Plan, Scope};
use tecnico::domain::clock;

use super::elsewhere::Following;
use super::{ANA, Rig, configure};
use crate::support::promise;
use crate::support::waiting::{until, until_answered};
use crate::support::world::ADMIN;

/// Notes each run, and waits for `go` in the technician's folder.
const SLOW: &str = "command = [\"sh\", \"-c\", \"echo {file_id} >> ../runs; touch running; until [ -e go ]; do sleep 0.02; done; ! grep -q ruim '{path}'\"]\n";

/// Ana, whose files take until `go` is there, and Bia, whose do not.
struct Two {
    rig: Rig,
    novos: String,
    processados: String,
}

impl Two {
    async fn new() -> Self {
        let rig = Rig::new(SLOW).await;
        let bia = rig.world.json(0, &["create", "43", "--name", "Bia"]).await;
        let id = |key: &str| bia["drive_folders"][key].as_str().expect("an id").to_owned();
        std::fs::write(rig.world.vm().join("Bia/go"), "").expect("written");
        Self { novos: id("novos_folder_id"), processados: id("processados_folder_id"), rig }
    }

    /// Bia drops a file, and it is filed: a look has seen it, and what was there before it.
    async fn passes(&self, name: &str) {
        let control = self.rig.world.control();
        let file = control.put(ADMIN, &self.novos, name, name.as_bytes(), "application/pdf").expect("dropped");
        let parent = || control.file(&file).expect("a file")["parents"][0].as_str().map(str::to_owned);
        until("filed beside the slow one", || parent().as_deref() == Some(self.processados.as_str())).await;
    }

    /// Waits until Drive is asked nothing for as long as ten looks take.
    async fn looks_no_more(&self) {
        let calls = || self.rig.world.control().calls();
        let mut last = (calls(), Instant::now());
        until("it looks no more", || {
            if calls() != last.0 {
                last = (calls(), Instant::now());
            }
            last.1.elapsed() > Duration::from_secs(1)
        })
        .await;
    }

    fn runs(&self, file: &str) -> usize {
        std::fs::read_to_string(self.rig.world.vm().join("runs")).unwrap_or_default().lines().filter(|l| *l == file).count()
    }

    fn assert_promise(&self) {
        promise::assert_promise(&self.rig.world, &["Ana_Maria", "Bia"], &self.rig.backend.requests());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_file_holds_up_nobody_else() {
    let two = Two::new().await;
    let rig = &two.rig;
    let slow = rig.drop_file("lento.pdf", "bom");
    let mut following = Following::start(rig, &["--interval", "200ms"]);
    rig.running().await;
    two.passes("1.pdf").await;
    assert_eq!(rig.place(&slow).0, "novos", "it is still being judged");
    until("told beside it", || !rig.requests().is_empty()).await;
    until_answered("the look is recorded", async || rig.world.json(0, &["status"]).await["last_success_at"].is_string()).await;
    let why = rig.world.run(&["why", "lento.pdf"]).await.expect(0).stdout;
    assert!(why.contains(&format!("a cycle is at work (process {}, since ", following.id())), "{why}");
    // A second file of the slow one's technician, while the first is at it, and another look.
    let next = rig.drop_file("2.pdf", "bom 2");
    until("taken up beside it", || two.runs(&next) == 1).await;
    two.passes("3.pdf").await;

    following.signal(Signal::TERM);
    two.rig.release();
    assert_eq!(following.ends().await, Some(0));
    assert!(rig.cycle().await.is_clean());
    assert_eq!((rig.place(&slow).0, rig.place(&next).0), ("processados".into(), "processados".into()));
    assert_eq!((two.runs(&slow), two.runs(&next)), (1, 1), "the steps in hand were kept, and none was taken twice");
    let why = rig.world.run(&["why", "lento.pdf"]).await.expect(0).stdout;
    assert!(!why.contains("a cycle is at work"), "{why}");
    two.assert_promise();
}

/// What its owner does with a file in hand is not concluded from by a look beside the work, nor forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_a_file_in_hand_is_found_out_once() {
    let two = Two::new().await;
    let (rig, control) = (&two.rig, two.rig.world.control());
    let [trashed, replaced] = ["1.pdf", "2.pdf"].map(|name| rig.drop_file(name, &format!("bom {name}")));
    let mut following = Following::start(rig, &["--interval", "100ms"]);
    until("both are being judged", || two.runs(&trashed) + two.runs(&replaced) == 2).await;
    control.trash(ANA, &trashed).expect("trashed");
    control.replace(ANA, &replaced, b"ruim").expect("replaced");
    two.passes("3.pdf").await;
    two.passes("4.pdf").await;
    assert!(rig.told(&trashed).is_empty() && rig.told(&replaced).is_empty(), "both are still in hand");
    two.rig.release();
    until("told of both", || rig.told(&trashed).len() + rig.told(&replaced).len() == 3).await;
    assert_eq!((rig.told(&trashed), rig.told(&replaced)), (vec!["retirado".to_owned()], vec!["erro".to_owned(), "processado".to_owned()]));
    assert_eq!((two.runs(&trashed), two.runs(&replaced)), (1, 2), "each version once");
    assert_eq!(rig.place(&replaced).0, "erro");
    following.signal(Signal::TERM);
    assert_eq!(following.ends().await, Some(0));
    control.untrash(ANA, &trashed).expect("untrashed");
    assert!(rig.cycle().await.is_clean());
    two.assert_promise();
}

/// Who asks by name has a turn as soon as what is in hand is done: nothing new is looked for, nor taken up.
#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_goes_on_makes_room_for_who_waits() {
    let two = Two::new().await;
    let rig = &two.rig;
    let slow = rig.drop_file("lento.pdf", "bom");
    let mut following = Following::start(rig, &["--interval", "100ms"]);
    rig.running().await;
    two.passes("1.pdf").await;
    let mut process = rig.world.command(&["process", "43"]).spawn().expect("starts");
    two.looks_no_more().await;
    assert_eq!(rig.place(&slow).0, "novos", "it is still being judged");
    rig.release();
    let mut ended = None;
    until("it has its turn", || {
        ended = process.try_wait().expect("asked");
        ended.is_some()
    })
    .await;
    assert_eq!(ended.and_then(|status| status.code()), Some(0));
    two.passes("2.pdf").await;
    following.signal(Signal::TERM);
    assert_eq!(following.ends().await, Some(0));
    two.assert_promise();
}

/// Whoever waited for a turn and was killed holds up nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_is_given_up_is_waited_for_no_longer() {
    let two = Two::new().await;
    let rig = &two.rig;
    let slow = rig.drop_file("lento.pdf", "bom");
    let mut following = Following::start(rig, &["--interval", "100ms"]);
    rig.running().await;
    let mut process = rig.world.command(&["process", "43"]).spawn().expect("starts");
    two.looks_no_more().await;
    process.kill().expect("killed");
    process.wait().expect("ended");
    two.passes("1.pdf").await;
    assert_eq!(rig.place(&slow).0, "novos", "it is still being judged");
    rig.release();
    until("filed", || rig.told(&slow) == ["processado"]).await;
    following.signal(Signal::TERM);
    assert_eq!(following.ends().await, Some(0));
    two.assert_promise();
}

/// A new configuration is in force as soon as what is in hand is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_that_goes_on_makes_room_for_a_new_configuration() {
    let two = Two::new().await;
    let rig = &two.rig;
    let slow = rig.drop_file("lento.pdf", "bom");
    let mut following = Following::start(rig, &["--interval", "100ms"]);
    rig.running().await;
    two.passes("1.pdf").await;
    configure(&rig.world, &rig.backend, "command = [\"true\", \"{path}\"]\n");
    two.looks_no_more().await;
    assert_eq!(following.said("the configuration was read again"), 0, "it is still being judged as before");
    rig.release();
    until("the new configuration is in force", || following.said("the configuration was read again") == 1).await;
    two.passes("2.pdf").await;
    assert_eq!((rig.place(&slow).0, two.runs(&slow)), ("processados".into(), 1));
    following.signal(Signal::TERM);
    assert_eq!(following.ends().await, Some(0));
    two.assert_promise();
}

/// While files move on there is no silence, however long ago a cycle ended; once nothing moves, there is.
#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_in_which_files_move_on_is_no_silence() {
    let two = Two::new().await;
    let rig = &two.rig;
    assert!(rig.cycle().await.is_clean());
    rig.pass(60);
    rig.drop_file("lento.pdf", "bom");
    let agent = rig.agent().await;
    let (settings, ledger) = (agent.settings.clone(), agent.ledger.clone());
    let cycle = tokio::spawn(async move { agent.run_cycle(&Plan::over(Scope::Everyone)).await });
    rig.running().await;
    let silent = async |minutes: u64| {
        let now = clock::now() + clock::millis(Duration::from_mins(minutes));
        let standing = tecnico::doctor::work::standing(&ledger, &settings, std::path::Path::new("config.toml"), now).await.expect("read");
        standing.troubles.iter().any(|t| t.code == "silence")
    };
    assert!(!silent(60).await, "it was fetched a moment ago");
    assert!(silent(80).await, "no step for longer than status.silence");
    two.rig.release();
    cycle.await.expect("not cancelled").expect("a cycle runs");
    assert!(!silent(60).await && silent(80).await);
}
