//! Intake of items, and which of them are due.

use sqlx::{Sqlite, Transaction};

use super::Ledger;
use super::item_row::{ItemRow, select_items};
use crate::domain::clock::Millis;
use crate::domain::item::{AskedFor, Item, Sighted, State};
use crate::domain::technician::UserId;
use crate::error::Failure;

/// No item waits longer than this: a day, the longest that somebody would let a file settle.
const LONGEST_ITEM_WAIT: Millis = 24 * 3_600_000;

/// Where sightings come from, and what is recorded with them in the same transaction.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Pages of a change log (`user`, or a shared drive's id), read up to `token`.
    Feed {
        /// Which log.
        feed: &'a str,
        /// Where the next reading begins.
        token: &'a str,
    },
    /// A whole listing of this technician's `novos`.
    Listing {
        /// Whose.
        user: &'a UserId,
    },
    /// One file looked at.
    Glance,
}

/// What the ledger made of a sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intake {
    /// Never seen before; recorded.
    New(Item),
    /// Known and under way; a rename or a move inside `novos` was noted.
    Open(Item),
    /// Known and ended. A lagging feed says this of files already filed, so nothing was changed: look at the
    /// file itself, and if it does lie in `novos`, [`Ledger::advance`] it with [`Act::Returned`](crate::domain::item::Act::Returned).
    Ended(Item),
}

/// In which order items come due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Whatever is due; one that waits holds nobody up.
    Any,
    /// A technician's next file only when those before it are filed (`process.ordered`).
    PerTechnician,
}

impl Ledger {
    /// Records what was seen, in the order given, together with how far the source has been read: after a
    /// crash either both are true or neither. Seeing something twice is nothing new.
    pub async fn found(&self, seen: &[Sighted], source: Source<'_>, now: Millis) -> Result<Vec<Intake>, Failure> {
        // The idle cycle: nothing seen, nothing moved on, nothing to write.
        if let (true, Source::Feed { feed, token }) = (seen.is_empty(), source)
            && self.feed_token(feed).await?.as_deref() == Some(token)
        {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let mut seq = self.last_seq(&mut tx).await?;
        let mut taken = Vec::with_capacity(seen.len());
        for sighted in seen {
            taken.push(self.take_in(&mut tx, sighted, &mut seq, now).await?);
        }
        match source {
            Source::Feed { feed, token } => self.store_token(&mut tx, feed, token, now).await?,
            Source::Listing { user } => self.store_listing(&mut tx, user, now).await?,
            Source::Glance => {}
        }
        self.commit(tx).await?;
        Ok(taken)
    }

    pub(super) async fn take_in(
        &self,
        tx: &mut Transaction<'static, Sqlite>,
        seen: &Sighted,
        seq: &mut i64,
        now: Millis,
    ) -> Result<Intake, Failure> {
        let Some(mut item) = self.item_in(tx, &seen.key.item_id()).await? else {
            *seq += 1;
            let item = Item::new(seen.clone(), *seq, now);
            self.insert_item(tx, &item).await?;
            self.append_history(tx, &item, None, &seen.name, now).await?;
            return Ok(Intake::New(item));
        };
        if !item.is_open() {
            return Ok(Intake::Ended(item));
        }
        if let Some(note) = item.see_again(seen) {
            self.update_item(tx, &item).await?;
            self.append_history(tx, &item, Some(item.standing.state), &note, now).await?;
        }
        Ok(Intake::Open(item))
    }

    pub(super) async fn last_seq(&self, tx: &mut Transaction<'static, Sqlite>) -> Result<i64, Failure> {
        sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM items").fetch_one(&mut **tx).await.map_err(|e| self.failed(e))
    }

    /// Items whose next step may be taken, in order of arrival, at most `limit`. A time further off than any wait is
    /// (a clock that was wrong wrote it) holds nothing back. `states` narrows to open
    /// states; in external mode, for one, a fetched item is another program's.
    pub async fn due(&self, now: Millis, limit: u32, order: Order, states: &[State]) -> Result<Vec<Item>, Failure> {
        let wants = |state| i64::from(states.contains(&state));
        let rows: Vec<ItemRow> = sqlx::query_as(select_items!(
            "WHERE ((state = 'found' AND $3 = 1) OR (state = 'fetched' AND $4 = 1) OR (state = 'judged' AND $5 = 1))
               AND (next_attempt_at <= $1 OR next_attempt_at > $7)
               AND ($6 = 0 OR NOT EXISTS (
                    SELECT 1 FROM items earlier
                    WHERE earlier.user_id = items.user_id AND earlier.seq < items.seq AND earlier.state IN ('found', 'fetched', 'judged')))
             ORDER BY seq LIMIT $2"
        ))
        .bind(now)
        .bind(i64::from(limit))
        .bind(wants(State::Found))
        .bind(wants(State::Fetched))
        .bind(wants(State::Judged))
        .bind(i64::from(order == Order::PerTechnician))
        .bind(now.saturating_add(LONGEST_ITEM_WAIT))
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        self.items_of(rows)
    }

    /// Records what the file of an ended item is called by now; asked for by either name, it is found.
    pub async fn renamed(&self, item: &Item, name: &str, now: Millis) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        if let Some(mut current) = self.item_in(&mut tx, &item.id).await? {
            let newest = Some(name).filter(|n| *n != current.sighted.name).map(str::to_owned);
            if current.renamed_to != newest {
                current.renamed_to = newest;
                self.update_item(&mut tx, &current).await?;
                let note = format!("called {name:?} on Drive by now");
                self.append_history(&mut tx, &current, Some(current.standing.state), &note, now).await?;
            }
        }
        self.commit(tx).await
    }

    /// Adds a line to the histories of these items; they stay as they are.
    pub async fn note_of(&self, items: &[Item], note: &str, now: Millis) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for item in items {
            self.append_history(&mut tx, item, Some(item.standing.state), note, now).await?;
        }
        self.commit(tx).await
    }

    /// Records under which task the ends of these items are to be told.
    pub async fn ask_for(&self, items: &[Item], asked_for: &AskedFor) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for item in items {
            sqlx::query("UPDATE items SET job_id = $2, job_url = $3 WHERE item_id = $1")
                .bind(&item.id)
                .bind(&asked_for.job_id)
                .bind(&asked_for.url)
                .execute(&mut *tx)
                .await
                .map_err(|e| self.failed(e))?;
        }
        self.commit(tx).await
    }

    pub(super) async fn item_in(&self, tx: &mut Transaction<'static, Sqlite>, item_id: &str) -> Result<Option<Item>, Failure> {
        let row: Option<ItemRow> = sqlx::query_as(select_items!("WHERE item_id = $1"))
            .bind(item_id)
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| self.failed(e))?;
        row.map(|r| self.item_of(r)).transpose()
    }
}
