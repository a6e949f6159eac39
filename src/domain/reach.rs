//! Whose folders a run may touch and name.

use super::technician::UserId;

/// Everybody's, or, behind a gate that keeps its key to a prefix, those of the user ids that begin with it.
#[derive(Debug, Clone, Default)]
pub struct Reach(Option<String>);

impl Reach {
    /// Everybody's.
    pub const EVERYBODY: Self = Self(None);

    /// Those of the ids that begin so; everybody's without a prefix.
    pub fn within(prefix: Option<&str>) -> Self {
        Self(prefix.map(str::to_owned))
    }

    /// Whether there is no limit.
    pub fn is_everybody(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this technician may be touched and named.
    pub fn holds(&self, user: &UserId) -> bool {
        self.0.as_deref().is_none_or(|prefix| user.as_str().starts_with(prefix))
    }
}
