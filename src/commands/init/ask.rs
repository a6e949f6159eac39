//! Asking a person, question by question; each answer is tried at once and asked for again where it does not work.
//!
//! Lines are read as the terminal gives them: it edits them (Ctrl-U, Ctrl-W), and Ctrl-C leaves it as it was.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::answers::{Answers, folder};
use super::{sets_up_the_machine, tried};
use crate::config::owner::of_the_package;
use crate::config::places::{callback_key, portal_key};
use crate::context::Context;
use crate::error::{Exit, Failure};
use crate::ui::Ui;

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
            Self::BaseDir => "3/5  Folder on this machine for the technicians' files [/srv/tecnicos]",
            Self::Command => "4/5  Program that judges a file ({path} is filled in; empty: none, files are filed unread)",
            Self::Backend => "5/5  Address of the backend (empty: nobody is told)",
        }
    }

    fn take(self, answers: &mut Answers, text: &str) -> Result<(), Failure> {
        match self {
            Self::Key => answers.credentials = PathBuf::from(text),
            Self::Parent => text.clone_into(&mut answers.parent_folder),
            // Nothing said is the default of the settings, which the prompt shows.
            Self::BaseDir if text.is_empty() => answers.base_dir = None,
            Self::BaseDir => answers.base_dir = Some(folder(Path::new(text))?),
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
            Self::Parent => Some(
                tried::parent(answers, target)
                    .await?
                    .shared_drive
                    .map_or_else(|| "it may write there".to_owned(), |drive| format!("it may write there, in the shared drive {drive}")),
            ),
            Self::BaseDir => tried::base_dir(answers, target).map(|_| None)?,
            Self::Command => tried::command(answers, target).map(|()| None)?,
            Self::Backend => tried::backend(answers, target).await?,
        })
    }
}

/// Asks for everything.
pub(super) async fn ask(mut answers: Answers, target: &Path, context: &Context) -> anyhow::Result<Answers> {
    if context.global.no_input || !std::io::stdin().is_terminal() {
        return Err(no_answer("there is nobody to ask").into());
    }
    let ui = &context.ui;
    ui.note(format!("Five questions; the answers go to {}. Ctrl-C changes nothing.", target.display()));
    for question in Question::ALL {
        loop {
            let text = input(question.prompt(), ui)?;
            // An answer that does not do leaves nothing behind.
            let mut with = answers.clone();
            let tried = match question.take(&mut with, text.trim()) {
                Ok(()) => question.try_out(&with, target).await,
                Err(fault) => Err(fault.into()),
            };
            match tried {
                Ok(said) => {
                    if let Some(said) = said {
                        ui.note(format!("     {said}"));
                    }
                    answers = with;
                    break;
                }
                Err(fault) => complain(&fault, context),
            }
        }
    }
    let shown = |key: PathBuf| key.display().to_string();
    if !portal_key(target).exists() {
        answers.portal_key = confirm(&format!("Make a key for portal passwords, {}?", shown(portal_key(target))), ui)?;
    }
    if !answers.backend_url.is_empty() && !callback_key(target).exists() {
        answers.callback_key = confirm(&format!("Make a key that signs what the backend is told, {}?", shown(callback_key(target))), ui)?;
    }
    if sets_up_the_machine(target) && of_the_package().is_none() {
        answers.service_user = confirm("Make the user tecnico, who runs the services and owns the ledger and the folders?", ui)?;
    }
    Ok(answers)
}

fn input(prompt: &str, ui: &Ui) -> Result<String, Failure> {
    let answer = ui.ask(prompt).map_err(|e| no_answer("no answer came").because(e))?;
    answer.ok_or_else(|| {
        // Ctrl-D leaves the cursor behind the question.
        ui.warn("");
        no_answer("no answer came")
    })
}

fn confirm(prompt: &str, ui: &Ui) -> Result<bool, Failure> {
    loop {
        match input(&format!("{prompt} [Y/n]"), ui)?.trim().to_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ => {}
        }
    }
}

fn no_answer(why: &str) -> Failure {
    Failure::new(Exit::Usage, "no_terminal", why).hint("give the answers in a file: --answers FILE")
}

fn complain(fault: &anyhow::Error, context: &Context) {
    context.ui.warn(format!("     {} {fault}", context.ui.bad("no:")));
    if let Some(hint) = crate::verdict::advice(fault).hint {
        context.ui.warn(format!("     fix: {hint}"));
    }
}
