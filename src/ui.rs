//! The one home of printing: results on stdout, words to people on stderr, nothing moving off a terminal.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::document::{Document, Named};
use crate::log::{Priority, is_journal, json_line, lines_are_json};

/// How a command that a person is to type begins.
const COMMAND: &str = "tecnico ";

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How this run speaks.
#[derive(Debug, Clone)]
pub struct Ui {
    json: bool,
    quiet: bool,
    color: bool,
    progress: bool,
    /// What stands before a command that somebody is to type: `sudo -u tecnico `.
    before: String,
    /// The flags that it has to repeat to mean the same technicians: `--sandbox DIR `.
    same: String,
}

impl Ui {
    /// From the global flags and where stdout and stderr lead.
    pub fn new(json: bool, quiet: bool, color: Color, no_progress: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        Self { json, quiet, color, progress: terminal && !json && !quiet && !no_progress, before: String::new(), same: String::new() }
    }

    /// The same, where commands that it has somebody type begin like this; a blank ends it.
    #[must_use]
    pub fn beginning(self, before: String) -> Self {
        Self { before, ..self }
    }

    /// The same, where they repeat these flags; a blank ends them.
    #[must_use]
    pub fn repeating(self, same: String) -> Self {
        Self { same, ..self }
    }

    /// What mends something, its commands as they have to be typed here.
    pub fn mend(&self, hint: &str) -> String {
        // Those that follow name where they work themselves.
        let elsewhere = |after: &str| ["--sandbox ", "--config ", "sandbox ", "demo", "init"].iter().any(|word| after.starts_with(word));
        let is_sudo = |before: &str| before.trim_end().rsplit(' ').nth(1) == Some("-u");
        let mut typed = String::with_capacity(hint.len());
        let mut rest = hint;
        while let Some(at) = rest.find(COMMAND) {
            let (before, after) = (&rest[..at], &rest[at + COMMAND.len()..]);
            typed.push_str(before);
            let begins = typed.is_empty() || typed.ends_with('`');
            let is_ours = (begins || is_sudo(&typed)) && !elsewhere(after);
            typed.push_str(if is_ours && begins { &self.before } else { "" });
            typed.push_str(COMMAND);
            typed.push_str(if is_ours { &self.same } else { "" });
            rest = after;
        }
        typed + rest
    }

    /// Whether the result is to be one JSON document.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One JSON document (or, for streams, one line of many).
    pub fn json(&self, document: &impl Document) {
        if let Ok(text) = serde_json::to_string(&Named::from(document)) {
            result_line(&text);
        }
    }

    /// A line of the result, for people; nothing with `--json`.
    pub fn say(&self, line: impl Display) {
        if !self.json {
            result_line(&line.to_string());
        }
    }

    /// A word to the person at the terminal; nothing with `--quiet`.
    pub fn note(&self, line: impl Display) {
        if !self.quiet {
            word(Priority::Notice, &line.to_string());
        }
    }

    /// A word that must reach somebody, `--quiet` or not.
    pub fn warn(&self, line: impl Display) {
        word(Priority::Error, &line.to_string());
    }

    /// What failed, why, and what mends it, whether with `--quiet` or not: lines for people, one object where each line is one.
    pub fn failure(&self, code: &str, message: &str, causes: &[String], hint: Option<&str>) {
        if lines_are_json() {
            return json_line("ERROR", message, &[("code", Some(code)), ("hint", hint), ("causes", Some(causes.join("; ").as_str()))]);
        }
        self.warn(format!("{} {message}", self.bad("error:")));
        for cause in causes {
            self.warn(format!("  because: {cause}"));
        }
        if let Some(hint) = hint {
            self.warn(format!("  fix: {}", self.mend(hint)));
        }
    }

    /// Asks the person at the terminal, who edits the line there. `None` where nothing more comes.
    pub fn ask(&self, question: impl Display) -> std::io::Result<Option<String>> {
        let mut stderr = std::io::stderr();
        write!(stderr, "{question}: ")?;
        stderr.flush()?;
        let mut line = String::new();
        Ok((std::io::stdin().read_line(&mut line)? > 0).then_some(line))
    }

    /// A table for people.
    pub fn table<const N: usize>(&self, header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if self.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(header.map(|h| Cell::new(h).add_attribute(Attribute::Bold)));
        for row in rows {
            table.add_row(row);
        }
        // Blanks to the right alone: those before a bold header stand inside its colours, where they cannot be cut off.
        table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 2)));
        for line in table.to_string().lines() {
            self.say(line.trim_end());
        }
    }

    /// Bold, where colours are on.
    pub fn bold(&self, text: impl Display) -> String {
        self.paint("1", text)
    }

    /// Green: as wanted.
    pub fn good(&self, text: impl Display) -> String {
        self.paint("32", text)
    }

    /// Red: needs somebody.
    pub fn bad(&self, text: impl Display) -> String {
        self.paint("31", text)
    }

    /// Dim: by the way.
    pub fn dim(&self, text: impl Display) -> String {
        self.paint("2", text)
    }

    fn paint(&self, code: &str, text: impl Display) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    /// A bar that shows itself when the work takes over a second, on a terminal only.
    pub fn progress(&self, len: u64, what: &str) -> ProgressBar {
        if !self.progress {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(len), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}  {per_sec}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_secs(1));
        bar
    }
}

/// Whether some output was lost: the disk behind stdout is full, or nobody opened it.
static LOST: AtomicBool = AtomicBool::new(false);

/// Whether a part of the result did not reach whoever asked for it.
pub fn output_was_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// A closed pipe (`tecnico list | head`) is no fault of ours; anything else is remembered.
fn result_line(line: &str) {
    if writeln!(std::io::stdout(), "{line}").is_err_and(|e| e.kind() != ErrorKind::BrokenPipe) {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// A word that cannot be said (a full disk behind stderr, a journal that is gone) stops nothing.
fn word(priority: Priority, text: &str) {
    if lines_are_json() {
        let level = if priority == Priority::Error { "ERROR" } else { "INFO" };
        return json_line(level, text, &[]);
    }
    let text = if is_journal() { priority.mark(text) } else { format!("{text}\n") };
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_a_hint_means_the_same_place_as_the_one_that_failed() {
        let plain = Ui::new(false, false, Color::Never, true);
        let ui = plain.clone().repeating("--config '/srv/a b.toml' ".into());
        let hint = "`tecnico check 42 --repair`, or `sudo -u tecnico tecnico status`; tecnico goes on; `systemctl stop tecnico-agent`";
        assert_eq!(plain.mend(hint), hint);
        assert_eq!(
            ui.mend(hint),
            "`tecnico --config '/srv/a b.toml' check 42 --repair`, or `sudo -u tecnico tecnico --config '/srv/a b.toml' status`; tecnico \
             goes on; `systemctl stop tecnico-agent`"
        );
        let ui = plain.repeating("--sandbox sb ".into());
        assert_eq!(ui.mend("tecnico list"), "tecnico --sandbox sb list");
        let ui = ui.beginning("sudo -u tecnico ".into());
        assert_eq!(
            ui.mend("`tecnico list`, `sudo -u tecnico tecnico list`"),
            "`sudo -u tecnico tecnico --sandbox sb list`, `sudo -u tecnico tecnico --sandbox sb list`"
        );
        for whole in ["`tecnico --sandbox x watch`", "`tecnico demo DIR`", "`sudo tecnico init`"] {
            assert_eq!(ui.mend(whole), whole);
        }
    }
}
