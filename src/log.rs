//! Logs: text on a terminal, JSON elsewhere; never a token.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts logging to stderr. `verbose` 0 shows warnings, 1 what is done, 2 every Drive call.
pub fn start(verbose: u8, json: bool) {
    let level = match verbose {
        0 => "warn",
        1 => "warn,tecnico=info",
        _ => "warn,tecnico=debug",
    };
    // yup_oauth2 prints signed assertions and tokens at debug (DEPENDENCIES 1.8): capped whatever is asked for.
    let filter = EnvFilter::new(format!("{level},yup_oauth2=off,hyper=warn"));
    let logger = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start in one process (tests) keeps the first.
    let _ = if json || !std::io::stderr().is_terminal() {
        logger.json().flatten_event(true).try_init()
    } else {
        logger.without_time().try_init()
    };
}
