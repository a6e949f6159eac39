//! Which channels a commit concerns, and what they are told.

use std::sync::Arc;

use rusqlite::Connection;

use super::post::{PATIENCE, Post, post};
use super::{Channel, next_message, watching};
use crate::app::App;
use crate::clock;
use crate::error::ApiResult;
use crate::rules::cx::After;
use crate::store::settings::Settings;

/// One notice, not yet numbered.
struct Notice {
    channel: Channel,
    /// The first of its channel.
    first: bool,
    state: String,
    changed: String,
}

/// Tells the channels that a commit concerns. Sending runs in the background; nobody waits for it.
pub(crate) fn deliver(app: &Arc<App>, after: &After) {
    if after.logs.is_empty() && after.files.is_empty() && after.channels.is_empty() {
        return;
    }
    // The number is drawn here, while the commit's caller still waits: notices of one channel are
    // numbered in the order of the commits.
    let Ok((posts, sync_first)) = posts(app, after) else {
        // A notice lost is a notice nobody promised (5.13).
        return;
    };
    for notice in posts {
        let first = sync_first && notice.first;
        let sending = app.runtime.spawn(post(notice));
        if first {
            // Channels are made by calls, which run off the runtime's threads. A receiver that does not answer is told later.
            let _ = app.runtime.block_on(async { tokio::time::timeout(PATIENCE, sending).await });
        }
    }
}

/// What is to be sent, and whether the first messages of channels go before everything else.
fn posts(app: &App, after: &After) -> ApiResult<(Vec<Post>, bool)> {
    let (notices, switches) = app.store.read(|db| Ok((find(db, after)?, Settings::load(db)?.switches)))?;
    if notices.is_empty() || switches.push_loses {
        return Ok((Vec::new(), false));
    }
    let step = switches.push_number_step;
    let mut posts: Vec<Post> = app.store.write(|db| notices.iter().map(|notice| numbered(db, notice, step)).collect())?;
    if switches.push_repeats {
        posts.extend(posts.clone());
    }
    Ok((posts, switches.push_sync_first))
}

fn find(db: &Connection, after: &After) -> ApiResult<Vec<Notice>> {
    let settings = Settings::load(db)?;
    let now = settings.now();
    let switches = &settings.switches;
    let says = |state: &str| if switches.push_state.is_empty() { state.to_owned() } else { switches.push_state.clone() };
    let state = says(if switches.push_says_changed { "changed" } else { "change" });
    let mut notices = Vec::new();
    for id in &after.channels {
        if let Some(channel) = Channel::live(db, id, now)? {
            notices.push(Notice { channel, first: true, state: "sync".to_owned(), changed: String::new() });
        }
    }
    for log in &after.logs {
        let channels = watching(db, log, now)?;
        notices.extend(channels.into_iter().map(|channel| Notice { channel, first: false, state: state.clone(), changed: String::new() }));
    }
    for event in &after.files {
        for channel in watching(db, &format!("f:{}", event.id), now)? {
            notices.push(Notice { channel, first: false, state: says(event.state), changed: event.changed.join(",") });
        }
    }
    Ok(notices)
}

fn numbered(db: &Connection, notice: &Notice, step: i64) -> ApiResult<Post> {
    let channel = &notice.channel;
    let mut headers = vec![
        ("X-Goog-Channel-ID", channel.id.clone()),
        ("X-Goog-Channel-Expiration", clock::http_date(channel.expires)),
        ("X-Goog-Resource-State", notice.state.clone()),
        ("X-Goog-Message-Number", next_message(db, &channel.id, step)?.to_string()),
        ("X-Goog-Resource-ID", channel.resource.clone()),
        ("X-Goog-Resource-URI", channel.uri.clone()),
    ];
    headers.extend(channel.token.clone().map(|token| ("X-Goog-Channel-Token", token)));
    if !notice.changed.is_empty() {
        headers.push(("X-Goog-Changed", notice.changed.clone()));
    }
    Ok(Post { address: channel.address.clone(), headers, first: notice.first })
}
