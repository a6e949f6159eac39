//! Query parameters as Drive reads them (0.2, 0.6 to 0.10).

use crate::error::{ApiError, ApiResult};

/// The query of a request, in its order.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

const BOOLEANS: &[(&str, &str)] = &[
    ("supportsAllDrives", "supports_all_drives"),
    ("supportsTeamDrives", "supports_team_drives"),
    ("includeItemsFromAllDrives", "include_items_from_all_drives"),
    ("includeTeamDriveItems", "include_team_drive_items"),
    ("acknowledgeAbuse", "acknowledge_abuse"),
    ("useDomainAdminAccess", "use_domain_admin_access"),
    ("keepRevisionForever", "keep_revision_forever"),
    ("enforceSingleParent", "enforce_single_parent"),
    ("ignoreDefaultVisibility", "ignore_default_visibility"),
    ("sendNotificationEmail", "send_notification_email"),
    ("transferOwnership", "transfer_ownership"),
    ("moveToNewOwnersRoot", "move_to_new_owners_root"),
    ("removeExpiration", "remove_expiration"),
    ("includeRemoved", "include_removed"),
    ("includeCorpusRemovals", "include_corpus_removals"),
    ("restrictToMyDrive", "restrict_to_my_drive"),
    ("useContentAsIndexableText", "use_content_as_indexable_text"),
    ("allowItemDeletion", "allow_item_deletion"),
    ("copyComments", "copy_comments"),
    ("enforceExpansiveAccess", "enforce_expansive_access"),
];

const INTEGERS: &[(&str, &str)] = &[("pageSize", "page_size"), ("count", "count")];

impl Query {
    /// Reads `a=b&c=d`; `+` and `%20` are both a space (0.10).
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Adds the parameters of a form body (0.9), behind those of the address.
    pub fn extend(&mut self, form: &[u8]) {
        self.0.extend(form_urlencoded::parse(form).into_owned());
    }

    /// All parameters, in their order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The first of a name, as Drive takes it (0.6).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first of a name that is not empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A boolean; `default` where it is absent. [`Query::check`] has refused wrong spellings.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| boolean(value).unwrap_or(default))
    }

    /// Whether a parameter is the word `true`, which some checks insist on (0.8).
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// `supportsAllDrives` or its older name.
    pub fn all_drives(&self) -> bool {
        self.is_true("supportsAllDrives") || self.is_true("supportsTeamDrives")
    }

    /// `includeItemsFromAllDrives` or its older name.
    pub fn include_all(&self) -> bool {
        self.is_true("includeItemsFromAllDrives") || self.is_true("includeTeamDriveItems")
    }

    /// `driveId` or its older name.
    pub fn drive(&self) -> Option<&str> {
        self.filled("driveId").or_else(|| self.filled("teamDriveId"))
    }

    /// A comma-separated list.
    pub fn list(&self, name: &str) -> Vec<String> {
        let all = self.get(name).unwrap_or_default();
        all.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
    }

    /// Whether answers are indented (0.3).
    pub fn pretty(&self) -> bool {
        self.flag("prettyPrint", true)
    }

    /// Whether the bytes are asked for (2.4).
    pub fn alt_media(&self) -> bool {
        self.get("alt").is_some_and(|alt| alt.eq_ignore_ascii_case("media"))
    }

    /// `pageSize` within `1..=max`, or 400 (2.33); coerced where the switch says so (11.1).
    pub fn page_size(&self, default: usize, max: usize, strict: bool) -> ApiResult<usize> {
        let Some(text) = self.get("pageSize") else { return Ok(default) };
        let value: i64 = text.parse().unwrap_or(0);
        let most = i64::try_from(max).unwrap_or(i64::MAX);
        let repeated = self.0.iter().filter(|(key, _)| key == "pageSize").count() > 1;
        if strict && !repeated && !(1..=most).contains(&value) {
            return Err(ApiError::page_size_out_of_range(value, 1, most));
        }
        Ok(usize::try_from(value.clamp(1, most)).unwrap_or(default))
    }

    /// Refuses values of the wrong type (0.7, 2.33).
    pub fn check(&self) -> ApiResult<()> {
        if let Some((_, version)) = self.0.iter().rev().find(|(key, _)| key == "$.xgafv")
            && !["1", "2"].contains(&version.as_str())
        {
            return Err(ApiError::invalid_typed_value("$.xgafv", "TYPE_ENUM", version));
        }
        for (name, field) in BOOLEANS {
            if let Some(value) = self.get(name).filter(|value| boolean(value).is_none()) {
                return Err(ApiError::invalid_typed_value(field, "TYPE_BOOL", value));
            }
        }
        for (name, field) in INTEGERS {
            if let Some(value) = self.get(name).filter(|value| value.parse::<i32>().is_err()) {
                return Err(ApiError::invalid_typed_value(field, "TYPE_INT32", value));
            }
        }
        Ok(())
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "y" | "yes" => Some(true),
        "false" | "f" | "0" | "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b0_6_the_first_of_a_repeated_parameter_counts() {
        let query = Query::parse("q=a+b&q=c&fields=x%20y");
        assert_eq!(query.get("q"), Some("a b"));
        assert_eq!(query.get("fields"), Some("x y"));
    }

    #[test]
    fn b0_7_booleans_have_many_spellings_and_b0_8_some_checks_want_true() {
        for good in ["true", "T", "1", "yes", "Y"] {
            let query = Query::parse(&format!("supportsAllDrives={good}"));
            assert!(query.check().is_ok(), "{good}");
            assert!(query.flag("supportsAllDrives", false), "{good}");
        }
        for bad in ["on", "", "+true", "NOPE"] {
            assert!(Query::parse(&format!("supportsAllDrives={bad}")).check().is_err(), "{bad}");
        }
        assert!(Query::parse("supportsAllDrives=TRUE").all_drives());
        assert!(!Query::parse("supportsAllDrives=1").all_drives());
    }

    #[test]
    fn b2_33_page_sizes() {
        let size = |text: &str, strict| Query::parse(text).page_size(100, 1000, strict);
        assert_eq!(size("", true).expect("absent"), 100);
        assert_eq!(size("pageSize=1000", true).expect("the largest"), 1000);
        assert_eq!(size("pageSize=0", true).expect_err("too small").reason(), "invalidParameter");
        assert_eq!(size("pageSize=5000", false).expect("coerced"), 1000);
        assert_eq!(size("pageSize=5000&pageSize=2", true).expect("two are not checked"), 1000);
        assert!(Query::parse("pageSize=x").check().is_err());
    }
}
