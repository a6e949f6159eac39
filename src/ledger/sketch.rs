//! Who there is, copied for trying something out: what is written there is thrown away.

use super::{Draft, Ledger};
use crate::error::Failure;

/// Not the files, of which there may be a hundred thousand. Both have this program's schema: the columns are in one order.
const COPY: &str = "BEGIN;
    INSERT INTO main.technicians SELECT * FROM known.technicians;
    INSERT INTO main.folders SELECT * FROM known.folders;
    INSERT INTO main.wanted_grants SELECT * FROM known.wanted_grants;
    INSERT INTO main.archives SELECT * FROM known.archives;
    COMMIT;
    DETACH DATABASE known";

impl Ledger {
    /// A copy of what is known of the technicians and their folders, without their files, and without ids to spare.
    pub async fn sketch(&self) -> Result<Draft, Failure> {
        let draft = Draft::for_looking().await?;
        let pool = &draft.ledger().pool;
        let attach = sqlx::query("ATTACH DATABASE $1 AS known").bind(self.path.to_string_lossy().into_owned());
        attach.execute(pool).await.map_err(|e| self.failed(e))?;
        sqlx::raw_sql(COPY).execute(pool).await.map_err(|e| self.failed(e))?;
        Ok(draft)
    }
}
