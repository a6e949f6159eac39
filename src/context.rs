//! What a command works with: the settings, and the adapters opened once, when first asked for.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::sync::OnceCell;

use crate::agent::Agent;
use crate::callback::Client;
use crate::config::owner::{self, Person};
use crate::config::{self, Flags, Settings};
use crate::domain::clock;
use crate::domain::reach::Reach;
use crate::domain::text::shell_path;
use crate::drive::Drive;
use crate::embedded::Embedded;
use crate::error::{Exit, Failure};
use crate::fs_layout::{Base, base_empty, base_missing};
use crate::ledger::{self, Draft, Ledger};
use crate::provision::Provisioner;
use crate::ui::{Color, Ui};

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration file [default: the first of $TECNICO_CONFIG, $XDG_CONFIG_HOME/tecnico/config.toml, /etc/tecnico/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Use an embedded Drive kept in DIR, with everything else, instead of Google's; settings from --config or DIR/config.toml
    #[arg(long, global = true, value_name = "DIR")]
    pub sandbox: Option<PathBuf>,
    /// Where the technicians' folders lie on the VM (also VM_BASE_FOLDER)
    #[arg(long, global = true, value_name = "DIR")]
    pub base_dir: Option<PathBuf>,
    /// The credentials file (also GOOGLE_APPLICATION_CREDENTIALS)
    #[arg(long, global = true, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Print the result as one JSON document (streams: one a line); errors too
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing on stderr but what must be heard
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Log more: -v what is done, -vv every Drive call
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    pub color: Color,
    /// Show no progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Never ask; fail where an answer would be needed
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Touch and name only user ids that begin so: what `ssh-gate --user-prefix` tells the command behind it. It stands before
    /// the command, where no caller of the gate has a word
    #[arg(long, hide = true, value_name = "PREFIX")]
    pub within: Option<String>,
}

impl Global {
    /// What stands before a command that somebody is to type; programs type none.
    pub fn before(&self) -> String {
        if self.json { String::new() } else { owner::before_commands() }
    }

    /// The flags that another command has to repeat to mean the same technicians.
    pub fn same(&self) -> String {
        let places = [("--config", &self.config), ("--sandbox", &self.sandbox)];
        places.iter().filter_map(|(flag, path)| Some(format!("{flag} {} ", shell_path(path.as_ref()?)))).collect()
    }
}

/// One run's settings and adapters.
pub struct Context {
    /// How this run speaks.
    pub ui: Ui,
    /// The global flags.
    pub global: Global,
    reach: Reach,
    begins_sandbox: bool,
    settings: OnceCell<Settings>,
    ledger: OnceCell<Ledger>,
    drive: OnceCell<Drive>,
    base: OnceCell<Base>,
    embedded: OnceCell<Embedded>,
}

impl Context {
    /// Opens nothing yet: `demo` and `config --example` need no configuration. Where `--sandbox` names none that is there,
    /// a command that `begins_sandbox` makes it; any other must not.
    pub fn new(ui: Ui, global: Global, begins_sandbox: bool) -> Self {
        Self {
            ui,
            reach: Reach::within(global.within.as_deref()),
            global,
            begins_sandbox,
            settings: OnceCell::new(),
            ledger: OnceCell::new(),
            drive: OnceCell::new(),
            base: OnceCell::new(),
            embedded: OnceCell::new(),
        }
    }

    /// The settings in force; with `--sandbox`, those of its embedded Drive, started here.
    pub async fn settings(&self) -> anyhow::Result<&Settings> {
        self.settings.get_or_try_init(|| self.read_settings()).await
    }

    async fn read_settings(&self) -> anyhow::Result<Settings> {
        let Some(dir) = &self.global.sandbox else {
            return Ok(config::resolve(&self.flags(), &environment)?);
        };
        let embedded = self.embedded.get_or_try_init(|| Embedded::open(dir, 0, self.begins_sandbox)).await?;
        Ok(config::resolve_sandbox(&self.flags(), &embedded.sandbox())?)
    }

    fn flags(&self) -> Flags {
        let global = &self.global;
        Flags { config: global.config.clone(), base_dir: global.base_dir.clone(), credentials: global.credentials.clone() }
    }

    /// The file the settings come from.
    pub fn config_path(&self) -> Option<PathBuf> {
        match &self.global.sandbox {
            Some(dir) => Some(self.global.config.clone().unwrap_or_else(|| dir.join("config.toml"))),
            None => config::path(&self.flags(), &environment).ok(),
        }
    }

    /// The ledger, made where there is none yet. Fails with `ledger_missing` (65) where one is lost.
    pub async fn ledger(&self) -> anyhow::Result<&Ledger> {
        not_lost(self.settings().await?)?;
        self.first_ledger().await
    }

    /// The ledger, made where there is none whatever `tecnicos.json` says: for those who take over what stands there.
    pub async fn first_ledger(&self) -> anyhow::Result<&Ledger> {
        let settings = self.settings().await?;
        self.ledger.get_or_try_init(|| async { Ok(Ledger::open(&settings.ledger_path).await?) }).await
    }

    /// The ledger, which is not made: looking at one that is not there would say that it is whole.
    pub async fn standing_ledger(&self) -> anyhow::Result<&Ledger> {
        let settings = self.settings().await?;
        not_lost(settings)?;
        if ledger::is_missing(&settings.ledger_path) {
            return Err(ledger::none_yet(&settings.ledger_path).into());
        }
        self.first_ledger().await
    }

    /// A copy of what the ledger knows of the technicians, for saying what would be; where there is no ledger, none is made.
    pub async fn sketch(&self) -> anyhow::Result<Draft> {
        let settings = self.settings().await?;
        not_lost(settings)?;
        if ledger::is_missing(&settings.ledger_path) {
            return Ok(Draft::for_looking().await?);
        }
        Ok(self.first_ledger().await?.sketch().await?)
    }

    /// Drive, as the configured account. No call is made yet.
    pub async fn drive(&self) -> anyhow::Result<&Drive> {
        let settings = self.settings().await?;
        self.drive.get_or_try_init(|| async { Ok(Drive::connect(&settings.drive, &settings.cache_dir).await?) }).await
    }

    /// The VM's base directory, made where nobody has folders yet. Fails with `base_dir_missing` or `base_dir_empty` (75) where
    /// there were technicians' folders in it.
    pub async fn base(&self) -> anyhow::Result<&Base> {
        let settings = self.settings().await?;
        self.base.get_or_try_init(|| standing_base(settings)).await
    }

    /// The same where those folders are lost for good.
    pub async fn new_base(&self) -> anyhow::Result<&Base> {
        let settings = self.settings().await?;
        self.base.get_or_try_init(|| async { open_base(settings) }).await
    }

    /// What is the matter with the base directory where the technicians' folders are not in it.
    pub async fn lost_base(&self) -> anyhow::Result<Option<Failure>> {
        Ok(lost_base(self.settings().await?).await?)
    }

    /// The embedded Drive of `--sandbox`, once the settings were asked for.
    pub fn embedded(&self) -> anyhow::Result<&Embedded> {
        self.embedded.get().context("this is only there with --sandbox")
    }

    /// A link to a folder on Drive, for people. No browser opens those of a sandbox: there the folder's id stands for it.
    pub fn shown_link<'l>(&self, link: &'l str) -> &'l str {
        if self.global.sandbox.is_some() { link.rsplit('/').next().unwrap_or_default() } else { link }
    }

    /// Everything the agent works with.
    pub async fn agent(&self) -> anyhow::Result<Agent> {
        let settings = self.settings().await?;
        let callbacks = Client::new(&settings.callback)?;
        let (drive, ledger, base) = (self.drive().await?.clone(), self.ledger().await?.clone(), self.base().await?.clone());
        Ok(Agent::new(Arc::new(settings.clone()), drive, ledger, base, callbacks))
    }

    /// The agent that the configuration as it is now makes; the ledger stays the one that is open.
    pub async fn reloaded_agent(&self) -> anyhow::Result<Agent> {
        let settings = self.read_settings().await?;
        let ledger = self.ledger().await?.clone();
        anyhow::ensure!(settings.ledger_path == ledger.path(), "another `ledger.path` needs a restart");
        let drive = Drive::connect(&settings.drive, &settings.cache_dir).await?;
        let base = standing_base(&settings).await?;
        let callbacks = Client::new(&settings.callback)?;
        Ok(Agent::new(Arc::new(settings), drive, ledger, base, callbacks))
    }

    /// Everything provisioning works with.
    pub async fn provisioner(&self) -> anyhow::Result<Provisioner<'_>> {
        self.provisioner_on(self.ledger().await?).await
    }

    /// The same on another ledger than that of the settings.
    pub async fn provisioner_on<'a>(&'a self, ledger: &'a Ledger) -> anyhow::Result<Provisioner<'a>> {
        let (settings, drive, base) = (self.settings().await?, self.drive().await?, self.base().await?);
        Ok(Provisioner { settings, drive, ledger, base, reach: &self.reach })
    }

    /// Ends what this run started, and counts what it asked of Drive.
    pub async fn close(self) {
        if let Some(ledger) = self.ledger.into_inner() {
            if let Some(drive) = self.drive.get()
                && let Err(failure) = crate::agent::record_units(&ledger, drive, clock::now()).await
            {
                // A count is no reason to call the work undone.
                tracing::warn!("what was asked of Drive is not counted: {failure}");
            }
            ledger.close().await;
        }
    }
}

/// An empty ledger in place of a lost one would know nobody, take no file and say that all is well.
fn not_lost(settings: &Settings) -> Result<(), Failure> {
    if !ledger::is_missing(&settings.ledger_path) {
        return Ok(());
    }
    // A base directory in trouble is told by those who need it.
    let Ok(Some(base)) = Base::open_existing(&settings.base_dir) else { return Ok(()) };
    let registry = base.registry();
    let technicians = registry.read()?.len();
    let has_worked = registry.trace().exists();
    // Whoever makes a ledger makes it before the first entry: looked at again, it is there.
    if !ledger::is_missing(&settings.ledger_path) {
        return Ok(());
    }
    match technicians {
        0 if has_worked => Err(ledger::lost_too(&settings.ledger_path, &registry.path(), &registry.trace())),
        0 => Ok(()),
        technicians => Err(ledger::lost(&settings.ledger_path, technicians, &registry.path())),
    }
}

async fn standing_base(settings: &Settings) -> anyhow::Result<Base> {
    match lost_base(settings).await? {
        Some(lost) => Err(lost.into()),
        None => open_base(settings),
    }
}

fn open_base(settings: &Settings) -> anyhow::Result<Base> {
    not_as_root(&settings.base_dir)?;
    Ok(Base::open(&settings.base_dir, settings.modes)?)
}

/// A folder where a disk is to be mounted is no base directory: what was made in it would hide behind the disk.
async fn lost_base(settings: &Settings) -> Result<Option<Failure>, Failure> {
    let base = Base::open_existing(&settings.base_dir)?;
    if base.as_ref().is_some_and(|base| base.registry().path().exists()) {
        return Ok(None);
    }
    let there = base.as_ref().map(Base::folders).transpose()?.unwrap_or_default();
    let known = local_folders(&settings.ledger_path).await;
    if known.is_empty() || known.iter().any(|folder| there.contains(folder)) {
        return Ok(None);
    }
    Ok(Some(base.map_or_else(|| base_missing(&settings.base_dir), |base| base_empty(base.path(), known.len()))))
}

/// The folders on the VM that a ledger knows to have been made; none where there is no ledger.
async fn local_folders(path: &Path) -> Vec<String> {
    if ledger::is_missing(path) {
        return Vec::new();
    }
    let Ok(ledger) = Ledger::open(path).await else { return Vec::new() };
    let folders = ledger.local_folders().await.unwrap_or_default();
    ledger.close().await;
    folders
}

/// Root does not work in folders of somebody else's: what it made there, the service could not move or change.
fn not_as_root(base_dir: &Path) -> Result<(), Failure> {
    let Ok(folder) = base_dir.metadata() else { return Ok(()) };
    if !rustix::process::geteuid().is_root() || folder.uid() == 0 {
        return Ok(());
    }
    let owner = Person::of(folder.uid());
    let message = format!("{} belongs to the user {}, who cannot change what root makes there", base_dir.display(), owner.name);
    let hint = format!("run the same command as that user: `{}`", owner.runs("tecnico …"));
    Err(Failure::new(Exit::Refused, "wrong_user", message).hint(hint))
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
