//! Logs: text on a terminal and in the journal, JSON elsewhere; never a token, and never a reason to end.
//!
//! A command that does one thing speaks to a person also through a pipe: what it warns of without being asked for its log is
//! text there, like its errors. A service speaks to whoever keeps its log: every line is an object, its errors too.

mod json;

pub use json::line as json_line;

use std::io::{IsTerminal, Stderr, Write};
use std::sync::OnceLock;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// What the journal keeps without being asked: each step of each file and each job, so that a search for an id gives its
/// whole story. Nothing of a cycle that found nothing to do, nor of each HTTP request.
const STORY: &str = "warn,tecnico::agent=info,tecnico::api::jobs=info,tecnico::api::work=info";

/// What a person is shown who runs one command without asking for its log: what its report says at the end is said there.
const PERSONS: &str = "warn,tecnico::agent::said_at_the_end=off";

/// Whether what is said to people goes into lines of JSON as well.
static WORDS_ARE_JSON: OnceLock<bool> = OnceLock::new();

/// Whether every line on stderr is a JSON object: a service whose log somebody keeps.
pub fn lines_are_json() -> bool {
    WORDS_ARE_JSON.get().copied().unwrap_or_default()
}

/// Starts logging to stderr. `verbose` 0 shows warnings, and in the journal each step; 1 what is done, 2 every Drive call.
/// `quiet`: only what made it fail, for cron. `stays`: it is a service.
pub fn start(verbose: u8, quiet: bool, json: bool, stays: bool) {
    let elsewhere = !is_journal() && !std::io::stderr().is_terminal();
    // A second start in one process (tests) keeps the first.
    let _ = WORDS_ARE_JSON.set(stays && elsewhere);
    let level = match verbose {
        0 if is_journal() => STORY,
        0 if stays => "warn",
        0 if quiet => "error",
        0 => PERSONS,
        1 => "warn,tecnico=info",
        _ => "warn,tecnico=debug",
    };
    // yup_oauth2 prints signed assertions and tokens at debug (DEPENDENCIES 1.8): capped whatever is asked for.
    // That a connection was waited for is no news on a slow machine; what fails is told by the ledger.
    let filter = EnvFilter::new(format!("{level},yup_oauth2=off,hyper=warn,sqlx=off"));
    let lines = tracing_subscriber::registry().with(filter);
    // A stderr that takes nothing (a full disk) loses lines; told about it, the library would panic on that same stderr.
    let text = || fmt::layer().with_target(false).without_time().log_internal_errors(false);
    let _ = if is_journal() {
        lines.with(text().with_level(false).with_ansi(false).with_writer(Journal)).try_init()
    } else if json || (elsewhere && (stays || verbose > 0)) {
        lines.with(json::Json).try_init()
    } else {
        lines.with(text().with_ansi(!elsewhere).with_writer(std::io::stderr)).try_init()
    };
}

/// Whether stderr is a stream into systemd's journal (systemd.exec(5), `$JOURNAL_STREAM`).
pub fn is_journal() -> bool {
    static IS: OnceLock<bool> = OnceLock::new();
    *IS.get_or_init(|| {
        let Some(named) = std::env::var("JOURNAL_STREAM").ok() else { return false };
        // A program that sent stderr elsewhere leaves the name behind.
        rustix::fs::fstat(std::io::stderr()).is_ok_and(|stat| named == format!("{}:{}", stat.st_dev, stat.st_ino))
    })
}

/// How the journal is told the weight of a line (sd-daemon(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Something failed.
    Error = 3,
    /// Something is not as it should be.
    Warning = 4,
    /// Worth a word.
    Notice = 5,
    /// What was done.
    Info = 6,
    /// Every call.
    Debug = 7,
}

impl Priority {
    fn of(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warning,
            Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }

    /// The text as the journal wants it: every line by itself.
    pub fn mark(self, text: &str) -> String {
        text.lines().fold(String::new(), |marked, line| marked + &format!("<{}>{line}\n", self as u8))
    }
}

/// The journal behind stderr.
struct Journal;

struct Line(Stderr, Priority);

impl<'a> MakeWriter<'a> for Journal {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(std::io::stderr(), Priority::Info)
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line(std::io::stderr(), Priority::of(*meta.level()))
    }
}

impl Write for Line {
    /// A whole event at once.
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(self.1.mark(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
