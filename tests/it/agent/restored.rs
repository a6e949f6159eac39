//! A ledger that was restored: what it had under way came to its end since, and stays as it ended.

use serde_json::Value;

use super::{ANA, Rig, configure};

/// Counts how often it runs; refuses what says `errado`.
const COUNTS: &str =
    "command = [\"sh\", \"-c\", 'echo ran >> ../ran; if grep -q errado \"$0\"; then echo \"número errado\" >&2; exit 1; fi', \"{path}\"]\n";
/// Counts, and accepts whatever comes.
const ACCEPTS: &str = "command = [\"sh\", \"-c\", 'echo ran >> ../ran', \"{path}\"]\n";

fn runs(rig: &Rig) -> usize {
    std::fs::read_to_string(rig.world.vm().join("ran")).unwrap_or_default().lines().count()
}

/// The outcomes the backend was told under an item's own id.
fn outcomes(rig: &Rig, item: &str) -> Vec<String> {
    let bodies = rig.requests().into_iter().map(|r| serde_json::from_str::<Value>(&r.body).expect("JSON"));
    let told = bodies.filter(|b| b["job_id"] == item);
    told.map(|b| b["result"]["files"][0]["outcome"].as_str().expect("an outcome").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_after_the_backup_is_not_judged_or_moved_again() {
    let rig = Rig::new("").await;
    let [accepted, refused, gone, waits] =
        [("1.pdf", "depois 1"), ("2.pdf", "depois errado"), ("3.pdf", "depois 3"), ("4.pdf", "depois 4")].map(|(n, t)| rig.drop_file(n, t));
    let [retried, asked] = ["5.pdf", "6.pdf"].map(|name| rig.drop_file(name, &format!("ruim {name}")));
    rig.world.json(0, &["watch"]).await;
    for file in [&retried, &asked] {
        rig.world.json(0, &["retry", "--file", file]).await;
    }
    let backup = rig.world.path("backup.db").display().to_string();
    rig.world.json(0, &["ledger", "backup", &backup]).await;

    configure(&rig.world, &rig.backend, COUNTS);
    for file in [&accepted, &refused, &retried] {
        rig.world.json(0, &["process", "--file", file]).await;
    }
    rig.world.control().trash(ANA, &gone).expect("taken back");
    let places = |rig: &Rig| [&accepted, &refused, &retried].map(|f| rig.place(f));
    let local = |rig: &Rig| [rig.local("processados"), rig.local("erro")];
    let (before, ran) = (places(&rig), runs(&rig));
    assert_eq!((before.clone().map(|(place, _)| place), ran), (["processados", "erro", "processados"].map(str::to_owned), 3));
    assert_eq!(local(&rig), [vec!["1.pdf", "5.pdf"], vec!["2.pdf", "6.pdf"]]);

    rig.let_go_of_ledger().await;
    let said = rig.world.run(&["ledger", "restore", &backup]).await.expect(0).stdout;
    assert!(said.contains("6 files under way") && said.contains("is looked for on Drive first"), "{said}");
    configure(&rig.world, &rig.backend, ACCEPTS);
    rig.world.json(0, &["process", "42"]).await;
    assert_eq!(places(&rig), before, "nothing was moved, and the reason stands");
    assert_eq!(rig.local("processados"), ["1.pdf", "4.pdf", "5.pdf", "6.pdf"]);
    assert_eq!(rig.local("erro"), ["2.pdf", "3.pdf"]);
    assert_eq!(runs(&rig), ran + 2, "only for what waits still, and what was to be tried again");
    assert_eq!((rig.place(&waits).0.as_str(), rig.place(&asked).0.as_str()), ("processados", "processados"));
    for (file, ended) in [(&accepted, "processado"), (&refused, "erro"), (&gone, "retirado"), (&retried, "processado")] {
        let why = rig.world.json(0, &["why", file]).await;
        let item = why["items"][0]["item_id"].as_str().expect("an id");
        assert_eq!(why["items"][0]["outcome"], ended, "{why}");
        let told = outcomes(&rig, item);
        assert_eq!(told.last().map(String::as_str), Some(ended), "{file}: {told:?}");
    }
    assert_eq!(outcomes(&rig, rig.world.json(0, &["why", &accepted]).await["items"][0]["item_id"].as_str().expect("an id")).len(), 2);
    assert_eq!(rig.world.json(0, &["check"]).await["left"], 0);
    rig.assert_promise();
}
