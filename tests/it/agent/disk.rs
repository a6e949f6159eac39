//! A VM whose disk fills up while a file is fetched.

use std::time::Duration;

use drive_emulator::control::Match;

use super::{ANA, Rig};
use crate::support::mounts;
use crate::support::waiting::until;
use crate::support::world::{Ran, finish};

/// The base directory on a small disk of the process's own, in a mount nobody else sees, that somebody else fills while
/// the download stands still. What the run leaves there is kept.
const ON_A_SMALL_DISK: &str = r#"
    mount -t tmpfs -o size=64m tmpfs /mnt && cp -a "$VM/." /mnt && mount --bind /mnt "$VM" || exit 9
    "$@" & run=$!
    until [ -e "$GO" ]; do sleep 0.02; done
    head -c 56M /dev/zero > "$VM/cheio"; touch "$FULL"
    wait $run; code=$?; echo; echo "exit $code"
    rm "$VM/cheio"; cp -a "$VM/." "$OUT""#;
/// Where that is not allowed: no file may grow beyond 8 MB, which fails the write in the same place.
const WITH_A_LIMIT: &str = r#"
    touch "$FULL"
    (trap '' XFSZ; ulimit -f 16384; "$@"); code=$?; echo; echo "exit $code"
    cp -a "$VM/." "$OUT""#;
const SIZE: u64 = 30_000_000;

/// A watch on a disk that is full once the download of this file is under way.
async fn watch_on_a_full_disk(rig: &Rig, file: &str) -> Ran {
    let control = rig.world.control();
    let mut command = mounts::shell(ON_A_SMALL_DISK, WITH_A_LIMIT, &rig.world.command(&["watch", "--json"]));
    let (go, full, out) = (rig.world.path("go"), rig.world.path("full"), rig.world.path("after"));
    std::fs::create_dir(&out).expect("made");
    command.env("VM", rig.world.vm()).env("OUT", &out).env("GO", &go).env("FULL", &full);
    let download = Match { path_prefix: Some(format!("/drive/v3/files/{file}")), ..Match::default() };
    control.gate().pause_after_matching(download, 1);
    let running = tokio::spawn(finish(command));
    tokio::time::timeout(Duration::from_mins(1), control.wait_paused()).await.expect("it comes to the download");
    std::fs::write(&go, "").expect("written");
    until("the disk is full", || full.exists()).await;
    control.resume();
    let ran = running.await.expect("not cancelled").expect(0);
    // The same VM, with space again.
    std::fs::rename(rig.world.vm(), rig.world.path("before")).expect("set aside");
    std::fs::rename(&out, rig.world.vm()).expect("in its place");
    ran
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_during_a_fetch_is_told_and_the_download_goes_on_later() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let control = rig.world.control();
    let file = control.put_generated(ANA, &rig.novos, "grande.pdf", SIZE).expect("put");
    let small = rig.drop_file("pequeno.pdf", "bom");
    let ran = watch_on_a_full_disk(&rig, &file).await;
    let lines: Vec<&str> = ran.stdout.lines().filter(|l| !l.is_empty()).collect();
    let report: serde_json::Value = serde_json::from_str(lines[0]).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    assert_eq!(lines[1], "exit 74", "{report}");
    let fault = &report["faults"][0];
    assert!(["disk_full", "local_io"].contains(&fault["code"].as_str().unwrap_or_default()), "{report}");
    assert!(fault["hint"].as_str().is_some_and(|h| h.contains("free some space")), "{report}");
    assert_eq!((rig.place(&file).0, rig.told(&file).len()), ("novos".into(), 0));
    assert_eq!(rig.place(&small).0, "processados", "others go on");
    let part = std::fs::read_dir(rig.world.vm().join("Ana_Maria/pdfs/novos")).expect("novos").next().expect("a part").expect("read");
    let arrived = part.metadata().expect("a size").len();
    assert!(arrived > 0 && arrived < SIZE, "{arrived} bytes had arrived");

    control.clear_requests();
    rig.pass(60);
    let report = rig.cycle().await;
    assert!(report.is_clean(), "{:?}", report.faults);
    let sent: Vec<u64> =
        control.requests().iter().filter(|r| r.op == "files.get" && r.query.contains("alt=media")).map(|r| r.bytes_out).collect();
    assert_eq!(sent, [SIZE - arrived], "only what was missing");
    assert_eq!(
        (rig.told(&file), rig.local("processados")),
        (vec!["processado".to_owned()], vec!["grande.pdf".to_owned(), "pequeno.pdf".into()])
    );
    rig.assert_promise();
}
