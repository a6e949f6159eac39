//! The binary under what no client sends.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::binary::Binary;

/// The binary with one account, and what it said on stderr.
pub struct Victim {
    binary: Binary,
    pub address: String,
    pub token: String,
    said: std::path::PathBuf,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Raw {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Victim {
    pub async fn start() -> Self {
        let said = std::env::temp_dir().join(format!("drive-emulator-said-{:016x}", rand::random::<u64>()));
        let binary = Binary::start([""; 0], std::fs::File::create(&said).expect("a file").into());
        let address = binary.url.trim_start_matches("http://").to_owned();
        let mut victim = Self { binary, address, token: String::new(), said };
        let made = victim.ask("POST", "/_emulator/users", "", br#"{"email":"ana@example.com"}"#).await;
        made.json()["token"].as_str().expect("a token").clone_into(&mut victim.token);
        victim
    }

    /// Sends bytes, then reads until the other side closes; nothing for a connection that just ends.
    pub async fn send(&self, bytes: &[u8]) -> Vec<u8> {
        let talk = async {
            let mut stream = TcpStream::connect(&self.address).await.expect("it takes connections");
            let (mut read, mut write) = stream.split();
            let mut answer = Vec::new();
            // Who refuses early may close while the rest is still on its way.
            let (_, _) = tokio::join!(write.write_all(bytes), read.read_to_end(&mut answer));
            answer
        };
        tokio::time::timeout(Duration::from_mins(2), talk).await.expect("it answers or closes")
    }

    /// A whole request whose head is well-formed.
    pub async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Raw {
        let mut bytes = self.head(method, path, headers, body.len()).into_bytes();
        bytes.extend_from_slice(body);
        Raw::read(&self.send(&bytes).await)
    }

    fn head(&self, method: &str, path: &str, headers: &str, length: usize) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n{headers}Content-Length: {length}\r\n\r\n",
            self.address, self.token
        )
    }

    pub async fn is_well(&mut self) {
        assert_eq!(self.ask("GET", "/drive/v3/about?fields=user", "", b"").await.status, 200);
        assert!(self.binary.process.try_wait().expect("asked").is_none(), "the process ended");
        let said = std::fs::read_to_string(&self.said).expect("it is read");
        assert!(said.is_empty(), "{said}");
    }

    /// A body of so many pieces, sent as it is taken.
    pub async fn pour(&self, path: &str, piece: &[u8], pieces: usize) -> Raw {
        let talk = async {
            let mut stream = TcpStream::connect(&self.address).await.expect("it takes connections");
            let head = self.head("POST", path, "", piece.len() * pieces);
            stream.write_all(head.as_bytes()).await.expect("sent");
            for _ in 0..pieces {
                stream.write_all(piece).await.expect("sent");
            }
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("answered");
            Raw::read(&answer)
        };
        tokio::time::timeout(Duration::from_mins(5), talk).await.expect("it answers")
    }

    /// The most memory it had so far, in MB.
    pub fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.binary.process.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a size");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // A file left behind harms nobody.
        let _ = std::fs::remove_file(&self.said);
    }
}

impl Raw {
    pub fn read(answer: &[u8]) -> Self {
        let text = String::from_utf8_lossy(answer);
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
        Self { status: status.unwrap_or_else(|| panic!("no status in {text:?}")), body: answer[head..].to_vec() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn refused(&self, status: u16, reason: &str) {
        let error = &self.json()["error"];
        assert_eq!((self.status, &error["code"], &error["errors"][0]["reason"]), (status, &json!(status), &json!(reason)), "{error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    }
}
