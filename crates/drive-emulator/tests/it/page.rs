//! The page at `/`: it brings everything along, and what users name can only become text on it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Rig, send};

/// Names that would be markup, script, or something else than they look like.
const HOSTILE: [&str; 7] = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "\u{202e}fdp.exe",
    "line\r\nbreak\0",
    "{{constructor.constructor('x')()}}",
    "javascript:document.title='owned'",
];

/// What stands between two marks, the first time they come.
fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} after {from}")).0
}

async fn page(rig: &Rig) -> (reqwest::header::HeaderMap, String) {
    let answer = rig.http.get(rig.emulator.url()).send().await.expect("it answers");
    (answer.headers().clone(), answer.text().await.expect("a page"))
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere() {
    let (headers, page) = page(&Rig::start().await).await;
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("@import") && !page.contains("src="));
}

#[tokio::test]
async fn the_policy_lets_the_page_run_its_own_script_and_nothing_else() {
    use base64::Engine as _;
    use sha2::Digest as _;

    let (headers, page) = page(&Rig::start().await).await;
    let policy = headers["content-security-policy"].to_str().expect("text").to_owned();
    let sum = |tag: &str| {
        let text = between(&page, &format!("<{tag}>"), &format!("</{tag}>"));
        let sum = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text));
        format!("{tag}-src 'sha256-{sum}';")
    };
    for part in [
        "default-src 'none';",
        &sum("script"),
        &sum("style"),
        "base-uri 'none';",
        "form-action 'none';",
        "frame-ancestors 'none';",
        "require-trusted-types-for 'script';",
        "trusted-types 'none'",
    ] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
    assert!(headers["x-content-type-options"] == "nosniff" && headers["referrer-policy"] == "no-referrer");
    // One script, in one element: the sum is of all there is.
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
}

#[tokio::test]
async fn the_page_has_no_way_to_make_markup_of_text() {
    let (_, page) = page(&Rig::start().await).await;
    let ways = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "createContextualFragment",
        "DOMParser",
        "srcdoc",
        "eval(",
        "Function(",
        "setAttribute",
        ".href",
        ".src",
        "onclick=\"",
        "style=\"",
    ];
    for way in ways {
        assert!(!page.contains(way), "{way}");
    }
}

/// Everything the page asks for, with hostile names in all of it, is JSON that no browser takes for a page.
#[tokio::test]
async fn hostile_names_reach_the_page_as_json() {
    let rig = Rig::start().await;
    for name in HOSTILE {
        let id = rig.control.mkdir("ana@example.com", "root", name).expect("made");
        rig.control.share("ana@example.com", &id, "bea@example.com", "reader").expect("shared");
        rig.control.shared_drive(name, "ana@example.com").expect("made");
        send(rig.request(&rig.ana, Method::GET, "files").query(&[("q", name)])).await;
    }
    let root = &rig.ana.root_id;
    let asked =
        ["health", "state", "users?limit=9", "drives?limit=9", "counts", "requests?limit=60", "changes?limit=60"].map(str::to_owned);
    for path in asked.into_iter().chain([format!("children/{root}?limit=201"), format!("files/{root}")]) {
        let answer = rig.http.get(format!("{}/_emulator/{path}", rig.emulator.url())).send().await.expect("it answers");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"application/json; charset=UTF-8".parse().expect("ok"))
        );
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        let value: Value = answer.json().await.expect("JSON");
        if path.starts_with("children") {
            let names: Vec<&str> = value.as_array().expect("a list").iter().map(|file| file["name"].as_str().expect("a name")).collect();
            assert_eq!(names, HOSTILE);
        }
    }
}

#[tokio::test]
async fn the_state_tells_what_is_in_force_and_nothing_else() {
    let rig = Rig::start().await;
    let state = async || rig.control_call(Method::GET, "state", json!({})).await.ok();
    let usual = state().await;
    for (name, value) in [
        ("clock_offset_ms", json!(0)),
        ("latency_ms", json!(0)),
        ("faults", json!([])),
        ("paused", json!(false)),
        ("switches", json!({})),
        ("feed", json!({})),
    ] {
        assert_eq!(usual[name], value, "{usual}");
    }
    rig.control.set_latency(std::time::Duration::from_millis(80));
    rig.control.clock_advance(std::time::Duration::from_hours(2)).expect("turned");
    rig.control.set_switches(|switches| switches.list_lag_ms = 5_000).expect("turned");
    rig.control.set_feed(|feed| feed.delay_ms = 600).expect("turned");
    rig.control.set_quota(drive_emulator::control::Quota { calls_per_minute: Some(9), ..Default::default() });
    let turned = state().await;
    assert_eq!((&turned["latency_ms"], &turned["clock_offset_ms"]), (&json!(80), &json!(7_200_000)), "{turned}");
    assert_eq!((&turned["switches"], &turned["feed"]), (&json!({"list_lag_ms": 5_000}), &json!({"delay_ms": 600})), "{turned}");
    assert_eq!(turned["quota"]["calls_per_minute"], 9, "{turned}");
}

#[tokio::test]
async fn long_lists_are_cut_where_the_page_asks_for_it() {
    let rig = Rig::start().await;
    for n in 0..5 {
        rig.control.mkdir("ana@example.com", "root", &format!("f{n}")).expect("made");
        rig.control.shared_drive(&format!("d{n}"), "ana@example.com").expect("made");
        rig.get(&rig.ana, "about?fields=user").await;
    }
    let count = async |path: &str| rig.control_call(Method::GET, path, json!({})).await.ok().as_array().map_or(0, Vec::len);
    let children = format!("children/{}", rig.ana.root_id);
    for (path, all) in [("users", 2), ("drives", 5), (&children[..], 5), ("requests", 5)] {
        assert_eq!((count(&format!("{path}?limit=1")).await, count(path).await), (1, all), "{path}");
    }
}
