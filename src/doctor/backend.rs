//! The backend: reachable, and our signature accepted.

use std::path::Path;

use uuid::Uuid;

use super::{Finding, Findings};
use crate::callback::payload::{Task, process_done};
use crate::callback::{Answer, Client, Delivery, address, make_command};
use crate::config::settings::CallbackSettings;
use crate::domain::clock;
use crate::error::Failure;

/// Sends a report of a run without files, as the task `ping`, which no backend has.
pub async fn ping(settings: &CallbackSettings) -> Result<Findings, Failure> {
    let Some(url) = address::of_backend(settings, "process") else {
        return Ok(vec![Finding::good("backend", "no backend is told (callback.url is empty)")]);
    };
    let client = Client::new(settings)?;
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
        let file = Path::new("/etc/tecnico/keys/callback.secret");
        findings.push(Finding::warning(
            "backend",
            "callbacks are not signed: the backend cannot tell ours from others",
            format!("name a file in callback.secret_file, make a key in it, and give that to the backend too: {}", make_command(file)),
        ));
    }
    Ok(findings)
}
