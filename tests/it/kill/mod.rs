//! The kill test: `tecnico watch` over 30 files of all kinds, killed (SIGKILL) after one outside effect after another (each
//! Drive call, each callback, each change of the local tree, each write of the ledger), then started again until it is
//! done: always the same trees, every file once, every event told under one id.
//!
//! Drive calls and callbacks are held while the process is killed, so these points are exact. Renames and ledger writes are
//! seen through inotify by a thread that kills at once: the process may be a step further by then.
//!
//! `scripts/simulate --kill` takes every point, `--kill 40` about 40 of each sort (ledger writes a sixth of that); otherwise a
//! sample spread over all of them is taken. The line it prints says how many of how many.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecursiveMode, Watcher};
use rustix::process::{Pid, Signal, kill_process};

use crate::simulate::stage::{Host, Stage};
use crate::simulate::{number, tell};
use crate::support::kept;
use crate::support::people::{Class, Kind, PROCESSOR, People};
use crate::support::receiver::Reply;

/// Killed runs side by side.
const SIDE_BY_SIDE: usize = 4;
/// Points taken of each sort unless all are asked for: what keeps the test below a minute and a half on two quiet cores.
const SAMPLE: u64 = 36;
/// Ledger writes are many and seen late: of them this part of the others.
const FEWER_WRITES: u64 = 6;
/// The longest it may take from the kill until everything is done.
const PATIENCE: Duration = Duration::from_mins(3);
/// The file that is replaced after the kill.
const REPLACED: usize = 0;

/// After what the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    /// So many Drive calls are committed, the last one's answer held.
    Call(u64),
    /// So many callbacks have arrived, the last one's answer held.
    Callback(u64),
    /// So many files were renamed on the VM.
    Rename(u64),
    /// The ledger was written so many times.
    Write(u64),
}

/// How often each sort of effect happens in a run that nobody kills.
#[derive(Debug, Default)]
struct Counts {
    renames: AtomicU64,
    writes: AtomicU64,
}

/// What lies where in the end: (VM, folder, md5) and (Drive, folder, name), counted.
type Trees = BTreeMap<(&'static str, String, String), usize>;

#[test]
fn killed_after_any_outside_effect_it_ends_the_same() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let host = Host::start(runtime.handle()).expect("a Drive");
    let (counts, expected) = unkilled(&host).expect("a run that nobody kills");
    let sample = number("TECNICO_KILL_POINTS").unwrap_or(SAMPLE);
    let spread = |n: u64, sample: u64| (1..=n).filter(move |k| (k - 1) % n.div_ceil(sample.max(1)).max(1) == 0 || *k == n);
    let calls: Vec<Point> = spread(counts[0], sample).map(Point::Call).collect();
    let callbacks: Vec<Point> = spread(counts[1], sample).map(Point::Callback).collect();
    let renames: Vec<Point> = spread(counts[2], sample).map(Point::Rename).collect();
    let writes: Vec<Point> = spread(counts[3], sample / FEWER_WRITES).map(Point::Write).collect();
    let of = |points: &[Point], n: u64, what: &str| format!("{} of {n} {what}", points.len());
    let sorts = [
        of(&calls, counts[0], "Drive calls"),
        of(&callbacks, counts[1], "callbacks"),
        of(&renames, counts[2], "renames"),
        of(&writes, counts[3], "ledger writes"),
    ];
    let points = [calls, callbacks, renames, writes].concat();
    tell(&format!("kill points taken: {}; {} in all", sorts.join(", "), points.len()));
    let (next, killed, survived, broken) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                let host = Host::start(runtime.handle()).expect("a Drive");
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match kill_at(&host, *point, &expected) {
                        Ok(true) => _ = killed.fetch_add(1, Ordering::Relaxed),
                        Ok(false) => survived.lock().expect("no panic").push(*point),
                        Err(e) => broken.lock().expect("no panic").push(format!("{point:?}: {e:#}")),
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().expect("no panic");
    let killed = killed.into_inner();
    tell(&format!("killed at {killed} points, {} of them broke the promise", broken.len()));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // The kernel reports writes that follow each other closely as one, now more, now fewer: some runs end before the last.
    let survived = survived.into_inner().expect("no panic");
    assert!(!survived.iter().any(|p| matches!(p, Point::Call(_) | Point::Callback(_))), "not killed: {survived:?}");
    assert!(killed * 2 >= points.len(), "only {killed} of {} runs were killed before they were done", points.len());
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

fn watch(stage: &Stage) -> anyhow::Result<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tecnico"));
    command.arg("--config").arg(stage.path("config.toml")).arg("watch").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env_remove("BACKEND_URL").env_remove("VM_BASE_FOLDER").env_remove("GOOGLE_APPLICATION_CREDENTIALS");
    command.spawn().context("the binary starts")
}

/// Counts the effects, and the trees to be had.
fn unkilled(host: &Host) -> anyhow::Result<([u64; 4], Trees)> {
    let mut stage = stage(host)?;
    let counts = Arc::new(Counts::default());
    let seen = counts.clone();
    let watcher = on_effects(&stage, move |point| {
        let counter = if matches!(point, Point::Rename(_)) { &seen.renames } else { &seen.writes };
        counter.fetch_add(1, Ordering::Relaxed);
    })?;
    stage.control.clear_requests();
    ensure!(watch(&stage)?.wait()?.success(), "the run is clean");
    let calls = stage.control.calls();
    drop(watcher);
    let callbacks = u64::try_from(stage.receiver.requests().len())?;
    let trees = finish(&mut stage)?;
    Ok(([calls, callbacks, counts.renames.load(Ordering::Relaxed), counts.writes.load(Ordering::Relaxed)], trees))
}

/// One run, killed at `point`, and what follows. False where the run was done before.
fn kill_at(host: &Host, point: Point, expected: &Trees) -> anyhow::Result<bool> {
    let mut stage = stage(host)?;
    if let Point::Call(n) = point {
        stage.control.pause_after(n);
    }
    if let Point::Callback(n) = point {
        stage.receiver.reply(Reply::HangFrom(usize::try_from(n)?));
    }
    // The watcher is there before the process; what it has to kill comes after.
    let (pid, count) = (Arc::new(Mutex::new(None::<Pid>)), AtomicU64::new(0));
    let victim = pid.clone();
    let watcher = on_effects(&stage, move |seen| {
        let ((Point::Rename(n), Point::Rename(_)) | (Point::Write(n), Point::Write(_))) = (point, seen) else { return };
        if count.fetch_add(1, Ordering::Relaxed) + 1 >= n
            && let Ok(Some(pid)) = victim.lock().map(|p| *p)
        {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
    })?;
    let mut child = watch(&stage)?;
    *pid.lock().map_err(|_| anyhow::anyhow!("the watcher panicked"))? = Pid::from_raw(child.id().cast_signed());
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let reached = match point {
            Point::Call(_) => stage.is_paused(),
            Point::Callback(n) => u64::try_from(stage.receiver.requests().len())? >= n,
            Point::Rename(_) | Point::Write(_) => false,
        };
        if reached {
            child.kill()?;
            break child.wait()?;
        }
        ensure!(Instant::now() < deadline, "it neither ends nor comes to the point");
        std::thread::sleep(Duration::from_millis(1));
    };
    drop(watcher);
    stage.control.resume();
    stage.receiver.reply(Reply::status(200));
    stage.people.replace(REPLACED, &Class::Good.content("segunda"));
    let trees = finish(&mut stage)?;
    let differences: Vec<_> = trees.iter().filter(|(k, n)| expected.get(*k) != Some(n)).map(|(k, n)| format!("{k:?} × {n}")).collect();
    let missing: Vec<_> = expected.keys().filter(|k| !trees.contains_key(*k)).collect();
    ensure!(differences.is_empty() && missing.is_empty(), "other trees: {differences:?}, missing {missing:?}");
    Ok(status.code().is_none())
}

/// Runs it until nothing is left, checks the promise, and gives the trees without the file that was replaced.
fn finish(stage: &mut Stage) -> anyhow::Result<Trees> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = watch(stage)?.wait()?;
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

/// Calls `seen` for each rename below the VM's base directory and each write of the ledger's log, as they happen.
fn on_effects(stage: &Stage, seen: impl Fn(Point) + Send + 'static) -> anyhow::Result<notify::RecommendedWatcher> {
    let vm = stage.path("vm");
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let Some(path) = event.paths.first() else { return };
        match event.kind {
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) if path.starts_with(&vm) => seen(Point::Rename(0)),
            EventKind::Modify(ModifyKind::Data(_)) if path.to_string_lossy().ends_with(".db-wal") => seen(Point::Write(0)),
            _ => {}
        }
    })?;
    watcher.watch(&stage.path(""), RecursiveMode::Recursive)?;
    Ok(watcher)
}
