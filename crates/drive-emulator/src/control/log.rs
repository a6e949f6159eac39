//! The last requests, for assertions and for people.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::api::bearer::TOKEN_PARAMETERS;

/// How many requests are kept.
const KEEP: usize = 100_000;
/// And how many bytes of what others chose: methods, paths, queries, reasons and bodies, each of which may be long.
const KEEP_BYTES: usize = 64 << 20;

/// One request that was answered, or was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// Counts up from 1.
    pub seq: u64,
    /// When it arrived, ms since 1970 on the emulated clock.
    pub time_ms: i64,
    /// The method as sent.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without credentials.
    pub query: String,
    /// The call, such as `files.create`, or `token`.
    pub op: &'static str,
    /// Whom it acts for, where the token says so.
    pub principal: Option<String>,
    /// The status answered; none where the connection was cut or the caller left.
    pub status: Option<u16>,
    /// Why it was refused: `errors[0].reason`, or `error` of the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Quota units by the prices of 2026; refused calls cost too.
    pub units: u32,
    /// Bytes of the request's body, as announced.
    pub bytes_in: u64,
    /// The body, where it was JSON of up to 64 KB and says no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Bytes of the answer's body, as announced.
    pub bytes_out: u64,
    /// How long it took until the answer began, in ms.
    pub took_ms: u64,
    /// What a rule did to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

impl Logged {
    /// Bytes of what others chose.
    fn text(&self) -> usize {
        let optional = [&self.principal, &self.reason, &self.body].into_iter().flatten();
        self.method.len() + self.path.len() + self.query.len() + optional.map(String::len).sum::<usize>()
    }
}

/// A ring of requests with counts that outlive it.
#[derive(Debug, Default)]
pub(super) struct Log {
    ring: VecDeque<Logged>,
    /// Bytes of the ring that others chose.
    bytes: usize,
    seq: u64,
    counts: BTreeMap<&'static str, u64>,
}

impl Log {
    /// Notes the arrival of a request; its number.
    pub(super) fn arrive(&mut self, mut entry: Logged) -> u64 {
        self.seq += 1;
        entry.seq = self.seq;
        *self.counts.entry(entry.op).or_default() += 1;
        self.bytes += entry.text();
        self.ring.push_back(entry);
        self.forget();
        self.seq
    }

    fn forget(&mut self) {
        while self.ring.len() > KEEP || self.bytes > KEEP_BYTES {
            self.bytes -= self.ring.pop_front().map_or(self.bytes, |oldest| oldest.text());
        }
    }

    /// Changes the entry with this number, if it is still kept.
    pub(super) fn amend(&mut self, seq: u64, change: impl FnOnce(&mut Logged)) {
        let first = self.ring.front().map_or(u64::MAX, |entry| entry.seq);
        let index = seq.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        if let Some(entry) = index.and_then(|index| self.ring.get_mut(index)) {
            self.bytes -= entry.text();
            change(entry);
            self.bytes += entry.text();
            self.forget();
        }
    }

    pub(super) fn entries(&self) -> Vec<Logged> {
        self.ring.iter().cloned().collect()
    }

    /// The last `most` of the entries wanted, oldest first.
    pub(super) fn last(&self, most: usize, wanted: impl Fn(&Logged) -> bool) -> Vec<Logged> {
        let mut last: Vec<_> = self.ring.iter().rev().filter(|entry| wanted(entry)).take(most).cloned().collect();
        last.reverse();
        last
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.counts.clone()
    }

    pub(super) fn clear(&mut self) {
        self.ring.clear();
        self.bytes = 0;
        self.counts.clear();
    }
}

/// The query without the values of credentials.
pub(super) fn without_secrets(query: &str) -> String {
    let secret = |pair: &str| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        name.is_some_and(|name| TOKEN_PARAMETERS.contains(&&*name) || name == "key")
    };
    let shown = |pair: &str| if secret(pair) { format!("{}=-", pair.split('=').next().unwrap_or_default()) } else { pair.to_owned() };
    query.split('&').map(shown).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(op: &'static str) -> Logged {
        Logged {
            seq: 0,
            time_ms: 0,
            method: "GET".into(),
            path: "/".into(),
            query: String::new(),
            op,
            principal: None,
            status: None,
            reason: None,
            units: 5,
            bytes_in: 0,
            body: None,
            bytes_out: 0,
            took_ms: 0,
            fault: None,
        }
    }

    #[test]
    fn the_ring_forgets_the_oldest_and_counts_all() {
        let mut log = Log::default();
        for _ in 0..KEEP + 2 {
            log.arrive(entry("files.get"));
        }
        let last = log.arrive(entry("files.list"));
        log.amend(last, |entry| entry.status = Some(200));
        log.amend(1, |_| panic!("it is forgotten"));
        let entries = log.entries();
        assert_eq!((entries.len(), entries[0].seq), (KEEP, 4));
        assert_eq!(entries[KEEP - 1].status, Some(200));
        assert_eq!(log.counts()["files.get"], KEEP as u64 + 2);
        log.clear();
        log.amend(last, |_| panic!("it is forgotten"));
        assert_eq!((log.entries().len(), log.counts().len()), (0, 0));
        assert_eq!(log.arrive(entry("files.get")), last + 1);
    }

    #[test]
    fn long_requests_take_no_more_room_than_short_ones() {
        let long = || "x".repeat(60_000);
        let fill: [fn(&mut Logged, String); 6] = [
            |entry, long| entry.method = long,
            |entry, long| entry.path = long,
            |entry, long| entry.query = long,
            |entry, long| entry.principal = Some(long),
            |entry, long| entry.reason = Some(long),
            |entry, long| entry.body = Some(long),
        ];
        for (which, fill) in fill.into_iter().enumerate() {
            let mut log = Log::default();
            for _ in 0..3_000 {
                let seq = log.arrive(entry("files.list"));
                log.amend(seq, |entry| fill(entry, long()));
            }
            let kept = log.entries().len();
            assert!((1_000..=KEEP_BYTES / 60_000).contains(&kept), "{kept} of the text {which}");
            assert_eq!(log.counts()["files.list"], 3_000);
        }
    }

    #[test]
    fn credentials_are_not_kept() {
        assert_eq!(without_secrets("a=b&access_token=s3cret&key=k&c"), "a=b&access_token=-&key=-&c");
        // Names are read as the API reads them.
        assert_eq!(without_secrets("access%5Ftoken=s3cret&%6bey=k&a%5F=b"), "access%5Ftoken=-&%6bey=-&a%5F=b");
    }
}
