//! External mode, where another program judges by moving the local file, and `watch --follow` with its signals.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::Rig;
use crate::support::documents;
use crate::support::waiting::until;

/// A following watch that is ended with the test, and where it prints.
struct Following(Child, PathBuf);

impl Following {
    fn start(rig: &Rig, args: &[&str]) -> Self {
        let args: Vec<&str> = ["watch", "--follow", "--json"].iter().chain(args).copied().collect();
        let log = std::fs::File::create(rig.world.path("watch.err")).expect("a file");
        let out = std::fs::File::create(rig.world.path("watch.out")).expect("a file");
        Self(
            rig.world.command(&args).stdout(Stdio::from(out)).stderr(Stdio::from(log)).spawn().expect("starts"),
            rig.world.path("watch.out"),
        )
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.0.id().cast_signed()).expect("a pid"), signal).expect("signalled");
    }

    async fn ends(&mut self) -> Option<i32> {
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
    let rig = Rig::new("command = [\"sh\", \"-c\", \"touch running; sleep 1; touch done\"]\n").await;
    let ana = rig.world.vm().join("Ana_Maria");
    let file = rig.drop_file("1.pdf", "bom");
    let mut following = Following::start(&rig, &[]);
    until("running", || ana.join("running").exists()).await;
    following.signal(Signal::TERM);
    assert_eq!(following.ends().await, Some(0));
    assert!(ana.join("done").exists(), "the step in hand was finished");
    super::configure(&rig.world, &rig.backend, "command = [\"false\"]\n");
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
