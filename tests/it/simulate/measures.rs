//! What the agent costs. `scripts/simulate --measure` prints it, with the large file at its full 3 GB.

use std::collections::{BTreeSet, HashSet};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use drive_emulator::control::{Effect, Fault, Match};
use serde_json::Value;
use tecnico::domain::folder::{Role, WantedFolder};
use tecnico::domain::technician::UserId;
use tecnico::ledger::{Adopt, Ledger, Source, WantedTechnician};
use tokio::runtime::Runtime;

use super::stage::{Ended, Host, Interruption, Stage};
use super::tell;
use crate::support::documents;
use crate::support::people::Class;
use crate::support::waiting::PATIENCE;
use crate::support::world::tecnico;

const MEGABYTE: u64 = 1024 * 1024;
/// The most memory the agent may ever take.
const MOST: u64 = 64 * MEGABYTE;

fn world(more: &str) -> anyhow::Result<(Runtime, Host, Stage)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let host = Host::start(runtime.handle())?;
    let mut stage = Stage::new(&host, 1, &format!("[watch]\nsettle = \"1ms\"\n{more}"))?;
    stage.give_binary_patience()?;
    clean_cycle(&mut stage)?;
    stage.control.clear_requests();
    Ok((runtime, host, stage))
}

fn clean_cycle(stage: &mut Stage) -> anyhow::Result<()> {
    match stage.cycle(Interruption::None)? {
        Ended::Done(Ok(report)) if report.is_clean() => Ok(()),
        Ended::Done(Ok(report)) => anyhow::bail!("{:?}", report.faults),
        Ended::Done(Err(failure)) => Err(failure.into()),
        Ended::Killed => anyhow::bail!("nobody killed it"),
    }
}

#[test]
fn an_idle_cycle_over_a_thousand_technicians_is_one_call() -> anyhow::Result<()> {
    let (runtime, _host, mut stage) = world("")?;
    stage.kill();
    runtime.block_on(async {
        let ledger = Ledger::open(&stage.path("ledger.db")).await?;
        let now = stage.control.now_ms()?;
        for n in 0..1000 {
            let user = UserId::parse(&format!("t{n}")).map_err(anyhow::Error::msg)?;
            let wanted = WantedTechnician { folder: format!("Tecnico_{n}"), ..WantedTechnician::default() };
            ledger.reserve(&user, &wanted, &HashSet::new(), now).await?;
            let folders = [(Role::Novos, "novos"), (Role::Processados, "processados"), (Role::Erro, "erro")]
                .map(|(role, name)| (WantedFolder { path: format!("pdfs/{name}"), role }, format!("1{name:_<12}{n:_>20}")));
            ledger.adopt_ids(&user, &folders, Adopt::KeepOurs).await?;
            ledger.found(&[], Source::Listing { user: &user }, now).await?;
        }
        ledger.close().await;
        anyhow::Ok(())
    })?;
    let began = Instant::now();
    clean_cycle(&mut stage)?;
    tell(&format!("an idle cycle over 1,002 technicians: {:?}, {:.0?}", stage.control.counts(), began.elapsed()));
    assert_eq!(stage.control.calls(), 1, "{:?}", stage.control.counts());
    Ok(())
}

#[test]
fn a_small_file_costs_two_calls() -> anyhow::Result<()> {
    let (_runtime, _host, mut stage) = world("")?;
    let novos = stage.people.all[0].novos.clone();
    for n in 0..20 {
        stage.people.put(0, &novos, &format!("{n}.pdf"), &Class::Good.content(&n.to_string()));
    }
    // Settled by the time the cycle comes.
    stage.control.clock_advance(Duration::from_secs(1))?;
    clean_cycle(&mut stage)?;
    tell(&format!("20 small files: {:?}", stage.control.counts()));
    assert_eq!(stage.control.calls(), 1 + 2 * 20, "{:?}", stage.control.counts());
    Ok(())
}

#[test]
fn c6_7_two_hundred_files_at_once() -> anyhow::Result<()> {
    let (_runtime, _host, mut stage) = world("")?;
    stage.kill();
    let person = stage.people.all[0].clone();
    for n in 0..200 {
        stage.people.put(0, &person.novos, &format!("{n}.pdf"), &Class::Good.content(&n.to_string()));
    }
    stage.control.set_latency(Duration::from_millis(50));
    let began = Instant::now();
    let (code, memory, report) = watched(start(&stage)?)?;
    let took = began.elapsed();
    stage.control.set_latency(Duration::ZERO);
    let drive = &report["drive"];
    tell(&format!(
        "200 files at 50 ms latency: {took:.1?}, {} calls, {} units, peak memory {} MB",
        drive["calls"],
        drive["units"],
        memory / MEGABYTE
    ));
    ensure!(code == Some(0) && stage.control.calls() <= 402, "{code:?} {report} {:?}", stage.control.counts());
    ensure!(memory < MOST, "peak memory {memory}");
    let wanted: BTreeSet<String> = (0..200).map(|n| format!("{n}.pdf")).collect();
    let filed = report["filed"].as_array().context("filed")?;
    let filed: BTreeSet<String> =
        filed.iter().filter(|f| f["outcome"] == "processado").filter_map(|f| f["name"].as_str()).map(str::to_owned).collect();
    let on_drive = stage.control.children(&person.ends[0])?;
    let on_drive: BTreeSet<String> = on_drive.iter().filter_map(|f| f["name"].as_str()).map(str::to_owned).collect();
    let on_vm = stage.path("vm").join(&person.folder).join("pdfs/processados").read_dir()?;
    let on_vm: BTreeSet<String> = on_vm.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    for (place, names) in [("the report", filed), ("Drive", on_drive), ("the VM", on_vm)] {
        ensure!(names == wanted, "{place}: {} files in processados: {names:?}", names.len());
    }
    Ok(())
}

#[test]
fn a_large_file_takes_little_memory_and_is_resumed_where_it_was_cut() -> anyhow::Result<()> {
    let (_runtime, _host, mut stage) = world("")?;
    stage.kill();
    let size = if std::env::var_os("TECNICO_MEASURE").is_some() { 3 * 1024 * MEGABYTE } else { 160 * MEGABYTE };
    let person = stage.people.all[0].clone();
    stage.control.put_generated(&person.email, &person.novos, "grande.pdf", size)?;
    let cut = Effect::CutBodyAfter { bytes: size / 2 };
    stage.control.fault(Fault { calls: Match { op: Some("files.get".into()), ..Match::default() }, ..Fault::new(cut) })?;
    let began = Instant::now();
    let (code, memory, report) = watched(start(&stage)?)?;
    tell(&format!("a file of {} MB, cut at half: {:.1?}, peak memory {} MB", size / MEGABYTE, began.elapsed(), memory / MEGABYTE));
    ensure!(code == Some(0), "{code:?} {report}");
    let local = std::fs::metadata(stage.path("vm").join(&person.folder).join("pdfs/processados/grande.pdf"))?;
    ensure!(local.len() == size, "{} bytes arrived", local.len());
    // What was announced: all of it, then the half that was missing.
    let sent: u64 = stage.control.requests().iter().filter(|r| r.op == "files.get").map(|r| r.bytes_out).sum();
    ensure!((size + size / 2..size + size / 2 + MEGABYTE).contains(&sent), "{sent} bytes were announced");
    ensure!(memory < MOST, "peak memory {memory}");
    Ok(())
}

#[test]
fn a_processor_that_prints_a_gigabyte_takes_little_memory() -> anyhow::Result<()> {
    let flood = "head -c 1000000000 /dev/zero; head -c 10000000 /dev/zero >&2; echo; echo '{\\\"lido\\\": 1}'";
    let (_runtime, _host, mut stage) = world(&format!("[process]\ncommand = [\"sh\", \"-c\", \"{flood}\", \"{{path}}\"]\n"))?;
    stage.kill();
    let person = stage.people.all[0].clone();
    stage.people.put(0, &person.novos, "1.pdf", &Class::Good.content("1"));
    let began = Instant::now();
    let (code, memory, report) = watched(start(&stage)?)?;
    tell(&format!("a processor that prints 1,000 MB: {:.1?}, peak memory {} MB", began.elapsed(), memory / MEGABYTE));
    ensure!(code == Some(0) && report["filed"][0]["outcome"] == "processado", "{code:?} {report}");
    ensure!(memory < MOST, "peak memory {memory}");
    let told = stage.receiver.requests();
    ensure!(told.len() == 1 && told[0].body.contains(r#""data":{"lido":1}"#), "{told:?}");
    Ok(())
}

#[test]
fn of_two_watches_one_gives_way() -> anyhow::Result<()> {
    let (_runtime, _host, mut stage) = world("")?;
    stage.kill();
    let novos = stage.people.all[0].novos.clone();
    stage.people.put(0, &novos, "1.pdf", &Class::Good.content("1"));
    // The first stands still in the middle of its cycle.
    stage.control.pause_after(1);
    let first = start(&stage)?;
    let deadline = Instant::now() + PATIENCE;
    while !stage.is_paused() {
        ensure!(Instant::now() < deadline, "the first never asked anything");
        std::thread::sleep(Duration::from_millis(2));
    }
    let (code, _, report) = watched(start(&stage)?)?;
    ensure!(code == Some(75) && report["error"]["code"] == "cycle_busy", "{code:?} {report}");
    stage.control.resume();
    let (code, _, report) = watched(first)?;
    ensure!(code == Some(0), "{code:?} {report}");
    Ok(())
}

fn start(stage: &Stage) -> anyhow::Result<Child> {
    let mut command = tecnico(&stage.path("config.toml"));
    command.args(["watch", "--json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("the binary starts")
}

/// How it ended, its peak memory in bytes, and what it said.
fn watched(mut child: Child) -> anyhow::Result<(Option<i32>, u64, Value)> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let code = loop {
        peak = peak.max(high_water(&status).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let out = std::io::read_to_string(child.stdout.take().context("stdout")?)?;
    documents::names(&out);
    Ok((code, peak, serde_json::from_str(&out).unwrap_or_default()))
}

fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}
