//! The agent against the emulator, with real processors and a real backend.

mod absence;
mod asked;
mod beside;
mod disk;
mod elsewhere;
mod entries;
mod external;
mod faults;
mod feed;
mod first;
mod meddling;
mod old_faults;
mod relaid;
mod restored;
mod settings;
mod shared_drive;
mod shown;
mod story;
mod telling;
mod weather;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::Value;
use tecnico::agent::{Agent, CycleReport, Plan, Scope};
use tecnico::config::{self, Flags};
use tecnico::domain::clock;
use tecnico::drive::Drive;
use tecnico::fs_layout::Base;
use tecnico::ledger::Ledger;

use crate::support::promise;
use crate::support::receiver::{Received, Receiver};
use crate::support::waiting::until;
use crate::support::world::{ADMIN, World};

const ANA: &str = "ana@example.com";
/// Reads the file, refuses what says `ruim`, asks for later where it says `depois`, and gives data.
const PROCESSOR: &str = r#"#!/bin/sh
echo "$TECNICO_ITEM_ID $TECNICO_USER $TECNICO_ATTEMPT $1" >> "$0.log"
if grep -q ruim "$1"; then echo "número de OS inválido" >&2; exit 3; fi
if grep -q depois "$1"; then exit 75; fi
echo '{"os": 16517189}'
"#;

/// A processor that waits until `go` exists, so that a test can act while it runs; then it refuses what says `ruim`.
pub const WAITING: &str = "command = [\"sh\", \"-c\", \"touch running; until [ -e go ]; do sleep 0.02; done; ! grep -q ruim '{path}'\"]\n";

/// A world with a technician, a processor and a backend.
pub struct Rig {
    pub world: World,
    pub backend: Receiver,
    pub novos: String,
    pub processados: String,
    pub erro: String,
    clock: Arc<AtomicI64>,
    ledger: Ledger,
}

impl Rig {
    /// Ana Maria (42), with `more` at the end of the config's `[process]`, and other sections after it.
    pub async fn new(more: &str) -> Self {
        Self::of(World::new().await, more).await
    }

    /// The same in a world that is there already.
    pub async fn of(world: World, more: &str) -> Self {
        let backend = Receiver::start().await.expect("a backend");
        world.control().user(ANA).expect("an account");
        let rig = |world: World, backend: Receiver, tree: &Value, ledger: Ledger| {
            let id = |key: &str| tree[key].as_str().expect("an id").to_owned();
            Self {
                novos: id("novos_folder_id"),
                processados: id("processados_folder_id"),
                erro: id("erros_folder_id"),
                clock: Arc::default(),
                world,
                backend,
                ledger,
            }
        };
        let script = world.path("processor");
        std::fs::write(&script, PROCESSOR).expect("written");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("executable");
        configure(&world, &backend, more);
        let created = world.json(0, &["create", "42", "--email", ANA, "--name", "Ana Maria"]).await;
        let ledger = Ledger::open(&world.path("ledger.db")).await.expect("a ledger");
        rig(world, backend, &created["drive_folders"], ledger)
    }

    /// An agent of the config as it stands.
    pub async fn agent(&self) -> Agent {
        let flags = Flags { config: Some(self.world.path("config.toml")), ..Flags::default() };
        let settings = config::resolve(&flags, &|_| None).expect("settings");
        let drive = Drive::connect(&settings.drive, &settings.cache_dir).await.expect("connects");
        let base = Base::open(&settings.base_dir, settings.modes).expect("a base");
        let callbacks = tecnico::callback::Client::new(&settings.callback).expect("a client");
        let offset = self.clock.clone();
        Agent {
            clock: Arc::new(move || clock::now() + offset.load(Ordering::Relaxed)),
            ..Agent::new(Arc::new(settings), drive, self.ledger.clone(), base, callbacks)
        }
    }

    /// Closes the ledger that is open in this process: whoever takes its place must be alone with it.
    pub async fn let_go_of_ledger(&self) {
        self.ledger.clone().close().await;
    }

    /// Writes into the ledger what only another version, or an accident, could have.
    pub async fn sql(&self, statement: &'static str) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.world.path("ledger.db"));
        let pool = sqlx::SqlitePool::connect_with(options).await.expect("connects");
        sqlx::raw_sql(statement).execute(&pool).await.expect("written");
        pool.close().await;
    }

    /// One cycle over everything.
    pub async fn cycle(&self) -> CycleReport {
        self.agent().await.run_cycle(&Plan::over(Scope::Everyone)).await.expect("a cycle runs")
    }

    /// Waits until the processor [`WAITING`] runs.
    pub async fn running(&self) {
        let file = self.world.vm().join("Ana_Maria/running");
        until("the processor runs", || file.exists()).await;
        std::fs::remove_file(file).expect("removed");
    }

    /// Runs a cycle in which `act` happens while the processor [`WAITING`] is at work.
    pub async fn meanwhile(&self, act: impl FnOnce()) -> CycleReport {
        let agent = self.agent().await;
        let cycle = tokio::spawn(async move { agent.run_cycle(&Plan::over(Scope::Everyone)).await });
        self.running().await;
        act();
        self.release();
        cycle.await.expect("not cancelled").expect("a cycle runs")
    }

    /// Lets a processor go on that waits for it in Ana's folder, as [`WAITING`] does.
    pub fn release(&self) {
        std::fs::write(self.world.vm().join("Ana_Maria/go"), "").expect("written");
    }

    /// Lets time pass for the agent.
    pub fn pass(&self, minutes: i64) {
        self.clock.fetch_add(minutes * 60_000, Ordering::Relaxed);
    }

    /// Ana drops a file.
    pub fn drop_file(&self, name: &str, text: &str) -> String {
        self.world.control().put(ANA, &self.novos, name, text.as_bytes(), "application/pdf").expect("dropped")
    }

    /// The folder a file lies in, and its description.
    pub fn place(&self, file: &str) -> (String, String) {
        let file = self.world.control().file(file).expect("a file");
        let folder = file["parents"][0].as_str().expect("a parent").to_owned();
        let names = [(&self.novos, "novos"), (&self.processados, "processados"), (&self.erro, "erro")];
        let name = names.into_iter().find(|(id, _)| **id == folder).map_or(folder.clone(), |(_, name)| name.to_owned());
        (name, file["description"].as_str().unwrap_or_default().to_owned())
    }

    /// The names in a local folder below `pdfs`.
    pub fn local(&self, folder: &str) -> Vec<String> {
        promise::names(&self.world.vm().join("Ana_Maria/pdfs").join(folder))
    }

    /// What the processor was called with, one line a call.
    pub fn calls(&self) -> Vec<String> {
        std::fs::read_to_string(self.world.path("processor.log")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// What the backend was told of files, every try; what it was told of folders is another story.
    pub fn requests(&self) -> Vec<Received> {
        self.backend.requests().into_iter().filter(|r| !r.target.ends_with("/folders")).collect()
    }

    /// What the backend was told of a file, each event once; sorted, because deliveries go out side by side.
    pub fn told(&self, file: &str) -> Vec<String> {
        let mut told: Vec<_> =
            promise::told(&self.backend.requests()).into_iter().filter(|t| t.file_id == file).map(|t| t.outcome).collect();
        told.sort();
        told
    }

    /// Holds the product to its promise.
    #[track_caller]
    pub fn assert_promise(&self) {
        promise::assert_promise(&self.world, &["Ana_Maria"], &self.backend.requests());
    }
}

/// Writes the config of a rig: no settling, a backend, the processor, and `more` at the end of `[process]`.
pub fn configure(world: &World, backend: &Receiver, more: &str) {
    write(world, backend, "0s", "", more);
}

/// The same with another `watch.settle`.
pub fn configure_with(world: &World, backend: &Receiver, settle: &str, more: &str) {
    write(world, backend, settle, "", more);
}

/// The same with more in `[callback]`.
pub fn configure_callback(world: &World, backend: &Receiver, callback: &str) {
    write(world, backend, "0s", callback, "");
}

fn write(world: &World, backend: &Receiver, settle: &str, callback: &str, more: &str) {
    let own = format!("command = [\"{}\", \"{{path}}\"]\n", world.path("processor").display());
    let command = if more.contains("command =") { "" } else { &own };
    world.write_config(&format!(
        "[watch]\nsettle = \"{settle}\"\n[callback]\nurl = \"{}\"\ntimeout = \"2s\"\n{callback}[process]\n{command}{more}",
        backend.url()
    ));
}
