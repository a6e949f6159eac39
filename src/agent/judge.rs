//! Judge: the configured program says what becomes of a file.
//!
//! A crash between the program's end and the record of its verdict makes it run again for the same item: at least once.
//! `TECNICO_ITEM_ID` is the same each time, so it can know.

use tokio::process::Command;

use super::blocking;
use super::cycle::Cycle;
use super::homes::Home;
use super::program::{self, Told};
use super::run_command::{Ended, How, run};
use super::setback::{Setback, after_later};
use crate::domain::item::{Act, Item, Verdict};
use crate::domain::text::visible;
use crate::error::{Exit, Failure};

/// What a program answers when it wants to be asked again (the `EX_TEMPFAIL` of sysexits).
pub(super) const LATER: i32 = 75;
/// How often a program that a signal ends is tried on one file.
const SIGNALS: u32 = 3;
/// The longest reason, in characters: it is shown beside the file in Drive.
const REASON_CHARS: usize = 500;
/// The longest `data`, in bytes (docs/callbacks.md).
const DATA_BYTES: usize = 32 * 1024;

impl Cycle<'_> {
    /// From fetched to judged, or to a wait. Gives the item as it is then.
    pub(super) async fn judge(&self, home: &Home, item: &Item) -> Result<Item, Setback> {
        let path = item.local_path.clone().unwrap_or_default();
        let (tree, at) = (home.tree.clone(), path.clone());
        if path.is_empty() || blocking(move || tree.file(&at)).await?.is_none() {
            let act = Act::Refetch { reason: "the local copy is gone".into() };
            return Ok(self.agent.ledger.advance(item, &act, None, self.now()).await?);
        }
        let settings = &self.agent.settings.process;
        let act = match settings.command.as_slice() {
            [] => Act::Judged { verdict: Verdict::Processado, reason: None, data: None, note: None, local_path: None },
            [program, arguments @ ..] => {
                let _place = self.shared.judging.acquire().await;
                tracing::info!(attempt = item.attempt, program, "judging");
                let ended = run(command(home, item, &path, program, arguments), settings.timeout)
                    .await
                    .map_err(|e| not_started(program, home, &e))?;
                self.verdict(item, &ended)
            }
        };
        match &act {
            Act::Wait { until, reason, .. } | Act::Interrupted { until, reason } => self.waits(item, *until, reason),
            Act::Judged { verdict, reason, .. } => {
                let verdict = if *verdict == Verdict::Processado { "processado" } else { "erro" };
                tracing::info!(verdict, reason = reason.as_deref().map(|r| display(visible(r))), "judged");
            }
            _ => {}
        }
        Ok(self.agent.ledger.advance(item, &act, None, self.now()).await?)
    }

    fn verdict(&self, item: &Item, ended: &Ended) -> Act {
        let (data, note) = match last_json(&ended.stdout) {
            Ok(data) => (data, None),
            Err(why) => {
                tracing::warn!("the processor's data is dropped: {why}");
                (None, Some(format!("its data was dropped: {why}")))
            }
        };
        let refused = |reason: String| Act::Judged {
            verdict: Verdict::Erro,
            reason: Some(reason),
            data: data.clone(),
            note: note.clone(),
            local_path: None,
        };
        let later = |reason: String| Act::Wait { until: after_later(self.now(), item.waits), reason, setback: None };
        match ended.how {
            How::Exit(0) => Act::Judged { verdict: Verdict::Processado, reason: None, data, note, local_path: None },
            How::Exit(LATER) => later(format!("o processador pediu para tentar mais tarde{}", after_colon(&ended.stderr))),
            How::Exit(code) => {
                let said = reason(&ended.stderr);
                refused(if said.is_empty() { format!("o processador recusou o arquivo (código {code})") } else { said })
            }
            How::OutOfTime => refused(format!(
                "tempo esgotado: o processador não terminou em {} s{}",
                self.agent.settings.process.timeout.as_secs_f32(),
                after_colon(&ended.stderr)
            )),
            // Somebody is ending tecnico, and it with it: that says nothing of the file.
            How::Signal(signal) if self.plan.stop.is_cancelled() => later(format!("o processador foi interrompido pelo sinal {signal}")),
            How::Signal(signal) if item.interruptions + 1 < SIGNALS => Act::Interrupted {
                until: after_later(self.now(), item.waits),
                reason: format!("o processador foi interrompido pelo sinal {signal}"),
            },
            How::Signal(signal) => refused(format!("o processador foi interrompido pelo sinal {signal}, {SIGNALS} vezes")),
        }
    }
}

/// The configured program, on this item.
fn command(home: &Home, item: &Item, path: &str, program: &str, arguments: &[String]) -> Command {
    let path = home.tree.path_of(path).display().to_string();
    let (user, file_id) = (item.sighted.user.as_str(), item.sighted.key.file_id.as_str());
    let told = Told { path: &path, user, file_id, item_id: &item.id, attempt: item.attempt };
    program::command(program, arguments, &told, &home.tree.path())
}

/// The program cannot be run, or the folder it would run in is gone: the file waits, and the cycle says so.
fn not_started(program: &str, home: &Home, error: &std::io::Error) -> Failure {
    if !home.tree.path().is_dir() {
        return Failure::new(Exit::CannotCreate, "local_folder_missing", format!("{} does not exist", home.tree.path().display()))
            .hint("run `tecnico check --repair`");
    }
    program::not_started(program, error)
}

/// The last line with something in it, where it is a JSON object or array of a size to be passed on. Fails with why what looks
/// like one, or is another JSON value, is dropped.
pub(super) fn last_json(stdout: &str) -> Result<Option<String>, String> {
    let Some(line) = stdout.lines().rev().find(|l| !l.trim().is_empty()).map(str::trim) else { return Ok(None) };
    // Only the end of a very long line is known.
    let is_meant = line.starts_with(['{', '[']) || line.ends_with(['}', ']']);
    if line.len() > DATA_BYTES {
        let why = format!("the last line of its output is longer than {DATA_BYTES} bytes");
        return if is_meant { Err(why) } else { Ok(None) };
    }
    match serde_json::from_str::<serde_json::Value>(line) {
        Ok(value) if value.is_object() || value.is_array() => Ok(Some(value.to_string())),
        Ok(_) => Err("the last line of its output is JSON, but neither an object nor an array".to_owned()),
        Err(_) if line.starts_with(['{', '[']) && line.ends_with(['}', ']']) => {
            Err("the last line of its output is no valid JSON".to_owned())
        }
        Err(_) => Ok(None),
    }
}

/// The end of what it complained, as one line of printable text.
pub(super) fn reason(stderr: &str) -> String {
    let plain: String = stderr.chars().map(|c| if crate::domain::technician::is_unprintable(c) { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let over = words.chars().count().saturating_sub(REASON_CHARS);
    let end: String = words.chars().skip(over).collect();
    if over > 0 { format!("…{end}") } else { end }
}

fn after_colon(stderr: &str) -> String {
    let said = reason(stderr);
    if said.is_empty() { said } else { format!(": {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_data_only_where_it_is_an_object_or_array() {
        assert_eq!(last_json("lendo\n{\"os\": 16517189}\n\n"), Ok(Some(r#"{"os":16517189}"#.to_owned())));
        assert_eq!(last_json("[1]"), Ok(Some("[1]".to_owned())));
        for chatter in ["", "{\"os\": 1}\npronto", "{\"os\":", &"x".repeat(DATA_BYTES + 1)] {
            assert_eq!(last_json(chatter), Ok(None), "{chatter:?}");
        }
        let fitting = format!("{{\"a\":\"{}\"}}", "x".repeat(DATA_BYTES - 8));
        assert_eq!(last_json(&fitting), Ok(Some(fitting.clone())));
        let long = fitting.replace("xx", "xxx");
        for dropped in ["42", "\"x\"", "{\"os\": 1,}", &long, &long[100..]] {
            assert!(last_json(dropped).is_err(), "{dropped:?}");
        }
    }

    #[test]
    fn the_reason_is_the_end_of_stderr_in_one_printable_line() {
        assert_eq!(reason("aviso\n\u{1b}[31mnúmero de OS\r\n inválido\n"), "aviso [31mnúmero de OS inválido");
        let long = reason(&"é".repeat(600));
        assert!(long.starts_with('…') && long.chars().count() == REASON_CHARS + 1);
        assert_eq!(after_colon(" \n"), "");
    }
}
