//! Drive in bad weather, on the path of a whole `tecnico watch`: what passes is outwaited, what does not is told.

use drive_emulator::control::{BodyShape, Effect, Fault, Status, When};

use super::Rig;

fn html(code: u16) -> Status {
    Status { body: BodyShape::Html, reason: None, ..Status::new(code, "") }
}

fn limit(code: u16, reason: &str, retry_after: Option<u64>) -> Status {
    Status { retry_after, ..Status::new(code, reason) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_comes_through_limits_and_pages_of_html() {
    let rig = Rig::new("").await;
    rig.cycle().await;
    let control = rig.world.control();
    for n in 0..6 {
        rig.drop_file(&format!("{n}.pdf"), &format!("bom {n}"));
    }
    let bad = rig.drop_file("ruim.pdf", "ruim");
    for (status, every) in [
        (html(502), 5),
        (limit(429, "rateLimitExceeded", Some(1)), 7),
        (limit(429, "rateLimitExceeded", None), 8),
        (limit(403, "userRateLimitExceeded", None), 11),
        (Status::new(500, "internalError"), 9),
        (Status { body: BodyShape::Text, ..html(503) }, 13),
    ] {
        control.fault(Fault::new(Effect::Status(status)).when(When::Every { every })).expect("a rule that can strike");
    }
    let report = rig.world.json(0, &["watch"]).await;
    assert_eq!((report["filed"].as_array().map(Vec::len), report["faults"].as_array().map(Vec::len)), (Some(7), Some(0)), "{report}");
    assert!(control.gate().faults().iter().filter(|f| f.struck > 0).count() >= 4, "there was weather: {:?}", control.gate().faults());
    assert_eq!((rig.told(&bad), rig.calls().len()), (vec!["erro".to_owned()], 7));
    rig.assert_promise();
}

/// What does not pass ends the run with a code that says so, and the next run finds everything as it was.
#[tokio::test(flavor = "multi_thread")]
async fn weather_that_lasts_is_told_and_costs_nothing_else() {
    for (fault, code, exit) in [
        (Fault::new(Effect::Status(html(502))), "drive_unavailable", 69),
        (Fault::new(Effect::Status(html(503))).op("files.update"), "drive_unavailable", 1),
        // Longer than anybody waits in a run.
        (Fault::new(Effect::Status(limit(429, "rateLimitExceeded", Some(3_600)))), "rate_limited", 75),
        (Fault::new(Effect::Status(limit(403, "userRateLimitExceeded", Some(3_600)))).op("files.update"), "rate_limited", 75),
    ] {
        let rig = Rig::new("").await;
        rig.cycle().await;
        let file = rig.drop_file("1.pdf", "bom");
        let op = fault.calls.op.clone();
        rig.world.control().fault(fault).expect("a rule that can strike");
        let report = rig.world.json(exit, &["watch"]).await;
        assert_eq!(report["faults"][0]["code"], code, "{op:?}: {report}");
        assert!(report["faults"][0]["hint"].is_string(), "{report}");
        assert_eq!((rig.place(&file).0, rig.told(&file).len()), ("novos".into(), 0), "{op:?}");
        let told = rig.world.run(&["status"]).await;
        assert!(told.stdout.contains("the last one failed"), "{told:?}");
        rig.world.control().clear_faults();
        rig.pass(24 * 60);
        let report = rig.cycle().await;
        assert!(report.is_clean(), "{op:?}: {:?}", report.faults);
        assert_eq!((rig.told(&file), rig.calls().len()), (vec!["processado".to_owned()], 1), "{op:?}");
        rig.assert_promise();
    }
}
