//! Names and reasons in what people read: as they are, but for what could fool a terminal.

use super::{Rig, configure};

/// What a technician may call a file, and how it is shown.
const NAMES: [(&str, &str); 5] = [
    ("Zé d'Ávila.pdf", "Zé d'Ávila.pdf"),
    (r#"a "b" c.pdf"#, r#"a "b" c.pdf"#),
    (r"C:\x.pdf", r"C:\x.pdf"),
    ("\u{1b}[31m\n7.pdf", r"\u{1b}[31m\n7.pdf"),
    ("\u{202e}fdp.8", r"\u{202e}fdp.8"),
];
const REASON: &str = r#"OS de "João d'Ávila" em C:\x"#;

#[tokio::test(flavor = "multi_thread")]
async fn names_and_reasons_stand_as_they_are_in_what_people_read() {
    let rig = Rig::new("").await;
    std::fs::write(rig.world.path("reason"), REASON).expect("written");
    let refuses = format!(
        "command = [\"/bin/sh\", \"-c\", 'cat {} >&2; exit 3', \"{{path}}\"]\naccept = [\"*\"]\n",
        rig.world.path("reason").display()
    );
    configure(&rig.world, &rig.backend, &refuses);
    for (name, _) in NAMES {
        rig.drop_file(name, "%PDF-1.7");
    }
    let watch = rig.world.run(&["watch", "-v"]).await.expect(0).stdout;
    let retry = rig.world.run(&["retry", "--dry-run"]).await.expect(0).stdout;
    for (name, shown) in NAMES {
        let why = rig.world.run(&["why", name]).await.expect(0).stdout;
        assert!(why.starts_with(shown) && why.contains(&format!("\n  {REASON}\n")), "{why}");
        assert!(why.contains(&format!("judged     erro: {REASON}\n")), "{why}");
        for table in [&watch, &retry] {
            assert!(table.lines().any(|l| l.contains(&format!("42  {shown}  ")) && l.ends_with(REASON)), "{shown} in {table}");
        }
    }
    let local = rig.world.run(&["why", NAMES[0].0]).await.expect(0).stdout;
    assert!(local.contains("filed      pdfs/erro/Zé d'Ávila.pdf\n"), "{local}");
    let unknown = rig.world.run(&["why", "d'Ávila \"2\".pdf"]).await.expect(65).stderr;
    assert!(unknown.contains("nothing is known of \"d'Ávila \"2\".pdf\""), "{unknown}");
    let elsewhere = rig.world.run(&["retry", "--file", "d'Ávila 2.pdf"]).await.expect(65).stderr;
    assert!(elsewhere.contains(r" why 'd'\''Ávila 2.pdf'`"), "{elsewhere}");
}
