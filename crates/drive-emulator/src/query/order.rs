//! The `orderBy` of a list (2.40).

use crate::error::{ApiError, ApiResult};

/// What a list can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// `createdTime`.
    CreatedTime,
    /// `folder`: folders first.
    Folder,
    /// `modifiedByMeTime`.
    ModifiedByMeTime,
    /// `modifiedTime`.
    ModifiedTime,
    /// `name`.
    Name,
    /// `name_natural`: see [`super::text::natural`].
    NameNatural,
    /// `quotaBytesUsed`.
    QuotaBytesUsed,
    /// `recency`: the latest time of the file.
    Recency,
    /// `sharedWithMeTime`.
    SharedWithMeTime,
    /// `starred`.
    Starred,
    /// `viewedByMeTime`.
    ViewedByMeTime,
}

/// A parsed `orderBy`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderBy {
    /// The keys in their order; true sorts descending.
    pub keys: Vec<(SortKey, bool)>,
}

impl OrderBy {
    /// Reads the parameter; blank is no order.
    ///
    /// # Errors
    /// 400 `invalid` for an unknown key, 403 `orderByContainsDuplicateSortKeys` for one named
    /// twice, and the 500 Drive really gives where `starred` is not first (2.40).
    pub fn parse(text: &str) -> ApiResult<Self> {
        let mut keys: Vec<(SortKey, bool)> = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self { keys });
        }
        for part in text.split(',') {
            let (key, descending) = read(part).ok_or_else(|| ApiError::invalid_value("orderBy"))?;
            if keys.iter().any(|(known, _)| same(*known, key)) {
                return Err(ApiError::forbidden("orderByContainsDuplicateSortKeys", "The orderBy parameter contains duplicate sort keys.")
                    .at_parameter("orderBy"));
            }
            keys.push((key, descending));
        }
        if keys.iter().skip(1).any(|(key, _)| *key == SortKey::Starred) {
            return Err(ApiError::internal("Internal Error"));
        }
        Ok(Self { keys })
    }
}

fn read(part: &str) -> Option<(SortKey, bool)> {
    let mut words = part.split_whitespace();
    let key = match words.next()? {
        "createdTime" => SortKey::CreatedTime,
        "folder" => SortKey::Folder,
        "modifiedByMeTime" => SortKey::ModifiedByMeTime,
        "modifiedTime" => SortKey::ModifiedTime,
        "name" => SortKey::Name,
        "name_natural" => SortKey::NameNatural,
        "quotaBytesUsed" => SortKey::QuotaBytesUsed,
        "recency" => SortKey::Recency,
        "sharedWithMeTime" => SortKey::SharedWithMeTime,
        "starred" => SortKey::Starred,
        "viewedByMeTime" => SortKey::ViewedByMeTime,
        _ => return None,
    };
    let descending = match words.next() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some((key, descending))
}

/// The two orders by name count as one key.
fn same(left: SortKey, right: SortKey) -> bool {
    let by_name = |key| matches!(key, SortKey::Name | SortKey::NameNatural);
    left == right || (by_name(left) && by_name(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (u16, String) {
        let error = OrderBy::parse(text).expect_err("the order is wrong");
        (error.code().as_u16(), error.reason().to_owned())
    }

    #[test]
    fn keys_keep_their_order_and_direction() {
        let order = OrderBy::parse("folder,modifiedTime desc, name").expect("right");
        assert_eq!(order.keys, [(SortKey::Folder, false), (SortKey::ModifiedTime, true), (SortKey::Name, false)]);
        assert_eq!(OrderBy::parse(" ").expect("blank is no order"), OrderBy::default());
    }

    #[test]
    fn b2_40_wrong_orders_are_refused_each_in_its_way() {
        assert_eq!(refused("nome"), (400, "invalid".into()));
        assert_eq!(refused("name down"), (400, "invalid".into()));
        assert_eq!(refused("name,"), (400, "invalid".into()));
        assert_eq!(refused("name desc desc"), (400, "invalid".into()));
        assert_eq!(refused("name,name desc"), (403, "orderByContainsDuplicateSortKeys".into()));
        assert_eq!(refused("name,name_natural"), (403, "orderByContainsDuplicateSortKeys".into()));
        assert_eq!(refused("name,starred"), (500, "internalError".into()));
        assert!(OrderBy::parse("starred,name").is_ok());
    }
}
