//! Asking a person, question by question; each answer is tried at once and asked for again where it does not work.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dialoguer::{Confirm, Input};

use super::answers::Answers;
use super::{keys_dir, service_user, tried};
use crate::context::Context;
use crate::error::{Exit, Failure};

/// The questions, in their order.
#[derive(Debug, Clone, Copy)]
enum Question {
    Key,
    Parent,
    BaseDir,
    Command,
    Backend,
}

impl Question {
    const ALL: [Self; 5] = [Self::Key, Self::Parent, Self::BaseDir, Self::Command, Self::Backend];

    fn prompt(self) -> &'static str {
        match self {
            Self::Key => "1/5  Key file of the service account (JSON)",
            Self::Parent => "2/5  Drive folder that is to hold the trees (its address or id)",
            Self::BaseDir => "3/5  Folder on this machine for the technicians' files",
            Self::Command => "4/5  Program that judges a file ({path} is filled in; empty: none, files are filed unread)",
            Self::Backend => "5/5  Address of the backend (empty: nobody is told)",
        }
    }

    /// What stands there to be changed or taken.
    fn suggestion(self, answers: &Answers) -> String {
        match self {
            Self::Key => answers.credentials.display().to_string(),
            Self::Parent => answers.parent_folder.clone(),
            Self::BaseDir => answers.base_dir.as_ref().map_or_else(|| "/srv/tecnicos".to_owned(), |p| p.display().to_string()),
            Self::Command => shlex::try_join(answers.command.iter().map(String::as_str)).unwrap_or_default().replace("'{path}'", "{path}"),
            Self::Backend => answers.backend_url.clone(),
        }
    }

    fn take(self, answers: &mut Answers, text: &str) -> Result<(), Failure> {
        match self {
            Self::Key => answers.credentials = PathBuf::from(text),
            Self::Parent => text.clone_into(&mut answers.parent_folder),
            Self::BaseDir => answers.base_dir = Some(PathBuf::from(text)).filter(|p| !p.as_os_str().is_empty()),
            Self::Command => {
                answers.command = shlex::split(text).ok_or_else(|| {
                    Failure::new(Exit::Data, "command_unfinished", "a quote or a backslash has no end")
                        .hint("quote words with blanks: judge '/my files/{path}'")
                })?;
            }
            Self::Backend => text.clone_into(&mut answers.backend_url),
        }
        Ok(())
    }

    /// Tries the answer out; gives what there is to say about one that works.
    async fn try_out(self, answers: &Answers, target: &Path) -> anyhow::Result<Option<String>> {
        Ok(match self {
            Self::Key => Some(format!("that is {}", tried::key(answers, target).await?)),
            Self::Parent => {
                let within = tried::parent(answers, target).await?;
                Some(
                    within.map_or_else(
                        || "it may write there".to_owned(),
                        |drive| format!("it may write there, in the shared drive {drive}"),
                    ),
                )
            }
            Self::BaseDir => tried::base_dir(answers, target).map(|_| None)?,
            Self::Command => tried::command(answers, target).map(|()| None)?,
            Self::Backend => tried::backend(answers, target).await?,
        })
    }
}

/// Asks for everything.
pub(super) async fn ask(mut answers: Answers, target: &Path, context: &Context) -> anyhow::Result<Answers> {
    if context.global.no_input || !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, "no_terminal", "there is nobody to ask")
            .hint("give the answers in a file: --answers FILE")
            .into());
    }
    let ui = &context.ui;
    ui.note(format!("Five questions; the answers go to {}. Ctrl-C changes nothing.", target.display()));
    for question in Question::ALL {
        loop {
            let text = input(question.prompt(), &question.suggestion(&answers))?;
            let tried = match question.take(&mut answers, text.trim()) {
                Ok(()) => question.try_out(&answers, target).await,
                Err(fault) => Err(fault.into()),
            };
            match tried {
                Ok(Some(said)) => ui.note(format!("     {said}")),
                Ok(None) => {}
                Err(fault) => {
                    complain(&fault, context);
                    continue;
                }
            }
            break;
        }
    }
    let key = keys_dir(target).join("segredo.key");
    if !key.exists() {
        answers.portal_key = confirm(&format!("Make a key for portal passwords, {}?", key.display()))?;
    }
    if service_user::is_missing(target) {
        answers.service_user = confirm("Make the user tecnico, who runs the services and owns the ledger and the folders?")?;
    }
    Ok(answers)
}

fn input(prompt: &str, suggestion: &str) -> anyhow::Result<String> {
    let mut input = Input::<String>::new().with_prompt(prompt).allow_empty(true);
    if !suggestion.is_empty() {
        input = input.with_initial_text(suggestion);
    }
    input.interact_text().context("no answer came")
}

fn confirm(prompt: &str) -> anyhow::Result<bool> {
    Confirm::new().with_prompt(prompt).default(true).interact().context("no answer came")
}

fn complain(fault: &anyhow::Error, context: &Context) {
    context.ui.warn(format!("     {} {fault}", context.ui.bad("no:")));
    if let Some(hint) = crate::verdict::advice(fault).hint {
        context.ui.warn(format!("     fix: {hint}"));
    }
}
