//! What systemd wants to hear of a service of type `notify`: that it is up, that it lives, what it does. Elsewhere silence.

use std::fmt::Display;

use sd_notify::{NotifyState, notify, watchdog_enabled};

/// This process as a service of systemd's; outside of one, nothing it says is heard.
pub(super) struct Service {
    heart: Option<tokio::task::JoinHandle<()>>,
}

impl Service {
    /// Says that everything is open and the work begins, and lets the heart beat where the unit has a `WatchdogSec=`.
    pub(super) fn up(doing: &str) -> Self {
        // Nobody listening is no fault: services also run in terminals.
        let _ = notify(&[NotifyState::Ready, NotifyState::Status(doing)]);
        let heart = watchdog_enabled().map(|limit| {
            // A task of its own: a long file is no reason to be killed, a runtime that hangs is.
            tokio::spawn(async move {
                let mut beat = tokio::time::interval(limit / 2);
                loop {
                    beat.tick().await;
                    let _ = notify(&[NotifyState::Watchdog]);
                }
            })
        });
        Self { heart }
    }

    /// The line that `systemctl status` shows.
    pub(super) fn status(line: impl Display) {
        // What follows a line end would be another message; a status may quote a file's name.
        let line = line.to_string().replace(char::is_control, " ");
        let _ = notify(&[NotifyState::Status(&line)]);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(heart) = &self.heart {
            heart.abort();
        }
        let _ = notify(&[NotifyState::Stopping]);
    }
}
