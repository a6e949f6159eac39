//! The backend: reachable, and our signature accepted.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Finding, Findings};
use crate::callback::payload::{Task, process_done};
use crate::callback::{Answer, Client, Delivery, address, make_command};
use crate::config::places;
use crate::config::settings::CallbackSettings;
use crate::domain::clock;
use crate::error::Failure;

/// Sends a report of a run without files, as the task `ping`, which no backend has. `config` is the file the settings come
/// from: a key that is missing belongs beside it.
pub async fn ping(settings: &CallbackSettings, config: &Path) -> Result<Findings, Failure> {
    // A key that cannot be used stops every cycle, whether or not there is a backend.
    let client = Client::new(settings)?;
    let Some(url) = address::of_backend(settings, "process") else {
        return Ok(vec![Finding::good("backend", "no backend is told (callback.url is empty)")]);
    };
    let payload = process_done(Task { user_id: "", job_id: "ping", name: "" }, &[]);
    let id = format!("ping-{}", Uuid::now_v7());
    let answer = client.deliver(Delivery { id: &id, url: url.as_str(), payload: &payload }, clock::now()).await;
    let mut findings = vec![match answer {
        Answer::Delivered { status } => Finding::good("backend", format!("the backend took a ping ({status})")),
        Answer::Failed { error, .. } | Answer::Gone { error } => Finding::problem(
            "backend",
            format!("the backend did not take a ping: {error}"),
            "compare callback.url and callback.secret_file with the backend's; it has to answer 2xx to the task \"ping\" as well",
        ),
    }];
    if settings.secret_file.is_none() {
        let file = place_of_key(config);
        findings.push(Finding::warning(
            "backend",
            "callbacks are not signed: the backend cannot tell ours from others",
            format!(
                "in the config, under [callback]: secret_file = {:?}; make a key there and give it to the backend too:\n    {}",
                file.display().to_string(),
                make_command(&file)
            ),
        ));
    }
    Ok(findings)
}

/// Where a key belongs that signs callbacks: with the other keys, where there is a folder for them.
fn place_of_key(config: &Path) -> PathBuf {
    let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
    let file = places::callback_key(&config);
    if places::keys_dir(&config).is_dir() { file } else { config.with_file_name(file.file_name().unwrap_or_default()) }
}
