//! Who is told.

use std::collections::HashMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long a test waits for a notice that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A receiver of notices: their headers, names in lower case. The first answers are as given, then 200.
pub struct Receiver {
    pub address: String,
    pub notices: mpsc::UnboundedReceiver<HashMap<String, String>>,
}

impl Receiver {
    pub async fn start(mut answers: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = format!("http://{}/hook?x=1", listener.local_addr().expect("it is bound"));
        let (sender, notices) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut text = Vec::new();
                while !text.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => text.push(byte),
                        Err(_) => break,
                    }
                }
                let text = String::from_utf8_lossy(&text).into_owned();
                let mut headers: HashMap<String, String> = text
                    .lines()
                    .filter_map(|line| line.split_once(": "))
                    .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                    .collect();
                headers.insert("line".into(), text.lines().next().unwrap_or_default().to_owned());
                let status = if answers.is_empty() { 200 } else { answers.remove(0) };
                let answer = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                // The sender may be gone; the test sees what came.
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = sender.send(headers);
            }
        });
        Self { address, notices }
    }

    pub async fn next(&mut self) -> HashMap<String, String> {
        tokio::time::timeout(PATIENCE, self.notices.recv()).await.expect("a notice comes").expect("it is open")
    }
}
