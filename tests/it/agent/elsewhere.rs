//! External mode, where another program judges by moving the local file, and `watch --follow` with its signals.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use drive_emulator::control::{Effect, Fault, When};
use rustix::process::{Pid, Signal, kill_process};
use tecnico::agent::{Plan, Scope};
use tecnico::ledger::Ledger;

use super::Rig;
use crate::support::documents;
use crate::support::waiting::{until, until_answered};

/// A following watch that is ended with the test, and where it prints.
pub struct Following(Child, PathBuf);

impl Following {
    pub fn start(rig: &Rig, args: &[&str]) -> Self {
        let args: Vec<&str> = ["watch", "--follow", "--json"].iter().chain(args).copied().collect();
        let log = std::fs::File::create(rig.world.path("watch.err")).expect("a file");
        let out = std::fs::File::create(rig.world.path("watch.out")).expect("a file");
        Self(
            rig.world.command(&args).stdout(Stdio::from(out)).stderr(Stdio::from(log)).spawn().expect("starts"),
            rig.world.path("watch.out"),
        )
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// How often its log says this.
    pub fn said(&self, what: &str) -> usize {
        read(&self.1.with_extension("err")).matches(what).count()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.0.id().cast_signed()).expect("a pid"), signal).expect("signalled");
    }

    pub async fn ends(&mut self) -> Option<i32> {
        until("it ends", || self.0.try_wait().expect("waits").is_some()).await;
        self.0.wait().expect("ended").code()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
        if !std::thread::panicking() {
            documents::names(&read(&self.1));
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn c1_4_the_move_of_another_program_is_the_verdict() {
    let rig = Rig::new("mode = \"external\"\n").await;
    let files = ["1.pdf", "2.pdf", "3.pdf", "4.pdf"].map(|name| rig.drop_file(name, &format!("bom {name}")));
    let pdfs = rig.world.vm().join("Ana_Maria/pdfs");
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.local("novos"), ["1.pdf", "2.pdf", "3.pdf", "4.pdf"]);
    assert!(rig.cycle().await.is_quiet());
    std::fs::rename(pdfs.join("novos/1.pdf"), pdfs.join("processados/1.pdf")).expect("moved");
    std::fs::rename(pdfs.join("novos/2.pdf"), pdfs.join("erro/2.pdf")).expect("moved");
    // Another name for the same bytes, and the same name for other bytes.
    std::fs::rename(pdfs.join("novos/3.pdf"), pdfs.join("processados/3 (feito).pdf")).expect("moved");
    std::fs::remove_file(pdfs.join("novos/4.pdf")).expect("taken");
    std::fs::write(pdfs.join("processados/4.pdf"), "carimbado").expect("written");
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    let places = files.each_ref().map(|f| rig.place(f).0);
    assert_eq!(places, ["processados", "erro", "processados", "processados"]);
    assert_eq!(rig.told(&files[1]), ["erro"]);
    assert!(rig.local("novos").is_empty());
    assert!(rig.calls().is_empty());
}

/// Another program may take any `*.pdf` it sees there at any moment: none is there before it is whole.
#[tokio::test(flavor = "multi_thread")]
async fn c1_4_half_a_download_is_no_pdf_in_the_local_novos() {
    let rig = Rig::new("mode = \"external\"\n").await;
    rig.cycle().await;
    let size = 4 << 20;
    rig.world.control().put_generated(super::ANA, &rig.novos, "16517189.pdf", size).expect("dropped");
    // Half of it arrives, and the rest when the line is there again.
    for (call, effect) in [(1, Effect::CutBodyAfter { bytes: size / 2 }), (2, Effect::Hang)] {
        let calls = When::Calls { calls: vec![call] };
        rig.world.control().fault(Fault::new(effect).op("files.get").when(calls)).expect("a rule that can strike");
    }
    let novos = rig.world.vm().join("Ana_Maria/pdfs/novos");
    let there = || -> Vec<(String, u64)> {
        let entries = novos.read_dir().expect("listed").flatten();
        entries.map(|e| (e.file_name().into_string().expect("text"), e.metadata().expect("there").len())).collect()
    };
    let half_way = || matches!(&there()[..], [(name, len)] if !name.to_lowercase().ends_with(".pdf") && *len == size / 2);
    let mut watch = Following(rig.world.command(&["watch"]).spawn().expect("starts"), rig.world.path("watch.out"));
    until("half of it is there, by another name", half_way).await;
    watch.signal(Signal::KILL);
    watch.ends().await;
    assert!(half_way(), "{:?}", there());
    assert!(rig.cycle().await.is_clean());
    assert_eq!(there(), [("16517189.pdf".to_owned(), size)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn following_wakes_for_local_moves_reloads_and_ends_on_request() {
    let rig = Rig::new("mode = \"external\"\n").await;
    let pdfs = rig.world.vm().join("Ana_Maria/pdfs");
    let file = rig.drop_file("1.pdf", "bom");
    let mut following = Following::start(&rig, &["--interval", "1h"]);
    until("fetched", || pdfs.join("novos/1.pdf").exists()).await;
    // The timer is an hour away: only the move can wake it.
    std::fs::rename(pdfs.join("novos/1.pdf"), pdfs.join("processados/1.pdf")).expect("moved");
    until("filed", || rig.place(&file).0 == "processados").await;

    let good = read(&rig.world.path("config.toml"));
    std::fs::write(rig.world.path("config.toml"), "[process]\nmode = \"nenhum\"\n").expect("written");
    until("told", || read(&rig.world.path("watch.err")).contains("the old one stays in force")).await;
    std::fs::write(rig.world.path("config.toml"), good).expect("written");
    until("reloaded", || read(&rig.world.path("watch.err")).contains("read again")).await;

    let next = rig.drop_file("2.pdf", "bom 2");
    following.signal(Signal::HUP);
    until("fetched after the reload", || pdfs.join("novos/2.pdf").exists()).await;
    following.signal(Signal::TERM);
    assert_eq!(following.ends().await, Some(0));
    assert_eq!(rig.place(&next).0, "novos");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_after_the_step_in_hand() {
    let rig =
        Rig::new("command = [\"sh\", \"-c\", \"touch running; until [ -e go ]; do sleep 0.02; done; touch done\", \"{path}\"]\n").await;
    let ana = rig.world.vm().join("Ana_Maria");
    let file = rig.drop_file("1.pdf", "bom");
    let mut following = Following::start(&rig, &["-v"]);
    until("running", || ana.join("running").exists()).await;
    following.signal(Signal::TERM);
    until("it has heard", || following.said("ending after the step in hand") == 1).await;
    assert!(!ana.join("done").exists());
    std::fs::write(ana.join("go"), "").expect("let go");
    assert_eq!(following.ends().await, Some(0));
    assert!(ana.join("done").exists(), "the step in hand was finished");
    super::configure(&rig.world, &rig.backend, "command = [\"false\", \"{path}\"]\n");
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.place(&file).0, "processados", "its verdict was kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_watch_ends_after_the_step_in_hand() {
    let rig = Rig::new("").await;
    let (script, go) = (rig.world.path("processor"), rig.world.path("go"));
    let text = format!("#!/bin/sh\necho begun >> \"$0.log\"\nwhile [ ! -e {} ]; do sleep 0.02; done\n", go.display());
    std::fs::write(&script, text).expect("written");
    let file = rig.drop_file("1.pdf", "bom");
    let mut watch = Following(rig.world.command(&["watch"]).spawn().expect("starts"), rig.world.path("watch.out"));
    until("the processor has the file", || !rig.calls().is_empty()).await;
    watch.signal(Signal::TERM);
    std::fs::write(&go, "").expect("written");
    assert_eq!(watch.ends().await, Some(0));
    rig.cycle().await;
    assert_eq!((rig.calls().len(), rig.place(&file).0), (1, "processados".to_owned()), "the step in hand was not thrown away");
    rig.assert_promise();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_follower_says_so_and_ends() {
    let rig = Rig::new("").await;
    let mut first = Following::start(&rig, &["--interval", "1h"]);
    let file = rig.drop_file("1.pdf", "bom");
    until("the first is at work", || rig.place(&file).0 == "processados").await;
    let second = rig.world.run(&["watch", "--follow"]).await.expect(75);
    let said: serde_json::Value = serde_json::from_str(second.stderr.lines().last().expect("a line")).expect("a service's line is JSON");
    assert_eq!((said["level"].as_str(), said["code"].as_str()), (Some("ERROR"), Some("follow_busy")), "{second:?}");
    assert!(said["message"].as_str().is_some_and(|m| m.contains(&format!("process {}", first.0.id()))), "{said}");
    first.signal(Signal::TERM);
    assert_eq!(first.ends().await, Some(0));
}

/// What it learnt from then on would be in a file that nobody reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_whose_ledger_is_moved_away_ends_and_takes_nothing_more() {
    let rig = Rig::new("").await;
    let mut following = Following::start(&rig, &["--interval", "100ms"]);
    let file = rig.drop_file("1.pdf", "bom");
    until("it is at work", || rig.place(&file).0 == "processados").await;
    // What it looks for last: it ends as soon as that is gone, and takes the others away.
    for name in ["ledger.db-shm", "ledger.db-wal", "ledger.db"] {
        std::fs::rename(rig.world.path(name), rig.world.path(&format!("{name}.away"))).expect("moved");
    }
    assert_eq!(following.ends().await, Some(65));
    let said = read(&rig.world.path("watch.out")) + &read(&rig.world.path("watch.err"));
    assert!(said.contains("ledger_missing") && said.contains("moved away"), "{said}");
    let late = rig.drop_file("2.pdf", "bom");
    rig.world.run(&["watch"]).await.expect(65);
    assert_eq!(rig.place(&late).0, "novos");
}

/// What it cannot read it meets in the middle of its work: a person has to put the ledger right, so it does not go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_whose_ledger_is_damaged_ends() {
    let rig = Rig::new("").await;
    let file = rig.drop_file("1.pdf", "bom");
    let mut following = Following::start(&rig, &["--interval", "1h"]);
    until("it is told", || rig.told(&file) == ["processado"]).await;
    until_answered("its cycle is over", async || rig.world.json(0, &["status"]).await["last_cycle_at"].is_string()).await;
    let path = rig.world.path("ledger.db");
    let other = Ledger::open(&path).await.expect("opens");
    // It knows every page by now, and can go on writing.
    other.check().await.expect("whole");
    let whole = std::fs::metadata(&path).expect("there").len();
    let mut disk = std::fs::File::options().write(true).open(&path).expect("opens");
    disk.seek(SeekFrom::Start(4096)).expect("sought");
    std::io::copy(&mut std::io::repeat(b'x').take(whole - 4096), &mut disk).expect("written");
    other.stop_address("http://127.0.0.1:9/", "so that others read the disk again", 1).await.expect("written");
    following.signal(Signal::HUP);
    assert_eq!(following.ends().await, Some(65));
    let said = read(&rig.world.path("watch.out")) + &read(&rig.world.path("watch.err"));
    assert!(said.contains("ledger_damaged") && said.contains("ledger rebuild"), "{said}");
}

/// What is read again with the configuration holds the folders that were there before, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_makes_no_base_directory_in_the_place_of_a_disk() {
    let rig = Rig::new("").await;
    let following = Following::start(&rig, &["--interval", "1h"]);
    let file = rig.drop_file("1.pdf", "bom");
    until("it is told", || rig.told(&file) == ["processado"]).await;
    std::fs::rename(rig.world.vm(), rig.world.path("away")).expect("moved");
    following.signal(Signal::HUP);
    until("refused", || following.said("the old one stays in force") == 1).await;
    assert!(following.said("base_dir_missing") > 0 && !rig.world.vm().exists());
}

/// An editor's save is many events, and a reload after it one more: each is said once, and no line is anything but JSON.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_told_once_and_every_line_of_a_service_is_json() {
    let rig = Rig::new("").await;
    let mut following = Following::start(&rig, &["--interval", "1h"]);
    let log = rig.world.path("watch.err");
    let file = rig.drop_file("1.pdf", "bom");
    until("it is at work", || rig.place(&file).0 == "processados").await;
    let config = rig.world.path("config.toml");
    let put = |text: &str| {
        std::fs::write(rig.world.path("config.new"), text).expect("written");
        std::fs::rename(rig.world.path("config.new"), &config).expect("in its place");
    };
    let text = read(&config) + "# another line\n";
    for _ in 0..3 {
        put(&text);
    }
    let said = |what: &str| read(&log).matches(what).count();
    until("reloaded", || said("read again") == 1).await;
    // A reload right after an edit is how the edit is put in force: one thing.
    let looks = || rig.world.control().counts().get("changes.list").copied().unwrap_or_default();
    let before = looks();
    following.signal(Signal::HUP);
    until("it looks after the signal", || looks() > before).await;
    assert_eq!(said("read again"), 1, "{}", read(&log));
    // Two signals of which the first was not heard yet are one: sent once more then.
    let asked = || said("asked to, the configuration was read again; the file is as it was") > 0;
    let mut sent = Instant::now();
    following.signal(Signal::HUP);
    until("reloaded as asked", || {
        let is_told = asked();
        if !is_told && sent.elapsed() > Duration::from_secs(2) {
            following.signal(Signal::HUP);
            sent = Instant::now();
        }
        is_told
    })
    .await;
    put("[process]\nmode = \"nenhum\"\n");
    until("refused", || said("the old one stays in force") == 1).await;
    let before = looks();
    following.signal(Signal::HUP);
    until("it looks after the signal", || looks() > before).await;
    assert_eq!(said("the old one stays in force"), 1, "{}", read(&log));
    following.signal(Signal::TERM);
    assert_eq!(following.ends().await, Some(0));
    assert_eq!(said("\"the configuration was read again\""), 1, "{}", read(&log));
    for line in read(&log).lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
}

/// Whoever ends tecnico may end the processor with it, as a machine that shuts down does: that is no verdict, however often.
#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_is_ended_with_us_has_judged_nothing() {
    let rig = Rig::new("").await;
    let (script, pid) = (rig.world.path("processor"), rig.world.path("pid"));
    let good = read(&script);
    let text = format!("#!/bin/sh\ntrap 'exit 143' TERM\necho $$ > {0}.new; mv {0}.new {0}\nwhile :; do sleep 0.02; done\n", pid.display());
    std::fs::write(&script, text).expect("written");
    let file = rig.drop_file("1.pdf", "bom");
    for _ in 0..4 {
        let (agent, plan) = (rig.agent().await, Plan::over(Scope::Everyone));
        let (report, ()) = tokio::join!(agent.run_cycle(&plan), async {
            until("the processor has the file", || pid.exists()).await;
            plan.stop.cancel();
            let running = read(&pid).trim().parse().ok().and_then(Pid::from_raw).expect("a pid");
            std::fs::remove_file(&pid).expect("removed");
            kill_process(running, Signal::TERM).expect("ended");
        });
        assert!(report.expect("a cycle runs").filed.is_empty());
        rig.pass(120);
    }
    assert_eq!(rig.place(&file).0, "novos");
    std::fs::write(&script, good).expect("written");
    assert!(rig.cycle().await.is_clean());
    assert_eq!(rig.place(&file).0, "processados");
    rig.assert_promise();
}
