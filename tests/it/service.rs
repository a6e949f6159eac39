//! `watch --follow` as a service of systemd's: what it says to the one who started it.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::agent::{Rig, WAITING};
use crate::support::world::World;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a service sends to.
fn listening(path: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).expect("bound");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("set");
    socket
}

fn end(service: &Child) {
    kill_process(Pid::from_child(service), Signal::TERM).expect("asked to end");
}

/// Reads messages until one begins with `wanted`; gives all that came.
fn until(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while Instant::now() < deadline {
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let found = message.lines().any(|l| l.starts_with(wanted));
        seen.push(message);
        if found {
            return seen;
        }
    }
    panic!("no {wanted} in {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_is_up_alive_and_what_it_does() {
    let world = World::new().await;
    let path = world.path("notify");
    let socket = listening(&path);
    let mut command = world.command(&["watch", "--follow", "--interval", "100ms"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000").env_remove("WATCHDOG_PID");
    let mut service = command.spawn().expect("starts");
    until(&socket, "READY=1");
    until(&socket, "STATUS=looked at ");
    until(&socket, "WATCHDOG=1");
    until(&socket, "WATCHDOG=1");
    end(&service);
    until(&socket, "STOPPING=1");
    assert_eq!(service.wait().expect("ends").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_its_end_waits_for() {
    let rig = Rig::new(WAITING).await;
    rig.drop_file("1.pdf", "bom");
    let path = rig.world.path("notify");
    let socket = listening(&path);
    let mut service = rig.world.command(&["watch", "--follow"]).env("NOTIFY_SOCKET", &path).spawn().expect("starts");
    rig.running().await;
    end(&service);
    until(&socket, "STATUS=ending, once the files in hand are done");
    rig.release();
    assert_eq!(service.wait().expect("ends").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_start_never_says_that_it_is_up() {
    let world = World::new().await;
    world.write_config("[callback]\nurl = \"no address\"\n");
    let path = world.path("notify");
    let socket = UnixDatagram::bind(&path).expect("bound");
    socket.set_nonblocking(true).expect("set");
    let output = world.command(&["watch", "--follow"]).env("NOTIFY_SOCKET", &path).output().expect("starts");
    assert_eq!(output.status.code(), Some(78), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(socket.recv(&mut [0; 64]).is_err(), "it spoke");
}
