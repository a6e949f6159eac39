//! A world for one seed: two technicians on a Drive, a VM, a backend, and an agent that can die at any moment.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use anyhow::Context;
use drive_emulator::{Control, DriveEmulator};
use serde_json::Value;
use tecnico::agent::{Agent, CycleReport, Looking, Plan, Scope};
use tecnico::callback::Client;
use tecnico::config::{self, Flags, Settings};
use tecnico::domain::folder::Role;
use tecnico::domain::reach::Reach;
use tecnico::domain::technician::UserId;
use tecnico::drive::Drive;
use tecnico::error::Failure;
use tecnico::fs_layout::Base;
use tecnico::ledger::Ledger;
use tecnico::provision::{Candidate, Provisioner};
use tempfile::TempDir;
use tokio::runtime::{Handle, Runtime};
use tokio_util::sync::CancellationToken;

use crate::support::kept::{self, Promise};
use crate::support::people::{People, Person};
use crate::support::receiver::Receiver;
use crate::support::switches;

/// Who owns the folder the trees lie in.
const ADMIN: &str = "admin@example.com";
/// What callbacks are signed with.
pub const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// No cycle takes this long, whatever happens to it.
const HANGS: Duration = Duration::from_mins(3);

/// A directory in memory where there is one: nothing here has to survive a power cut.
pub fn directory() -> anyhow::Result<TempDir> {
    Ok(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?)
}

/// A Drive that serves one seed after another: making its keys takes longer than a whole walk.
pub struct Host {
    control: Control,
    key: String,
    account: String,
    handle: Handle,
    _emulator: DriveEmulator,
    _dir: TempDir,
}

impl Host {
    /// Starts one on the runtime of `handle`.
    pub fn start(handle: &Handle) -> anyhow::Result<Self> {
        let dir = directory()?;
        let emulator = handle.block_on(DriveEmulator::builder().data(dir.path()).start())?;
        let control = emulator.control();
        let key = control.service_account("tecnico").context("a service account")?;
        let account = serde_json::from_str::<Value>(&key)?["client_email"].as_str().context("an address")?.to_owned();
        Ok(Self { control, key, account, handle: handle.clone(), _emulator: emulator, _dir: dir })
    }
}

/// What happens to a cycle on its way.
pub enum Interruption<'a> {
    /// Nothing.
    None,
    /// The agent dies once so many Drive calls are committed, before it hears of the last.
    KilledAfterCall(u64),
    /// The agent dies somewhere else: after so many turns of its work.
    KilledAfterTurns(u64),
    /// After so many Drive calls, before the agent hears of the last, users act; that answer is lost.
    Meddling(u64, &'a mut dyn FnMut(&mut People)),
}

/// How a cycle ended.
pub enum Ended {
    /// By itself.
    Done(Result<CycleReport, Failure>),
    /// With the agent.
    Killed,
}

/// The agent with everything that dies with it.
struct Process {
    agent: Agent,
    runtime: Runtime,
}

/// The world of one seed.
pub struct Stage {
    /// Drive.
    pub control: Control,
    /// Who acts, and what they did.
    pub people: People,
    /// The backend.
    pub receiver: Receiver,
    /// How far the VM's clock is off, ms.
    pub skew: Arc<AtomicI64>,
    /// Content ever seen on the VM.
    pub ever_local: BTreeSet<String>,
    /// Whether its cycles go on looking while files are worked on, as a following agent's do.
    pub stays: bool,
    settings: Arc<Settings>,
    process: Option<Process>,
    dir: TempDir,
}

impl Stage {
    /// A fresh one with two technicians. `more` goes to the end of the config.
    pub fn new(host: &Host, seed: u64, more: &str) -> anyhow::Result<Self> {
        let control = host.control.clone();
        control.clear_faults();
        let usual = switches::usual()?;
        control.set_switches(|switches| *switches = usual)?;
        control.set_feed(|feed| *feed = drive_emulator::FeedFaults { reject_below: feed.reject_below, ..Default::default() })?;
        let dir = directory()?;
        let receiver = host.handle.block_on(Receiver::start())?;
        let admin = control.user(ADMIN)?;
        let parent = control.mkdir(ADMIN, &admin.root_id, &format!("Tecnicos {seed}"))?;
        control.share(ADMIN, &parent, &host.account, "writer")?;
        for (name, text) in [("key.json", host.key.as_str()), ("whsec", SECRET)] {
            secret_file(&dir.path().join(name), text)?;
        }
        // The world is made with patience, on a machine however busy; the agent in it has none, or each Drive that hangs
        // would cost a minute.
        let configured = |timeout: &str| {
            let config = dir.path().join("config.toml");
            let text = format!(
                "[vm]\nbase_dir = \"vm\"\n[drive]\nparent_folder_id = \"{parent}\"\ncredentials = \"key.json\"\nendpoint = \"{}/\"\n\
                 timeout = \"{timeout}\"\n[ledger]\npath = \"ledger.db\"\n[callback]\nurl = \"{}\"\nsecret_file = \"whsec\"\n\
                 timeout = \"500ms\"\n{more}",
                control.url(),
                receiver.url()
            );
            std::fs::write(&config, text)?;
            let settings = config::resolve(&Flags { config: Some(config), ..Flags::default() }, &|_| None)?;
            anyhow::Ok(Arc::new(settings))
        };
        let (patient, settings) = (configured("30s")?, configured("1s")?);
        let people = People::new(control.clone(), Vec::new());
        let skew = Arc::new(AtomicI64::new(0));
        let mut stage =
            Self { control, people, receiver, skew, ever_local: BTreeSet::new(), stays: false, settings: patient, process: None, dir };
        let names = [("ana", "Ana Maria"), ("joao", "João Silva")];
        for (short, name) in names {
            let person = stage.provision(&format!("{short}-{seed}"), &format!("{short}@example.com"), name)?;
            stage.people.all.push(person);
        }
        stage.kill();
        stage.settings = settings;
        Ok(stage)
    }

    fn provision(&mut self, user: &str, email: &str, name: &str) -> anyhow::Result<Person> {
        self.control.user(email)?;
        let candidate = Candidate::parse(user, Some(email), Some(name), None)?;
        let process = self.process()?;
        let agent = &process.agent;
        let (folder, rows) = process.runtime.block_on(async {
            let provisioner = Provisioner {
                settings: &agent.settings,
                drive: &agent.drive,
                ledger: &agent.ledger,
                base: &agent.base,
                reach: &Reach::EVERYBODY,
            };
            let outcome = provisioner.create(&candidate, None, None).await?;
            let rows = agent.ledger.folder_ids(&UserId::parse(user).map_err(anyhow::Error::msg)?).await?;
            anyhow::Ok((outcome.prepared.technician.folder, rows))
        })?;
        let id = |role| rows.iter().find(|r| r.role == role).map(|r| r.drive_id.clone()).context("a folder");
        let ends = [id(Role::Processados)?, id(Role::Erro)?];
        Ok(Person { user: user.into(), email: email.into(), folder, novos: id(Role::Novos)?, ends })
    }

    /// The agent, started where there is none.
    fn process(&mut self) -> anyhow::Result<&mut Process> {
        if self.process.is_none() {
            // One thread: nothing of a dead agent goes on in the background.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (settings, control, skew) = (self.settings.clone(), self.control.clone(), self.skew.clone());
            let agent = runtime.block_on(async move {
                let drive = Drive::connect(&settings.drive, &settings.cache_dir).await?;
                let ledger = Ledger::open(&settings.ledger_path).await?;
                let base = Base::open(&settings.base_dir, settings.modes)?;
                let callbacks = Client::new(&settings.callback)?;
                let mut agent = Agent::new(settings, drive, ledger, base, callbacks);
                agent.clock = Arc::new(move || control.now_ms().unwrap_or_default() + skew.load(Ordering::Relaxed));
                anyhow::Ok(agent)
            })?;
            self.process = Some(Process { agent, runtime });
        }
        self.process.as_mut().context("it was just started")
    }

    /// Ends the agent without a word. Work of its that is in the kernel's hands is done when this returns.
    pub fn kill(&mut self) {
        self.process = None;
        self.control.resume();
    }

    /// Runs one cycle.
    pub fn cycle(&mut self, interruption: Interruption<'_>) -> anyhow::Result<Ended> {
        self.process()?;
        let Some(Process { agent, runtime }) = self.process.as_mut() else { anyhow::bail!("no agent") };
        let (control, people) = (&self.control, &mut self.people);
        // What each look was like is asked of the ledger.
        let reports = tokio::sync::mpsc::unbounded_channel().0;
        let looking = self.stays.then(|| Looking { every: Duration::ZERO, reports, enough: CancellationToken::new() });
        let plan = Plan { looking, ..Plan::over(Scope::Everyone) };
        let ended = runtime.block_on(async {
            let mut cycle = Box::pin(tokio::time::timeout(HANGS, agent.run_cycle(&plan)));
            let done = match interruption {
                Interruption::None => Some(cycle.await),
                Interruption::KilledAfterCall(n) => {
                    control.pause_after(n);
                    tokio::select! {
                        done = &mut cycle => Some(done),
                        () = control.wait_paused() => None,
                    }
                }
                Interruption::KilledAfterTurns(n) => {
                    let mut turns = 0;
                    std::future::poll_fn(|context| {
                        turns += 1;
                        if turns > n { Poll::Ready(None) } else { cycle.as_mut().poll(context).map(Some) }
                    })
                    .await
                }
                Interruption::Meddling(n, act) => {
                    control.pause_after(n);
                    tokio::select! {
                        done = &mut cycle => Some(done),
                        () = control.wait_paused() => {
                            act(people);
                            control.resume();
                            Some(cycle.await)
                        }
                    }
                }
            };
            done.map(|done| done.context("the cycle hangs")).transpose()
        })?;
        let ended = if let Some(done) = ended {
            Ended::Done(done)
        } else {
            self.kill();
            Ended::Killed
        };
        self.control.resume();
        self.look_at_vm()?;
        Ok(ended)
    }

    /// Takes note of what lies on the VM now.
    pub fn look_at_vm(&mut self) -> anyhow::Result<()> {
        for local in kept::local_files(&self.settings.base_dir)? {
            if !kept::is_work_file(&local) {
                self.ever_local.insert(local.md5);
            }
        }
        Ok(())
    }

    /// How many items are open and how many events are not delivered; revives dead letters.
    pub fn left(&mut self) -> anyhow::Result<(u64, u64)> {
        let now = self.control.now_ms()? + self.skew.load(Ordering::Relaxed);
        let Process { agent, runtime } = self.process()?;
        runtime.block_on(async {
            let counts = agent.ledger.counts(now).await?;
            if counts.dead + counts.held > 0 {
                agent.ledger.revive(None, now).await?;
            }
            Ok((counts.open(), counts.undelivered + counts.dead + counts.held))
        })
    }

    /// What breaks the promise.
    pub fn broken(&mut self) -> anyhow::Result<Vec<String>> {
        self.process()?;
        let Some(Process { agent, runtime }) = self.process.as_mut() else { anyhow::bail!("no agent") };
        let received = self.receiver.requests();
        let promise = Promise {
            control: &self.control,
            vm: &self.settings.base_dir,
            ledger: &agent.ledger,
            people: &self.people,
            received: &received,
            ever_local: &self.ever_local,
            secret: SECRET,
        };
        runtime.block_on(promise.broken())
    }

    /// The ledger's story of every file, for a report of a failure.
    pub fn story(&mut self) -> anyhow::Result<Vec<String>> {
        self.process()?;
        let Some(Process { agent, runtime }) = self.process.as_mut() else { anyhow::bail!("no agent") };
        let people = &self.people;
        runtime.block_on(async {
            let mut lines = Vec::new();
            for (n, thing) in people.things.iter().enumerate() {
                lines.push(format!("#{n} {:?} {} {:?}", thing.name, thing.id, thing.kind));
                for item in agent.ledger.items_of_file(&thing.id).await? {
                    lines.push(format!("  {} version {} local {:?}", item.id, item.sighted.key.version, item.local_path));
                    for line in agent.ledger.history(&item.id).await? {
                        let at = tecnico::domain::clock::rfc3339(line.at);
                        lines.push(format!("    {at} {:?} -> {} (try {}) {}", line.from, line.to, line.attempt, line.note));
                    }
                }
            }
            Ok(lines)
        })
    }

    /// Lets the binary wait for Drive and the backend as long as it takes: where nothing hangs, a busy machine is no fault to be
    /// met.
    pub fn give_binary_patience(&self) -> anyhow::Result<()> {
        let file = self.path("config.toml");
        let config = std::fs::read_to_string(&file)?;
        std::fs::write(&file, config.replace("timeout = \"1s\"", "timeout = \"30s\"").replace("timeout = \"500ms\"", "timeout = \"30s\""))?;
        Ok(())
    }

    /// A file of this world.
    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Whether the world stands still, as it was asked to.
    pub fn is_paused(&self) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::pin::pin!(self.control.wait_paused()).poll(&mut context).is_ready()
    }

    /// Keeps the directory for somebody to look into.
    pub fn keep(self) -> std::path::PathBuf {
        let Self { dir, process, .. } = self;
        drop(process);
        dir.keep()
    }
}

/// A file that only its owner may read.
pub fn secret_file(path: &std::path::Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
