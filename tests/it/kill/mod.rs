//! The kill test: `tecnico watch` over 30 files of all kinds, killed (SIGKILL) after one outside effect after another (each
//! Drive call, each callback, each rename on the VM, each commit of the ledger), then started again until it is done:
//! always the same trees, every file once, every event told under one id.
//!
//! All points are exact: the answer to a Drive call or a callback is held while the process is killed, and a process that is
//! watched by [`traced`] is stopped at the system call that renames or commits.
//!
//! `scripts/simulate --kill` takes every point, `--kill 40` about 40 of each sort; otherwise a sample spread over all of them
//! is taken. The line it prints says how many of how many.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::simulate::stage::{Host, Stage};
use crate::simulate::{number, tell};
use crate::support::kept;
use crate::support::people::{Class, Kind, PROCESSOR, People};
use crate::support::receiver::Reply;
use crate::support::traced::{self, Effect};
use crate::support::world::tecnico;

/// Killed runs side by side.
const SIDE_BY_SIDE: usize = 4;
/// Points taken of each sort unless all are asked for: what keeps the test below a minute and a half on two quiet cores.
const SAMPLE: u64 = 36;
/// The longest it may take from the kill until everything is done.
const PATIENCE: Duration = Duration::from_mins(3);
/// The file that is replaced after the kill.
const REPLACED: usize = 0;

/// After what the process is killed.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// So many Drive calls are committed, the last one's answer held.
    Call(u64),
    /// So many callbacks have arrived, the last one's answer held.
    Callback(u64),
    /// So many renames or commits are done.
    Own(Effect, u64),
}

/// What lies where in the end: (VM, folder, md5) and (Drive, folder, name), counted.
type Trees = BTreeMap<(&'static str, String, String), usize>;

#[test]
fn killed_after_any_outside_effect_it_ends_the_same() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let host = Host::start(runtime.handle()).expect("a Drive");
    let (counts, expected) = unkilled(&host).expect("a run that nobody kills");
    let sample = number("TECNICO_KILL_POINTS").unwrap_or(SAMPLE);
    let spread = |n: u64| (1..=n).filter(move |k| (k - 1) % n.div_ceil(sample.max(1)).max(1) == 0 || *k == n);
    let calls: Vec<Point> = spread(counts[0]).map(Point::Call).collect();
    let callbacks: Vec<Point> = spread(counts[1]).map(Point::Callback).collect();
    let renames: Vec<Point> = spread(counts[2]).map(|n| Point::Own(Effect::Rename, n)).collect();
    let commits: Vec<Point> = spread(counts[3]).map(|n| Point::Own(Effect::Commit, n)).collect();
    let of = |points: &[Point], n: u64, what: &str| format!("{} of {n} {what}", points.len());
    let sorts = [
        of(&calls, counts[0], "Drive calls"),
        of(&callbacks, counts[1], "callbacks"),
        of(&renames, counts[2], "renames"),
        of(&commits, counts[3], "commits of the ledger"),
    ];
    let points = [calls, callbacks, renames, commits].concat();
    tell(&format!("kill points taken: {}; {} in all", sorts.join(", "), points.len()));
    let (next, killed, early, broken) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                let host = Host::start(runtime.handle()).expect("a Drive");
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match kill_at(&host, *point, &expected) {
                        Ok(true) => _ = killed.fetch_add(1, Ordering::Relaxed),
                        Ok(false) => early.lock().expect("no panic").push(*point),
                        Err(e) => broken.lock().expect("no panic").push(format!("{point:?}: {e:#}")),
                    }
                }
            });
        }
    });
    let (broken, early, killed) = (broken.into_inner().expect("no panic"), early.into_inner().expect("no panic"), killed.into_inner());
    tell(&format!("killed at {killed} points, {} of them broke the promise; {} runs were done before", broken.len(), early.len()));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // Steps that come together share a commit: a run may need fewer than the one that was counted, but not half as many.
    let of_commits = |point: &&Point| matches!(point, Point::Own(Effect::Commit, n) if *n > counts[3] / 2);
    assert_eq!(early.iter().filter(of_commits).count(), early.len(), "done before they could be killed: {early:?}");
}

fn stage(host: &Host) -> anyhow::Result<Stage> {
    static SEED: AtomicU64 = AtomicU64::new(1_000_000);
    let config = format!("[watch]\nsettle = \"1ms\"\n[process]\n{PROCESSOR}");
    let mut stage = Stage::new(host, SEED.fetch_add(1, Ordering::Relaxed), &config)?;
    stage.kill();
    stage.give_binary_patience()?;
    drop_files(&mut stage.people);
    ensure!(stage.people.things.iter().filter(|t| t.kind != Kind::Folder).count() >= 30, "too few files");
    Ok(stage)
}

/// 30 files of all kinds.
fn drop_files(people: &mut People) {
    let good = |n: &str| Class::Good.content(n);
    for who in 0..2 {
        let novos = people.all[who].novos.clone();
        people.put(who, &novos, "substituido.pdf", &good(&format!("primeira {who}")));
        for n in 0..3 {
            people.put(who, &novos, &format!("1651718{n}.pdf"), &good(&format!("{who} {n}")));
        }
        for n in 0..2 {
            people.put(who, &novos, &format!("recusado {n}.pdf"), &Class::Bad.content(&format!("{who} {n}")));
            people.put(who, &novos, "mesmo nome.pdf", &good(&format!("mesmo {who} {n}")));
        }
        people.put(who, &novos, "../../fora.pdf", &good(&format!("fora {who}")));
        people.put(who, &novos, "vazio.pdf", b"");
        people.put(who, &novos, "grande.pdf", &good(&"x".repeat(700_000 + who)));
        people.put(who, &novos, "nota.txt", &good("nota"));
        people.doc(who, &novos, "Relatório");
        let target = people.things[REPLACED].id.clone();
        people.shortcut(who, &novos, "atalho.pdf", &target);
        let outer = people.mkdir(who, &novos, "lote").map(|n| people.things[n].id.clone()).unwrap_or_default();
        people.put(who, &outer, "dentro.pdf", &good(&format!("dentro {who}")));
        let inner = people.mkdir(who, &outer, "mais fundo").map(|n| people.things[n].id.clone()).unwrap_or_default();
        people.put(who, &inner, "16517189.pdf", &good(&format!("fundo {who}")));
    }
}

fn watch(stage: &Stage) -> Command {
    let mut command = tecnico(&stage.path("config.toml"));
    command.arg("watch").stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Counts the effects, and the trees to be had.
fn unkilled(host: &Host) -> anyhow::Result<([u64; 4], Trees)> {
    let mut stage = stage(host)?;
    stage.control.clear_requests();
    let run = traced::run(&watch(&stage), None)?;
    ensure!(run.code == Some(0), "the run is clean");
    let calls = stage.control.calls();
    let callbacks = u64::try_from(stage.receiver.requests().len())?;
    let trees = finish(&mut stage)?;
    Ok(([calls, callbacks, run.renames, run.commits], trees))
}

/// One run, killed at `point`, and what follows. False where the run was done before.
fn kill_at(host: &Host, point: Point, expected: &Trees) -> anyhow::Result<bool> {
    let mut stage = stage(host)?;
    let code = match point {
        Point::Own(effect, n) => traced::run(&watch(&stage), Some((effect, n)))?.code,
        Point::Call(n) => {
            stage.control.pause_after(n);
            kill_when(&mut watch(&stage).spawn()?, || stage.is_paused())?
        }
        Point::Callback(n) => {
            let n = usize::try_from(n)?;
            stage.receiver.reply(Reply::HangFrom(n));
            kill_when(&mut watch(&stage).spawn()?, || stage.receiver.requests().len() >= n)?
        }
    };
    stage.control.resume();
    stage.receiver.reply(Reply::status(200));
    stage.people.replace(REPLACED, &Class::Good.content("segunda"));
    let trees = finish(&mut stage)?;
    let differences: Vec<_> = trees.iter().filter(|(k, n)| expected.get(*k) != Some(n)).map(|(k, n)| format!("{k:?} × {n}")).collect();
    let missing: Vec<_> = expected.keys().filter(|k| !trees.contains_key(*k)).collect();
    ensure!(differences.is_empty() && missing.is_empty(), "other trees: {differences:?}, missing {missing:?}");
    Ok(code.is_none())
}

/// Kills it once the point is `reached`. Its exit code, where it was done before.
fn kill_when(child: &mut Child, reached: impl Fn() -> bool) -> anyhow::Result<Option<i32>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if reached() {
            child.kill()?;
            return Ok(child.wait()?.code());
        }
        ensure!(Instant::now() < deadline, "it neither ends nor comes to the point");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs it until nothing is left, checks the promise, and gives the trees without the file that was replaced.
fn finish(stage: &mut Stage) -> anyhow::Result<Trees> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = watch(stage).status().context("the binary starts")?;
        let (open, undelivered) = stage.left()?;
        stage.kill();
        if status.success() && open + undelivered == 0 {
            break;
        }
        ensure!(Instant::now() < deadline, "not done: {status}, {open} open, {undelivered} undelivered");
    }
    stage.look_at_vm()?;
    let broken = stage.broken()?;
    if !broken.is_empty() {
        anyhow::bail!("{}\n{}", broken.join("\n"), stage.story()?.join("\n"));
    }
    stage.kill();
    let mut trees = Trees::new();
    let replaced = &stage.people.things[REPLACED];
    let versions: Vec<String> = replaced.versions.iter().map(|v| kept::md5_of(&v.content)).collect();
    for local in kept::local_files(&stage.path("vm"))? {
        let folder = local.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        if !versions.contains(&local.md5) {
            *trees.entry(("VM", folder, local.md5)).or_default() += 1;
        }
    }
    for thing in stage.people.things.iter().filter(|t| t.id != replaced.id) {
        let file = stage.control.file(&thing.id)?;
        let parent = file["parents"][0].as_str().unwrap_or_default();
        let folder = |(n, p): (usize, &crate::support::people::Person)| {
            p.ends.iter().position(|e| e == parent).map(|end| format!("{n} {}", ["processados", "erro"][end]))
        };
        let folder = stage.people.all.iter().enumerate().find_map(folder).unwrap_or_default();
        *trees.entry(("Drive", folder, thing.name.clone())).or_default() += 1;
    }
    Ok(trees)
}
