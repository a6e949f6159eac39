//! What a command works with: the settings, and the adapters opened once, when first asked for.

use tokio::sync::OnceCell;

use crate::cli::Global;
use crate::config::{self, Flags, Settings};
use crate::drive::Drive;
use crate::embedded::Embedded;
use crate::fs_layout::Base;
use crate::ledger::Ledger;
use crate::provision::Provisioner;
use crate::ui::Ui;

/// One run's settings and adapters.
pub struct Context {
    /// How this run speaks.
    pub ui: Ui,
    /// The global flags.
    pub global: Global,
    settings: OnceCell<Settings>,
    ledger: OnceCell<Ledger>,
    drive: OnceCell<Drive>,
    base: OnceCell<Base>,
    embedded: OnceCell<Embedded>,
}

impl Context {
    /// Opens nothing yet: `demo` and `config --example` need no configuration.
    pub fn new(ui: Ui, global: Global) -> Self {
        Self { ui, global, settings: OnceCell::new(), ledger: OnceCell::new(), drive: OnceCell::new(), base: OnceCell::new(), embedded: OnceCell::new() }
    }

    /// The settings in force; with `--sandbox`, those of its embedded Drive, started here.
    pub async fn settings(&self) -> anyhow::Result<&Settings> {
        self.settings
            .get_or_try_init(|| async {
                let flags = Flags {
                    config: self.global.config.clone(),
                    base_dir: self.global.base_dir.clone(),
                    credentials: self.global.credentials.clone(),
                };
                let Some(dir) = &self.global.sandbox else {
                    return Ok(config::resolve(&flags, &|name| std::env::var(name).ok())?);
                };
                let embedded = self.embedded.get_or_try_init(|| Embedded::open(dir, 0)).await?;
                Ok(config::resolve_sandbox(&flags, &embedded.sandbox())?)
            })
            .await
    }

    /// The ledger.
    pub async fn ledger(&self) -> anyhow::Result<&Ledger> {
        let settings = self.settings().await?;
        self.ledger.get_or_try_init(|| async { Ok(Ledger::open(&settings.ledger_path).await?) }).await
    }

    /// Drive, as the configured account. No call is made yet.
    pub async fn drive(&self) -> anyhow::Result<&Drive> {
        let settings = self.settings().await?;
        self.drive.get_or_try_init(|| async { Ok(Drive::connect(&settings.drive, &settings.cache_dir).await?) }).await
    }

    /// The VM's base directory.
    pub async fn base(&self) -> anyhow::Result<&Base> {
        let settings = self.settings().await?;
        self.base.get_or_try_init(|| async { Ok(Base::open(&settings.base_dir)?) }).await
    }

    /// Everything provisioning works with.
    pub async fn provisioner(&self) -> anyhow::Result<Provisioner<'_>> {
        Ok(Provisioner {
            settings: self.settings().await?,
            drive: self.drive().await?,
            ledger: self.ledger().await?,
            base: self.base().await?,
        })
    }

    /// Ends what this run started.
    pub async fn close(self) {
        if let Some(ledger) = self.ledger.into_inner() {
            ledger.close().await;
        }
    }
}
