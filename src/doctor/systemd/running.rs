//! Which of the units run. systemd itself is asked, where it is at work: their files do not tell that one failed.

use std::path::Path;
use std::process::Command;

use super::CYCLE;
use crate::config::env_names::GIVE_A_KEY;
use crate::doctor::{Finding, Findings};

const TIMER: &str = "tecnico-watch.timer";
const AGENT: &str = "tecnico-agent.service";
const API: &str = "tecnico-serve.service";
/// What an admin enables.
const ENABLED: [&str; 3] = [TIMER, AGENT, API];
/// What is there while systemd runs (`sd_booted(3)`).
const BOOTED: &str = "run/systemd/system";

/// How a unit stands, in systemd's own words (`systemctl show`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unit {
    pub name: String,
    /// `LoadState`: loaded, not-found, masked.
    pub load: String,
    /// `UnitFileState`: enabled, disabled, masked.
    pub file: String,
    /// `ActiveState`: active, inactive, failed.
    pub active: String,
    /// `SubState`, which tells of a service that is started again and again.
    pub sub: String,
    /// `ExecMainStatus`: how its process ended the last time.
    pub ended: u8,
}

impl Unit {
    fn is_installed(&self) -> bool {
        !matches!(self.load.as_str(), "" | "not-found")
    }

    fn is_enabled(&self) -> bool {
        self.file.starts_with("enabled")
    }

    fn is_masked(&self) -> bool {
        self.file.starts_with("masked")
    }

    fn is_up(&self) -> bool {
        !matches!(self.active.as_str(), "inactive" | "failed") && !self.is_started_anew()
    }

    /// It ended by itself, and systemd waits before it tries once more.
    fn is_started_anew(&self) -> bool {
        self.sub.starts_with("auto-restart")
    }

    /// systemd itself failed before the program began (systemd.exec(5), "Process Exit Codes").
    fn could_not_begin(&self) -> bool {
        self.ended >= 200 && (self.active == "failed" || self.is_started_anew())
    }

    /// The command that shows what it met.
    fn journal(&self) -> String {
        format!("`journalctl -u {} -n 20`", self.name.replace(".timer", ".service"))
    }

    /// Whether cycles come of it, once it is enabled.
    fn fetches(&self) -> bool {
        ![API, CYCLE].contains(&self.name.as_str())
    }
}

/// Whether cron runs cycles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cron {
    No,
    /// The line of the package, which leaves a machine with systemd to systemd.
    GivesWay,
    Yes,
}

impl Cron {
    /// What the files of cron below `root` say that this user may read.
    pub(super) fn of(root: &Path) -> Self {
        let files = std::fs::read_dir(root.join("etc/cron.d")).into_iter().flatten().flatten().map(|f| f.path());
        let text: String = files.chain([root.join("etc/crontab")]).filter_map(|f| std::fs::read_to_string(f).ok()).collect();
        let mut lines = text.lines().filter(|l| !l.trim_start().starts_with('#') && l.contains("tecnico") && l.contains(" watch"));
        match lines.clone().next() {
            None => Self::No,
            Some(_) if lines.all(|l| l.contains(BOOTED)) => Self::GivesWay,
            Some(_) => Self::Yes,
        }
    }
}

/// How the units stand; nothing where systemd does not run.
pub(super) fn units(root: &Path) -> Result<Vec<Unit>, String> {
    if !root.join(BOOTED).is_dir() {
        return Ok(Vec::new());
    }
    let asked = ["show", "--no-pager", "--property=Id,LoadState,UnitFileState,ActiveState,SubState,ExecMainStatus"];
    let ran = Command::new("systemctl").args(asked).args(ENABLED).arg(CYCLE).output().map_err(|e| e.to_string())?;
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).lines().next().unwrap_or("no answer").to_owned());
    }
    Ok(String::from_utf8_lossy(&ran.stdout).split("\n\n").map(unit).filter(Unit::is_installed).collect())
}

fn unit(text: &str) -> Unit {
    let value = |key: &str| text.lines().filter_map(|l| l.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v.to_owned());
    let value = |key| value(key).unwrap_or_default();
    let ended = value("ExecMainStatus").parse().unwrap_or_default();
    let [name, load, file, active, sub] = ["Id", "LoadState", "UnitFileState", "ActiveState", "SubState"].map(value);
    Unit { name, load, file, active, sub, ended }
}

/// What is wrong with what runs. `worked`: cycles have run before; where none has, it is the work's to say how they begin.
/// `has_key`: a file with the key of the HTTP API is named.
pub(super) fn judged(units: &[Unit], cron: Cron, worked: bool, has_key: bool) -> Findings {
    let problem = |message: String, fix: String| Finding::problem("services", message, fix);
    let warning = |message: String, fix: String| Finding::warning("services", message, fix);
    let fetchers = || units.iter().filter(|u| u.fetches());
    let nothing_fetches = cron != Cron::Yes && !fetchers().any(Unit::is_up);
    let mut findings = Vec::new();
    for unit in units {
        let (name, another_is_enabled) = (&unit.name, unit.fetches() && fetchers().any(|u| u != unit && u.is_enabled()));
        if unit.could_not_begin() {
            let message = format!("systemd could not start {name} (status {}): it never got as far as tecnico", unit.ended);
            findings.push(problem(message, format!("{} says why", unit.journal())));
        } else if unit.is_started_anew() {
            let message = format!("{name} ends by itself, and is started again and again");
            findings.push(problem(message, format!("{} says why", unit.journal())));
        } else if unit.is_enabled() && !unit.is_up() {
            let so = match unit.fetches() {
                false if !has_key => ": serve.api_key_file names no key, without which nothing is served",
                false => ": the HTTP API does not answer",
                true if nothing_fetches => ": no new file is fetched",
                true => "",
            };
            let why = if unit.active == "failed" { format!(" ({} says why)", unit.journal()) } else { String::new() };
            let start = format!("sudo systemctl start {name}");
            let fix = if unit.fetches() || has_key { start } else { format!("{GIVE_A_KEY}, then `{start}`") };
            findings.push(problem(format!("{name} is enabled but {}{why}{so}", unit.active), fix));
        } else if unit.is_masked() && unit.is_up() && !another_is_enabled {
            let message = format!("{name} is masked: it runs now, and never again once it has ended");
            findings.push(warning(message, unmask(name)));
        } else if unit.file == "disabled" && unit.is_up() && !another_is_enabled {
            let message = format!("{name} runs but is not enabled: it does not come back with the machine");
            findings.push(warning(message, format!("sudo systemctl enable {name}")));
        }
    }
    let enabled: Vec<&str> = fetchers().filter(|u| u.is_enabled()).map(|u| u.name.as_str()).collect();
    if nothing_fetches && enabled.is_empty() {
        let masked: Vec<&str> = fetchers().filter(|u| u.is_masked()).map(|u| u.name.as_str()).collect();
        if let [first, ..] = masked.as_slice() {
            let are = if masked.len() == 1 { "is" } else { "are" };
            let message = format!("{} {are} masked, and nothing else is enabled: no new file is fetched", masked.join(" and "));
            findings.push(problem(message, unmask(first)));
        } else if worked && fetchers().next().is_some() {
            let but = if cron == Cron::GivesWay { " (the line of cron's does nothing where systemd runs)" } else { "" };
            let message = format!("nothing is enabled: no new file is fetched{but}");
            findings.push(problem(message, enable(TIMER)));
        }
    }
    if let [one, other, ..] = enabled.as_slice() {
        let message = format!("{one} and {other} are both enabled: one of them is enough");
        findings.push(warning(message, format!("sudo systemctl disable --now {TIMER}")));
    }
    findings
}

fn enable(name: &str) -> String {
    format!("sudo systemctl enable --now {name}")
}

fn unmask(name: &str) -> String {
    format!("sudo systemctl unmask {name}; {}", enable(name))
}

/// What makes cycles run on this machine, going by what is enabled.
pub fn starts_cycles() -> String {
    starts(&units(Path::new("/")).unwrap_or_default())
}

fn starts(units: &[Unit]) -> String {
    let enabled: Vec<&Unit> = units.iter().filter(|u| u.fetches() && u.is_enabled()).collect();
    match (enabled.iter().find(|u| u.is_up()), enabled.first()) {
        (Some(up), _) => format!("{} runs, so one should come within a minute: {} says what it met", up.name, up.journal()),
        (None, Some(down)) if down.is_started_anew() => format!("{} says why {} does not stay", down.journal(), down.name),
        (None, Some(down)) => format!("sudo systemctl start {}", down.name),
        (None, None) => enable(TIMER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name file active[/sub[/status]]`, one a line.
    fn machine(units: &str) -> Vec<Unit> {
        let of = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (active, sub) = words[2].split_once('/').unwrap_or((words[2], ""));
            let (sub, ended) = sub.split_once('/').unwrap_or((sub, "0"));
            let [name, load, file, active, sub] = [words[0], "loaded", words[1], active, sub].map(str::to_owned);
            Unit { name, load, file, active, sub, ended: ended.parse().expect("a status") }
        };
        units.lines().map(str::trim).filter(|l| !l.is_empty()).map(of).collect()
    }

    fn told(units: &str, cron: Cron, worked: bool) -> Vec<(String, String)> {
        judged(&machine(units), cron, worked, true).into_iter().map(|f| (f.message, f.fix.unwrap_or_default())).collect()
    }

    #[test]
    fn a_unit_that_should_run_and_does_not_is_named_with_the_command_that_starts_it() {
        for (units, says, fix) in [
            ("tecnico-agent.service enabled failed", "enabled but failed", "sudo systemctl start tecnico-agent.service"),
            (
                "tecnico-agent.service enabled inactive",
                "is enabled but inactive: no new file",
                "sudo systemctl start tecnico-agent.service",
            ),
            ("tecnico-watch.timer enabled inactive", "is enabled but inactive: no new file", "sudo systemctl start tecnico-watch.timer"),
            (
                "tecnico-agent.service masked inactive\ntecnico-watch.timer disabled inactive",
                "tecnico-agent.service is masked",
                "sudo systemctl unmask tecnico-agent.service; sudo systemctl enable --now tecnico-agent.service",
            ),
            (
                "tecnico-agent.service disabled inactive\ntecnico-watch.timer disabled inactive",
                "nothing is enabled: no new file is fetched",
                "sudo systemctl enable --now tecnico-watch.timer",
            ),
            (
                "tecnico-agent.service disabled active\ntecnico-watch.timer disabled inactive",
                "does not come back with the machine",
                "sudo systemctl enable tecnico-agent.service",
            ),
            (
                "tecnico-agent.service enabled activating/auto-restart",
                "again and again",
                "`journalctl -u tecnico-agent.service -n 20` says why",
            ),
            (
                "tecnico-watch.timer enabled active\ntecnico-watch.service static failed/failed/243",
                "systemd could not start tecnico-watch.service (status 243)",
                "`journalctl -u tecnico-watch.service -n 20` says why",
            ),
            (
                "tecnico-agent.service enabled activating/auto-restart/243",
                "systemd could not start tecnico-agent.service",
                "`journalctl -u tecnico-agent.service -n 20` says why",
            ),
            (
                "tecnico-watch.timer enabled active\ntecnico-serve.service enabled failed",
                "the HTTP API does not answer",
                "sudo systemctl start tecnico-serve.service",
            ),
        ] {
            let told = told(units, Cron::No, true);
            assert!(told.len() == 1 && told[0].0.contains(says) && told[0].1 == fix, "{units}: {told:#?}");
        }
    }

    #[test]
    fn what_an_admin_chose_is_no_trouble() {
        for units in [
            "tecnico-watch.timer enabled active\ntecnico-agent.service masked inactive\ntecnico-serve.service disabled inactive",
            // A cycle that ended with 1 is the work's to say.
            "tecnico-watch.timer enabled active\ntecnico-watch.service static failed/failed/1",
            "tecnico-watch.timer disabled inactive\ntecnico-agent.service enabled active\ntecnico-serve.service masked inactive",
            "tecnico-watch.timer enabled active\ntecnico-agent.service disabled active",
        ] {
            assert_eq!(told(units, Cron::No, true), [], "{units}");
        }
        let none = "tecnico-watch.timer disabled inactive\ntecnico-agent.service disabled inactive";
        assert_eq!(told(none, Cron::Yes, true), [], "cron does the work");
        assert_eq!(told(none, Cron::No, false), [], "nothing has run yet: that is the work's to say");
        assert_eq!((told("", Cron::No, true), told("tecnico-serve.service enabled active", Cron::No, true)), (vec![], vec![]));
        let ours = told(none, Cron::GivesWay, true);
        assert!(ours.len() == 1 && ours[0].0.contains("the line of cron's does nothing where systemd runs"), "{ours:?}");
        let both = told("tecnico-watch.timer enabled active\ntecnico-agent.service enabled active", Cron::No, true);
        assert!(both.len() == 1 && both[0].0.contains("both enabled"), "{both:?}");
    }

    #[test]
    fn an_api_without_a_key_is_given_one_before_it_is_started() {
        let found = judged(&machine("tecnico-serve.service enabled failed"), Cron::No, true, false).remove(0);
        assert!(found.message.ends_with("serve.api_key_file names no key, without which nothing is served"), "{}", found.message);
        let fix = found.fix.expect("a mend");
        assert!(
            fix.contains("name it in serve.api_key_file") && fix.ends_with("then `sudo systemctl start tecnico-serve.service`"),
            "{fix}"
        );
    }

    /// The line of the package does nothing where systemd runs; one of somebody's own does.
    #[test]
    fn a_line_of_crons_counts_where_it_does_something() {
        let root = tempfile::tempdir().expect("a root");
        assert_eq!(Cron::of(root.path()), Cron::No);
        std::fs::create_dir_all(root.path().join("etc/cron.d")).expect("made");
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/cron.d/tecnico");
        std::fs::copy(ours, root.path().join("etc/cron.d/tecnico")).expect("copied");
        assert_eq!(Cron::of(root.path()), Cron::GivesWay);
        std::fs::write(root.path().join("etc/crontab"), "# tecnico watch\n* * * * * tecnico tecnico --quiet watch\n").expect("written");
        assert_eq!(Cron::of(root.path()), Cron::Yes);
    }

    #[test]
    fn cycles_begin_with_what_is_enabled() {
        for (units, fix) in [
            ("", "sudo systemctl enable --now tecnico-watch.timer"),
            ("tecnico-agent.service enabled failed\ntecnico-watch.timer disabled inactive", "sudo systemctl start tecnico-agent.service"),
            ("tecnico-watch.timer enabled inactive", "sudo systemctl start tecnico-watch.timer"),
            (
                "tecnico-agent.service enabled activating/auto-restart",
                "`journalctl -u tecnico-agent.service -n 20` says why tecnico-agent.service does not stay",
            ),
            (
                "tecnico-watch.timer enabled active",
                "tecnico-watch.timer runs, so one should come within a minute: `journalctl -u tecnico-watch.service -n 20` says what it met",
            ),
        ] {
            assert_eq!(starts(&machine(units)), fix, "{units}");
        }
    }
}
