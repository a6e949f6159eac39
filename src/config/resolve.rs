//! From the merged table to [`Settings`], each fault naming the setting and its line.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Table;
use url::{Host, Url};

use super::settings::{
    CallbackSettings, Credentials, DocPolicy, DriveSettings, FolderPolicy, Mode, Modes, ProcessSettings, ServeSettings, Settings,
    ShareSettings, WatchSettings,
};
use super::{command, file, raw};
use crate::domain::clock;
use crate::domain::folder::Layout;
use crate::domain::technician::{folder_name, is_unprintable};
use crate::error::Failure;

/// Where a value came from, for the fault that names it.
struct Place<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Place<'_> {
    fn fault(&self, key: &str, why: &str) -> Failure {
        file::at(self.path, file::line_of_key(self.text, key).unwrap_or(0), &format!("{key}: {why}"))
            .hint(format!("correct it there; `man 5 tecnico-config` says what {key} may be"))
    }

    /// A value of the wrong kind, with the same in the right one where that can be seen.
    fn kind(&self, key: &str, value: Option<&toml::Value>, told: &str) -> Failure {
        let name = key.rsplit('.').next().unwrap_or(key);
        match value {
            Some(toml::Value::String(text)) if told.contains("a sequence") => {
                let words = if key == "process.command" { shlex::split(text) } else { None };
                self.fault(key, "this is one text, and has to be a list of texts")
                    .hint(format!("{name} = {}", command::array(&words.unwrap_or_else(|| vec![text.clone()]))))
            }
            Some(value @ (toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_))) if told.contains("a string") => {
                self.fault(key, told).hint(format!("{name} = \"{value}\""))
            }
            _ => self.fault(key, told),
        }
    }

    fn duration(&self, key: &str, text: &str) -> Result<Duration, Failure> {
        clock::duration(text).ok_or_else(|| self.fault(key, &format!("{text:?} is not a length of time; write \"10s\", \"15m\" or \"6h\"")))
    }

    fn one_of<T: Copy>(&self, key: &str, word: &str, choices: &[(&str, T)]) -> Result<T, Failure> {
        choices.iter().find(|(name, _)| *name == word).map(|(_, value)| *value).ok_or_else(|| {
            let names = choices.iter().map(|(n, _)| format!("{n:?}")).collect::<Vec<_>>().join(", ");
            self.fault(key, &format!("{word:?} is not one of {names}"))
        })
    }

    /// https, or http to this machine.
    fn address(&self, key: &str, text: &str) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|e| self.fault(key, &format!("{text:?} is not an address: {e}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(self
                .fault(key, "holds a user name or a password, which an address is no place for")
                .hint("take out what stands before the @"));
        }
        if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) {
            return Ok(url);
        }
        let why = format!("{text:?} is refused: only https is accepted, and http to this machine (127.0.0.1)");
        Err(self.fault(key, &why).hint("begin it with https://; a service without TLS belongs behind a proxy that has it"))
    }

    /// Permission bits that let this user in (`own`), and not everybody change things.
    fn mode(&self, key: &str, text: &str, own: u32) -> Result<u32, Failure> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777 && matches!(text.len(), 3 | 4));
        let mode = mode.ok_or_else(|| self.fault(key, &format!("{text:?} is not a mode up to 0777; write it as \"0750\"")))?;
        if mode & own != own {
            return Err(self.fault(key, &format!("{text:?} shuts this user out, who needs {own:04o}")));
        }
        if mode & 0o002 != 0 {
            let why = format!("{text:?} lets everybody on this machine change what is there");
            return Err(self.fault(key, &why).hint("let a group in: \"0770\" for folders, \"0660\" for files"));
        }
        Ok(mode)
    }

    fn count(&self, key: &str, n: usize) -> Result<usize, Failure> {
        if (1..=1000).contains(&n) { Ok(n) } else { Err(self.fault(key, &format!("{n} is not between 1 and 1000"))) }
    }
}

pub(super) fn settings(table: Table, path: &Path, text: &str) -> Result<Settings, Failure> {
    let place = Place { path, text };
    let in_force = table.to_string();
    let mut given = table.clone();
    let raw: raw::Raw = serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|e| {
        let key = e.path().to_string();
        place.kind(&key, file::get_mut(&mut given, &key).as_deref(), e.inner().message())
    })?;
    if raw.drive.parent_folder_id.is_empty() {
        return Err(place
            .fault("drive.parent_folder_id", "is not set")
            .hint("open the folder that is to hold the technicians' trees in a browser: the id is the last part of its address"));
    }
    for (key, path) in [("vm.base_dir", &raw.vm.base_dir), ("secrets.key_file", &raw.secrets.key_file), ("ledger.path", &raw.ledger.path)] {
        if path.is_empty() {
            return Err(place.fault(key, "is empty"));
        }
    }
    let ledger_path = PathBuf::from(&raw.ledger.path);
    Ok(Settings {
        toml: in_force,
        modes: Modes {
            folder: place.mode("vm.folder_mode", &raw.vm.folder_mode, 0o700)?,
            file: place.mode("vm.file_mode", &raw.vm.file_mode, 0o600)?,
        },
        base_dir: raw.vm.base_dir.into(),
        cache_dir: ledger_path.with_file_name("cache"),
        ledger_path,
        key_file: raw.secrets.key_file.into(),
        drive: drive(&place, raw.drive)?,
        layout: layout(&place, raw.layout)?,
        share: ShareSettings {
            role: place
                .one_of("share.role", &raw.share.role, &[("reader", "reader"), ("commenter", "commenter"), ("writer", "writer")])?
                .into(),
            notify: raw.share.notify,
        },
        process: process(&place, raw.process)?,
        watch: WatchSettings {
            interval: place.duration("watch.interval", &raw.watch.interval)?,
            settle: zero_or(&place, "watch.settle", &raw.watch.settle)?,
            reconcile_every: place.duration("watch.reconcile_every", &raw.watch.reconcile_every)?,
            concurrency: place.count("watch.concurrency", raw.watch.concurrency)?,
        },
        callback: CallbackSettings {
            url: (!raw.callback.url.is_empty()).then(|| place.address("callback.url", &raw.callback.url)).transpose()?,
            secret_file: (!raw.callback.secret_file.is_empty()).then(|| raw.callback.secret_file.into()),
            timeout: place.duration("callback.timeout", &raw.callback.timeout)?,
            allowed_hosts: raw.callback.allowed_hosts,
        },
        serve: ServeSettings {
            listen: raw.serve.listen.parse().map_err(|_| {
                place.fault("serve.listen", &format!("{:?} is not an address and a port; write \"127.0.0.1:8080\"", raw.serve.listen))
            })?,
            api_key_file: (!raw.serve.api_key_file.is_empty()).then(|| raw.serve.api_key_file.into()),
            concurrency: place.count("serve.concurrency", raw.serve.concurrency)?,
            timeout: place.duration("serve.timeout", &raw.serve.timeout)?,
            keep_jobs: place.duration("serve.keep_jobs", &raw.serve.keep_jobs)?,
        },
        silence: place.duration("status.silence", &raw.status.silence)?,
        stuck: place.duration("status.stuck", &raw.status.stuck)?,
    })
}

fn drive(place: &Place<'_>, raw: raw::Drive) -> Result<DriveSettings, Failure> {
    let mut endpoint = place.address("drive.endpoint", &raw.endpoint)?;
    if !endpoint.path().ends_with('/') {
        endpoint.set_path(&format!("{}/", endpoint.path()));
    }
    for (key, id) in [("drive.parent_folder_id", &raw.parent_folder_id), ("drive.shared_drive_id", &raw.shared_drive_id)] {
        if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            return Err(place.fault(key, &format!("{id:?} is not a Drive id: only letters, digits, - and _ occur in one")));
        }
    }
    let some = |text: String| (!text.is_empty()).then_some(text);
    Ok(DriveSettings {
        parent_folder_id: raw.parent_folder_id,
        credentials: if raw.credentials.is_empty() { Credentials::ApplicationDefault } else { Credentials::File(raw.credentials.into()) },
        subject: some(raw.subject),
        shared_drive_id: some(raw.shared_drive_id),
        endpoint,
        timeout: place.duration("drive.timeout", &raw.timeout)?,
        concurrency: place.count("drive.concurrency", raw.concurrency)?,
        calls_per_minute: raw.calls_per_minute,
        writes_per_second: raw.writes_per_second,
    })
}

fn layout(place: &Place<'_>, raw: raw::Layout) -> Result<Layout, Failure> {
    let layout =
        Layout { inbox: raw.inbox, processed: raw.processed, failed: raw.failed, local_only: raw.local_only, archive: raw.archive };
    let named = [("layout.inbox", &layout.inbox), ("layout.processed", &layout.processed), ("layout.failed", &layout.failed)];
    for (key, path) in named.into_iter().chain(layout.local_only.iter().map(|p| ("layout.local_only", p))) {
        check_path(key, path).map_err(|why| place.fault(key, &why))?;
    }
    if folder_name(&layout.archive).as_deref() != Ok(&layout.archive) {
        return Err(place.fault("layout.archive", &format!("{:?} is not the name of one folder without spaces", layout.archive)));
    }
    if layout.inbox.contains('{') {
        return Err(place.fault("layout.inbox", "only processed and failed may hold {year} and {month}"));
    }
    let standing = layout.drive_folders();
    for (at, one) in standing.iter().enumerate() {
        if standing[..at].iter().any(|other| other.path == one.path) {
            return Err(place
                .fault("layout.processed", "inbox, processed and failed must be three different folders, apart from {year} and {month}"));
        }
    }
    Ok(layout)
}

/// Bytes that a file system takes as a name.
const LONGEST_NAME: usize = 255;

/// A path of ordinary names below a folder.
fn check_path(key: &str, path: &str) -> Result<(), String> {
    let ordinary = |part: &str| {
        (1..=LONGEST_NAME).contains(&part.len()) && !part.starts_with('.') && !part.chars().any(|c| c == '\\' || is_unprintable(c))
    };
    if !path.split('/').all(ordinary) {
        return Err(format!("{path:?} is not a path below a technician's folder"));
    }
    let untemplated = path.replace("{year}", "").replace("{month}", "");
    if untemplated.contains(['{', '}']) {
        return Err(format!("{path:?}: only {{year}} and {{month}} can be filled in"));
    }
    if key == "layout.local_only" && path.contains('{') {
        return Err("a local folder has no template".into());
    }
    Ok(())
}

fn process(place: &Place<'_>, raw: raw::Process) -> Result<ProcessSettings, Failure> {
    for (key, globs) in [("process.accept", &raw.accept), ("process.ignore", &raw.ignore)] {
        for glob in globs {
            globset::Glob::new(glob).map_err(|e| place.fault(key, &e.to_string()))?;
        }
    }
    if raw.accept.iter().all(|glob| glob.trim().is_empty()) {
        return Err(place.fault("process.accept", "accepts nothing: every file would go to erro").hint("accept = [\"*.pdf\"]"));
    }
    if raw.ignore.iter().any(|glob| glob == "*") {
        return Err(place.fault("process.ignore", "ignores everything: no file would ever be found"));
    }
    let mode = place.one_of("process.mode", &raw.mode, &[("command", Mode::Command), ("external", Mode::External)])?;
    if let Some(wrong) = command::fault(&raw.command, mode) {
        return Err(place.fault("process.command", &wrong.why).hint(wrong.hint));
    }
    Ok(ProcessSettings {
        mode,
        timeout: place.duration("process.timeout", &raw.timeout)?,
        folders: place.one_of(
            "process.folders",
            &raw.folders,
            &[("flatten", FolderPolicy::Flatten), ("keep", FolderPolicy::Keep), ("reject", FolderPolicy::Reject)],
        )?,
        google_docs: place.one_of(
            "process.google_docs",
            &raw.google_docs,
            &[("export-pdf", DocPolicy::ExportPdf), ("reject", DocPolicy::Reject)],
        )?,
        max_size: raw
            .max_size
            .parse::<bytesize::ByteSize>()
            .ok()
            .filter(|size| size.as_u64() > 0)
            .ok_or_else(|| place.fault("process.max_size", &format!("{:?} is not a size; write \"500MB\" or \"5GB\"", raw.max_size)))?
            .as_u64(),
        command: raw.command,
        accept: raw.accept,
        ignore: raw.ignore,
        ordered: raw.ordered,
    })
}

fn zero_or(place: &Place<'_>, key: &str, text: &str) -> Result<Duration, Failure> {
    if text == "0s" { Ok(Duration::ZERO) } else { place.duration(key, text) }
}

/// Whether an address is on this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
