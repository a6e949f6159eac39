//! rclone, its configuration, and the proxy between it and the emulator.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use drive_emulator::DriveEmulator;
use serde_json::json;

use crate::support::{Place, Rig, beside, finish, free, limited, python};

/// rclone with a directory of its own, in which its relative paths lie.
pub struct Rclone {
    pub rig: Rig,
    place: Place,
    _proxy: Running,
    proxy_port: String,
}

/// A program that serves until this is dropped.
pub struct Running(Child);

/// `rclone serve http`.
pub struct Served {
    pub url: String,
    _running: Running,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already if this fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Rclone {
    pub async fn start() -> Self {
        let started = DriveEmulator::builder().public_base_url("https://www.googleapis.com").start().await;
        let rig = Rig::of(started.expect("the emulator starts"));
        let place = Place::new();
        let port = rig.emulator.url().rsplit(':').next().unwrap_or_default().to_owned();
        let mut command = Command::new(python());
        command.arg("-B").arg(beside("rclone/proxy.py")).arg(port).arg(place.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the proxy starts");
        let said = child.stdout.take().expect("it is piped");
        let running = Running(child);
        let mut proxy_port = String::new();
        BufReader::new(said).read_line(&mut proxy_port).expect("the proxy says its port");
        let proxy_port = proxy_port.trim().to_owned();
        assert!(!proxy_port.is_empty(), "the proxy did not start; scripts/test installs what it needs");
        let rclone = Self { rig, place, _proxy: running, proxy_port };
        let remote = |name: &str, token: &str| {
            let token = json!({"access_token": token, "token_type": "Bearer", "refresh_token": "r", "expiry": "2099-01-01T00:00:00Z"});
            format!("[{name}]\ntype = drive\nscope = drive\ntoken = {token}\n\n")
        };
        let config = [remote("ana", &rclone.rig.ana.token), remote("bea", &rclone.rig.bea.token)].concat();
        let config = config + "[robot]\ntype = drive\nscope = drive\n";
        rclone.write("", &[("rclone.conf", &config)]);
        rclone
    }

    /// Files below a directory.
    pub fn write(&self, below: &str, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = self.dir().join(below).join(path);
            fs::create_dir_all(path.parent().expect("it is below a directory")).expect("a directory");
            fs::write(path, content).expect("a file");
        }
    }

    pub fn dir(&self) -> &Path {
        self.place.path()
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.dir().join(path)).expect("a file is removed");
    }

    pub fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.dir().join(path)).expect("a file is there")).into_owned()
    }

    fn command(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).args(["--config", "rclone.conf", "--ca-cert", "ca.pem", "--drive-pacer-min-sleep", "1ms"]);
        command.current_dir(self.dir()).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", self.proxy_port)).env("HOME", self.dir());
        command
    }

    /// Runs rclone to its end; what it printed.
    pub async fn run(&self, arguments: &[&str]) -> String {
        finish(self.command(limited("rclone"), arguments)).await
    }

    /// The id of what is at a path of Ana's.
    pub async fn id(&self, path: &str) -> String {
        let found = self.run(&["lsjson", "--stat", &format!("ana:{path}")]).await;
        let found: serde_json::Value = serde_json::from_str(&found).expect("lsjson prints JSON");
        found["ID"].as_str().unwrap_or_else(|| panic!("no id in {found}")).to_owned()
    }

    /// Mounts a remote; where, and the program that holds it there.
    pub fn mount(&self, remote: &str, arguments: &[&str]) -> (PathBuf, Child) {
        let at = self.dir().join("mount");
        fs::create_dir_all(&at).expect("a directory");
        let mut command = self.command(Command::new("rclone"), &[&["mount", remote, "mount"], arguments].concat());
        (at, command.stdin(Stdio::null()).spawn().expect("rclone starts"))
    }

    /// Serves a remote over HTTP until the answer is dropped.
    pub async fn serve(&self, arguments: &[&str]) -> Served {
        // It does not say which port it took, so it is given one that was free a moment ago.
        let address = free().to_string();
        let arguments = [&["serve", "http", "--addr", &address], arguments].concat();
        let mut command = self.command(Command::new("rclone"), &arguments);
        let running = Running(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("rclone starts"));
        let url = format!("http://{address}");
        let deadline = Instant::now() + Duration::from_mins(1);
        while reqwest::get(&url).await.is_err() {
            assert!(Instant::now() < deadline, "rclone does not serve in time");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Served { url, _running: running }
    }
}
