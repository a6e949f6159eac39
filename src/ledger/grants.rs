//! With whom `novos` is to be shared beyond the technician's own e-mail, which their row implies.

use super::Ledger;
use crate::domain::technician::{Email, UserId};
use crate::error::Failure;

/// A grant that `share --with` asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedGrant {
    /// To whom.
    pub email: Email,
    /// Drive's word for the role: `writer`, `reader` …
    pub role: String,
    /// Whether Google sends its own e-mail when the grant is made.
    pub notify: bool,
}

impl Ledger {
    /// The grants wanted for a technician's `novos`, by address.
    pub async fn wanted_grants(&self, user: &UserId) -> Result<Vec<WantedGrant>, Failure> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT email, role, notify FROM wanted_grants WHERE user_id = $1 ORDER BY email")
                .bind(user.as_str())
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        rows.into_iter()
            .map(|(email, role, notify)| {
                let email = Email::parse(&email).map_err(|_| self.unreadable("e-mail", &email))?;
                Ok(WantedGrant { email, role, notify: notify != 0 })
            })
            .collect()
    }

    /// Wants a grant, or another role for one that is wanted already. The technician must be reserved.
    pub async fn want_grant(&self, user: &UserId, grant: &WantedGrant) -> Result<(), Failure> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO wanted_grants (user_id, email, role, notify) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id, email) DO UPDATE SET role = excluded.role, notify = excluded.notify",
        )
        .bind(user.as_str())
        .bind(grant.email.as_str())
        .bind(&grant.role)
        .bind(i64::from(grant.notify))
        .execute(&mut *tx)
        .await
        .map_err(|e| self.failed(e))?;
        self.commit(tx).await
    }

    /// Wants it no longer. `false` where it was not wanted.
    pub async fn unwant_grant(&self, user: &UserId, email: &Email) -> Result<bool, Failure> {
        let mut tx = self.write().await?;
        let done = sqlx::query("DELETE FROM wanted_grants WHERE user_id = $1 AND email = $2")
            .bind(user.as_str())
            .bind(email.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|e| self.failed(e))?;
        self.commit(tx).await?;
        Ok(done.rows_affected() == 1)
    }
}
