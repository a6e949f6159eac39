//! Logs: whom and what each line is about, how the journal gets them, and a stderr that takes nothing.

use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use serde_json::Value;

use crate::agent::Rig;
use crate::support::receiver::Reply;
use crate::support::waiting::until;
use crate::support::world::finish;

/// The log lines among what a run said.
fn lines(stderr: &str) -> Vec<Value> {
    stderr.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_about_a_file_carries_technician_item_and_event() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(500));
    // A name that would be two lines, the second a forged one.
    rig.drop_file("1\n{\"level\":\"INFO\"}.pdf", "ruim");
    let ran = rig.world.run(&["watch", "-vv"]).await.expect(0);
    let lines = lines(&ran.stderr);
    let item = rig.world.json(0, &["callbacks", "list"]).await;
    let event = item["events"][0]["id"].as_str().expect("an event").to_owned();
    let item = lines.iter().find_map(|l| l["item"].as_str()).expect("an item").to_owned();
    assert!(item.starts_with("item_"), "{item}");
    let said = |message: &str| -> &Value {
        lines
            .iter()
            .find(|l| l["message"].as_str().is_some_and(|m| m.starts_with(message)))
            .unwrap_or_else(|| panic!("{message}: {lines:#?}"))
    };
    for message in ["found", "judging", "filed", "download", "move", "not delivered"] {
        let line = said(message);
        assert_eq!((line["user"].as_str(), line["item"].as_str()), (Some("42"), Some(item.as_str())), "{line}");
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    for message in ["filed", "not delivered"] {
        assert_eq!(said(message)["event"], event.as_str());
    }
    assert_eq!(said("found")["name"], r#"1\n{"level":"INFO"}.pdf"#);
    // Nothing is said of nobody: listing one novos is about its technician, too.
    let of_nobody: Vec<&Value> = lines.iter().filter(|l| l["user"].is_null()).collect();
    let of_all = ["list changes", "get the token", "cycle ended"];
    for line in of_nobody {
        let message = line["message"].as_str().expect("a message");
        assert!(of_all.iter().any(|m| message.contains(m)) || message.contains("feed"), "{line}");
    }
}

/// Who runs a command by hand or from cron reads words, not JSON among them.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_ends_speaks_to_people_through_a_pipe_too() {
    let rig = Rig::new("command = [\"/nao/existe\", \"{path}\"]\n").await;
    rig.drop_file("1.pdf", "bom");
    let ran = rig.world.run(&["watch"]).await.expect(78);
    assert_eq!(ran.stderr.matches("cannot be started").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: ") && lines(&ran.stderr).is_empty(), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_gets_text_with_its_weight() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(500));
    rig.drop_file("1.pdf", "bom");
    let path = rig.world.path("journal");
    let journal = std::fs::File::create(&path).expect("made");
    let meta = journal.metadata().expect("there");
    let mut command = rig.world.command(&["watch", "-v"]);
    command.env("JOURNAL_STREAM", format!("{}:{}", meta.dev(), meta.ino())).stdout(Stdio::null()).stderr(journal);
    let status = tokio::task::spawn_blocking(move || command.status()).await.expect("not cancelled").expect("starts");
    assert!(status.success());
    let text = std::fs::read_to_string(&path).expect("read");
    assert!(text.lines().any(|l| l.starts_with("<6>item{user=42 item=item_") && l.contains("filed name=1.pdf")), "{text}");
    assert!(text.lines().any(|l| l.starts_with("<4>event{user=42 item=item_") && l.contains("event=evt_")), "{text}");
    assert!(text.lines().all(|l| l.starts_with('<') && !l.contains('\u{1b}')), "{text}");
    // Unasked, it keeps one line a step, so that a search for the item tells its whole story; and nothing of an idle look.
    rig.backend.reply(Reply::status(200));
    let file = rig.drop_file("2.pdf", "bom 2");
    let journal = std::fs::OpenOptions::new().append(true).open(&path).expect("opened");
    for _ in 0..2 {
        let mut command = rig.world.command(&["watch"]);
        command.env("JOURNAL_STREAM", format!("{}:{}", meta.dev(), meta.ino())).stdout(Stdio::null());
        command.stderr(journal.try_clone().expect("cloned"));
        let status = tokio::task::spawn_blocking(move || command.status()).await.expect("not cancelled").expect("starts");
        assert!(status.success());
    }
    let item = rig.world.json(0, &["why", &file]).await["items"][0]["item_id"].as_str().expect("an id").to_owned();
    let after = std::fs::read_to_string(&path).expect("read").split_off(text.len());
    let story: Vec<&str> = after.lines().filter(|l| l.contains(&item)).collect();
    for (line, step) in story.iter().zip(["found", "fetched", "judging", "judged", "filed", "delivered"]) {
        assert!(line.starts_with("<6>") && line.contains(&format!(" {step}")), "{step}: {after}");
    }
    assert_eq!((story.len(), after.matches("cycle ended").count()), (6, 1), "{after}");
    // A name left over from somebody who sent stderr elsewhere.
    let mut command = rig.world.command(&["why", "nada"]);
    command.env("JOURNAL_STREAM", "1:1");
    let ran = finish(command).await;
    assert!(ran.stderr.starts_with("error:"), "{ran:?}");
}

/// Log lines, notes and errors that nobody takes (a full disk, a full journal) cost nothing but themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a_stderr_that_takes_nothing_stops_nothing() {
    let rig = Rig::new("").await;
    rig.backend.reply(Reply::status(500));
    let to_nowhere = |args: &[&str]| {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opened");
        let mut command = rig.world.command(args);
        command.stdout(Stdio::null()).stderr(full);
        command
    };
    let file = rig.drop_file("1.pdf", "bom");
    let mut once = to_nowhere(&["watch", "-vv"]);
    let status = tokio::task::spawn_blocking(move || once.status()).await.expect("not cancelled").expect("starts");
    assert_eq!((status.code(), rig.place(&file).0.as_str()), (Some(0), "processados"));
    let mut wrong = to_nowhere(&["why", "nada"]);
    let status = tokio::task::spawn_blocking(move || wrong.status()).await.expect("not cancelled").expect("starts");
    assert_eq!(status.code(), Some(65), "the exit code still tells");
    let mut service = to_nowhere(&["watch", "--follow", "--interval", "50ms", "-vv"]).spawn().expect("starts");
    let files: Vec<String> = (2..5).map(|n| rig.drop_file(&format!("{n}.pdf"), &format!("ruim {n}"))).collect();
    until("it goes on", || files.iter().all(|f| rig.place(f).0 == "erro")).await;
    rustix::process::kill_process(rustix::process::Pid::from_child(&service), rustix::process::Signal::TERM).expect("asked to end");
    let ended = tokio::task::spawn_blocking(move || service.wait()).await.expect("not cancelled").expect("ends");
    assert_eq!(ended.code(), Some(0));
}
