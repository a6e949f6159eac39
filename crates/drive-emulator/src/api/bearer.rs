//! Where a request says whom it acts for (0.11).

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::api::params::Query;

/// The parameters that may hold a token in place of the header.
pub const TOKEN_PARAMETERS: [&str; 2] = ["access_token", "oauth_token"];

/// The token of a request. Only the exact scheme `Bearer` counts.
pub fn bearer<'a>(headers: &'a HeaderMap, query: &'a Query) -> Option<&'a str> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    header.or_else(|| TOKEN_PARAMETERS.into_iter().find_map(|name| query.filled(name)))
}
