//! One random walk: users act, things go wrong, the agent runs and dies; then the trouble stops, and the promise is kept.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::dice::Dice;
use super::stage::{Ended, Host, Interruption, Stage};
use super::{number, trouble};
use crate::support::people::{Class, Kind, PROCESSOR, People};
use crate::support::receiver::Reply;

const NAMES: [&str; 13] = [
    "16517189.pdf",
    "16517189.pdf",
    "OS 2.PDF",
    "../../fora.pdf",
    "a/b.pdf",
    "16517189\u{202e}fdp.pdf",
    "nota.txt",
    ".oculto.pdf",
    "._oculto.pdf",
    "~$aberto.pdf",
    "linha\nnova.pdf",
    "ação.pdf",
    "sem extensão",
];
/// Cycles after which a world that is left alone must be at rest.
const PATIENCE: u32 = 60;
/// Of how many walks in a hundred the cycles go on looking beside their work: they take their time.
const STAYS: u64 = 5;

/// What a walk found.
pub struct Walked {
    /// How the promise was broken; empty where it was kept.
    pub broken: Vec<String>,
    /// What happened, one line a step.
    pub history: Vec<String>,
    /// How many cycles were killed.
    pub kills: u32,
    /// How many cycles ran.
    pub cycles: u32,
}

/// Walks the path of this seed.
pub fn walk(host: &Host, seed: u64) -> anyhow::Result<Walked> {
    let mut dice = Dice::new(seed);
    // Dice of their own, here and below: what they decide changes nothing else of the walk.
    let stays = Dice::new(seed.rotate_left(32)).percent(number("TECNICO_SIM_STAY").unwrap_or(STAYS));
    let config = config(&mut dice, stays);
    let mut stage = Stage::new(host, seed, &config)?;
    stage.stays = stays;
    let unsettled = trouble::unsettled(&mut Dice::new(!seed), &stage.control)?;
    stage.people.history.push(unsettled);
    let mut walk = Walk { dice, kills: 0, cycles: 0, made: 0 };
    stage.people.history.push(format!("settings: {}", config.replace(&processor(stays), "").replace('\n', "; ")));
    for _ in 0..walk.dice.between(1, 6) {
        act(&mut walk.dice, &mut walk.made, &mut stage.people);
    }
    let steps = walk.dice.between(10, 45);
    for _ in 0..steps {
        walk.step(&mut stage)?;
    }
    let mut broken = walk.rest(&mut stage)?;
    broken.extend(stage.broken()?);
    let mut history = std::mem::take(&mut stage.people.history);
    if !broken.is_empty() {
        history.extend(stage.story()?);
        if std::env::var_os("TECNICO_SIM_KEEP").is_some() {
            history.push(format!("kept in {}", stage.keep().display()));
        }
    }
    Ok(Walked { broken, history, kills: walk.kills, cycles: walk.cycles })
}

fn config(dice: &mut Dice, stays: bool) -> String {
    let concurrency = if dice.percent(60) { 1 } else { 4 };
    let folders = *dice.pick(&["flatten", "flatten", "keep", "reject"]).unwrap_or(&"flatten");
    let docs = *dice.pick(&["export-pdf", "reject"]).unwrap_or(&"reject");
    let ordered = dice.percent(20);
    let processor = processor(stays);
    format!(
        "[watch]\nconcurrency = {concurrency}\n[process]\nfolders = \"{folders}\"\ngoogle_docs = \"{docs}\"\nordered = {ordered}\n{processor}"
    )
}

/// In a cycle that stays it takes long enough for looks beside it.
fn processor(stays: bool) -> String {
    if stays { PROCESSOR.replace("'read word", "'sleep 0.2; read word") } else { PROCESSOR.to_owned() }
}

struct Walk {
    dice: Dice,
    kills: u32,
    cycles: u32,
    made: u32,
}

impl Walk {
    fn step(&mut self, stage: &mut Stage) -> anyhow::Result<()> {
        match self.dice.below(100) {
            0..45 => act(&mut self.dice, &mut self.made, &mut stage.people),
            45..56 => self.cycle(stage, Interruption::None, "cycle")?,
            56..67 => {
                let n = self.dice.between(0, 8);
                self.cycle(stage, Interruption::KilledAfterCall(n), &format!("cycle, killed after call {n}"))?;
            }
            67..73 => {
                let n = self.dice.between(1, 250);
                self.cycle(stage, Interruption::KilledAfterTurns(n), &format!("cycle, killed after turn {n}"))?;
            }
            73..85 => {
                let n = self.dice.between(0, 9);
                let (mut dice, mut made) = (self.dice.clone(), self.made);
                let mut meddle = |people: &mut People| {
                    for _ in 0..dice.between(1, 3) {
                        act(&mut dice, &mut made, people);
                    }
                };
                self.cycle(stage, Interruption::Meddling(n, &mut meddle), &format!("cycle; users act after call {n}"))?;
                (self.dice, self.made) = (dice, made);
            }
            85..92 => stage.people.history.push(trouble::on_drive(&mut self.dice, &stage.control)?),
            92..94 => stage.people.history.push(trouble::at_backend(&mut self.dice, &stage.receiver)),
            94..95 => {
                let ms = i64::try_from(self.dice.below(7_200_000))? - 3_600_000;
                stage.skew.store(ms, Ordering::Relaxed);
                stage.people.history.push(format!("the VM's clock is off by {ms} ms"));
            }
            _ => {
                let seconds = *self.dice.pick(&[1, 6, 30, 300, 1_200, 25_000]).unwrap_or(&6);
                stage.control.clock_advance(Duration::from_secs(seconds))?;
                stage.people.history.push(format!("{seconds} s pass"));
            }
        }
        Ok(())
    }

    fn cycle(&mut self, stage: &mut Stage, interruption: Interruption<'_>, what: &str) -> anyhow::Result<()> {
        self.cycles += 1;
        // Without this most cycles would meet files that are still settling.
        if self.dice.percent(60) {
            stage.control.clock_advance(Duration::from_secs(6))?;
        }
        let at = stage.people.history.len();
        let said = match stage.cycle(interruption)? {
            Ended::Killed => {
                self.kills += 1;
                "killed".to_owned()
            }
            Ended::Done(Ok(report)) => {
                let faults: Vec<&str> = report.faults.iter().map(|f| f.failure.code()).collect();
                format!(
                    "found {}, filed {}, waiting {}, {} calls, faults {faults:?}",
                    report.found,
                    report.filed.len(),
                    report.waiting.len(),
                    report.drive.calls
                )
            }
            Ended::Done(Err(failure)) => format!("failed: {failure}"),
        };
        stage.people.history.insert(at, format!("{what}:"));
        stage.people.history.push(format!("  … {said}"));
        Ok(())
    }

    /// No more trouble, and nobody acts: everything comes to its end. Gives what does not.
    fn rest(&mut self, stage: &mut Stage) -> anyhow::Result<Vec<String>> {
        stage.people.history.push("-- the trouble is over".into());
        trouble::over(&stage.control)?;
        stage.receiver.reply(Reply::status(200));
        stage.skew.store(0, Ordering::Relaxed);
        // Later than every delay of the feed, and than the clock ever was.
        stage.control.clock_advance(Duration::from_hours(2))?;
        let mut quiet = 0;
        for round in 0..PATIENCE {
            self.cycles += 1;
            let faults = match stage.cycle(Interruption::None)? {
                Ended::Done(Ok(report)) => {
                    if report.found + report.filed.len() > 0 {
                        quiet = 0;
                    }
                    report.faults.into_iter().map(|f| format!("{}: {}", f.failure.code(), f.failure)).collect()
                }
                Ended::Done(Err(failure)) => vec![failure.to_string()],
                Ended::Killed => anyhow::bail!("nobody killed it"),
            };
            let (open, undelivered) = stage.left()?;
            quiet = if faults.is_empty() && open == 0 && undelivered == 0 { quiet + 1 } else { 0 };
            if quiet == 3 {
                return Ok(Vec::new());
            }
            if round + 1 == PATIENCE {
                return Ok(vec![format!("no rest after {PATIENCE} cycles: {open} open, {undelivered} undelivered, {faults:?}")]);
            }
            // Long enough for every novos to be listed again, and now and then for the longest wait of a callback.
            let hours = if undelivered > 0 { 30 } else { 7 };
            stage.control.clock_advance(Duration::from_hours(hours))?;
        }
        Ok(Vec::new())
    }
}

/// One act of a user.
fn act(dice: &mut Dice, made: &mut u32, people: &mut People) {
    let who = usize::try_from(dice.below(2)).unwrap_or_default();
    let theirs: Vec<usize> = (0..people.things.len()).filter(|n| people.things[*n].owner == who && !people.things[*n].deleted).collect();
    let files: Vec<usize> = theirs.iter().copied().filter(|n| people.things[*n].kind == Kind::File).collect();
    let folders: Vec<usize> = theirs.iter().copied().filter(|n| people.things[*n].kind == Kind::Folder).collect();
    let novos = people.all[who].novos.clone();
    let place = |dice: &mut Dice| match dice.pick(&folders) {
        Some(folder) if dice.percent(25) => people.things[*folder].id.clone(),
        _ => novos.clone(),
    };
    let name = *dice.pick(&NAMES).unwrap_or(&"x.pdf");
    *made += 1;
    match dice.below(100) {
        0..34 => {
            let parent = place(dice);
            let content = content(dice, *made);
            people.put(who, &parent, name, &content);
        }
        34..37 => {
            let parent = place(dice);
            people.doc(who, &parent, ["Relatório", "Relatório.pdf"][usize::from(dice.percent(50))]);
        }
        37..39 => {
            let parent = place(dice);
            if let Some(target) = dice.pick(&files) {
                let target = people.things[*target].id.clone();
                people.shortcut(who, &parent, "atalho.pdf", &target);
            }
        }
        39..44 => {
            let parent = place(dice);
            people.mkdir(who, &parent, ["pasta", "pasta", "~$escondida"][usize::try_from(dice.below(3)).unwrap_or_default()]);
        }
        44..56 => {
            if let Some(n) = dice.pick(&files) {
                let content = content(dice, *made);
                people.replace(*n, &content);
            }
        }
        56..64 => {
            if let Some(n) = dice.pick(&theirs) {
                people.rename(*n, name);
            }
        }
        64..71 => {
            if let Some(n) = dice.pick(&theirs) {
                people.move_to(*n, "root");
            }
        }
        71..80 => {
            let parent = place(dice);
            if let Some(n) = dice.pick(&theirs) {
                people.move_to(*n, &parent);
            }
        }
        80..86 => {
            if let Some(n) = dice.pick(&theirs) {
                people.trash(*n, true);
            }
        }
        86..92 => {
            let trashed: Vec<usize> = theirs.iter().copied().filter(|n| people.things[*n].trashed).collect();
            if let Some(n) = dice.pick(&trashed) {
                people.trash(*n, false);
            }
        }
        92..94 => {
            if let Some(n) = dice.pick(&files) {
                people.delete(*n);
            }
        }
        94..97 => {
            if let Some(n) = dice.pick(&files) {
                people.noise(*n, ["view", "star", "comment"][usize::try_from(dice.below(3)).unwrap_or_default()]);
            }
        }
        _ => {
            let with = people.all[1 - who].email.clone();
            if let Some(n) = dice.pick(&files) {
                people.share(*n, &with, dice.percent(60));
            }
        }
    }
}

fn content(dice: &mut Dice, made: u32) -> Vec<u8> {
    let class = match dice.below(100) {
        0..60 => Class::Good,
        60..85 => Class::Bad,
        85..95 => Class::Later,
        _ => return Vec::new(),
    };
    match dice.below(10) {
        // The same bytes again and again, and a file that takes a while.
        0 => class.content("igual"),
        1 => class.content(&format!("{made} {}", "x".repeat(300_000))),
        _ => class.content(&made.to_string()),
    }
}
