//! The `q` and `orderBy` of a list (`drive-v3-behaviour` 2c, 2d).
//!
//! A query is read into an [`Expr`] over [`Term`]s. Whoever holds the files decides a term: either
//! one file at a time ([`Expr::eval`]) or as a condition a database can narrow by
//! ([`Expr::narrow`]), with the rules for text and times given here ([`text`], [`Compare`]).

mod lexer;
mod narrow;
mod order;
mod parser;
pub mod text;

pub use narrow::Condition;
pub use order::{OrderBy, SortKey};

use std::cmp::Ordering;

use crate::error::{ApiError, ApiResult};

/// Terms in one query; Drive's own limit is not documented (2.54), and clients name some fifty folders at once.
const MAX_TERMS: usize = 5_000;

/// A query: terms under `and`, `or`, `not`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// All hold; never empty.
    And(Vec<Expr>),
    /// At least one holds; never empty.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// One condition.
    Term(Term),
}

/// One condition on a file (2.46). `!=` is a [`Expr::Not`] around it where that says the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `name` equals, folding ASCII case (2.49).
    NameIs(String),
    /// `name contains`: see [`text::contains_prefixes`].
    NameContains(String),
    /// `fullText contains`: see [`text::contains_words`].
    FullText(String),
    /// `mimeType` equals.
    MimeIs(String),
    /// `mimeType contains`: a part of it.
    MimeContains(String),
    /// A time compared with a constant, in ms since 1970. A file without that time never matches.
    Time(TimeField, Compare, i64),
    /// A flag that is set.
    Flag(Flag),
    /// A direct child of the folder (2.47).
    Parent(String),
    /// Owned by this address.
    Owner(String),
    /// Writable by this address.
    Writer(String),
    /// Readable by this address.
    Reader(String),
    /// A custom property: with this value, or with any.
    Property {
        /// Of `appProperties`, else of `properties`.
        private: bool,
        /// The key.
        key: String,
        /// The value, if the query names one (2.48).
        value: Option<String>,
    },
    /// `visibility` equals.
    Visibility(Visibility),
    /// A shortcut to this file.
    ShortcutTarget(String),
    /// Carries this label.
    Label(String),
}

/// The times a query can compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// `createdTime`.
    Created,
    /// `modifiedTime`.
    Modified,
    /// `viewedByMeTime`.
    ViewedByMe,
    /// `sharedWithMeTime`.
    SharedWithMe,
}

/// The flags a query can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// `trashed`, through an ancestor too.
    Trashed,
    /// `starred` by the caller.
    Starred,
    /// `sharedWithMe`.
    SharedWithMe,
}

/// The values of `visibility`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Found by anyone.
    AnyoneCanFind,
    /// Open to anyone with the link.
    AnyoneWithLink,
    /// Found by the whole domain.
    DomainCanFind,
    /// Open to the domain with the link.
    DomainWithLink,
    /// Open to named people only.
    Limited,
}

/// How a time is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Compare {
    /// Whether `have` stands in this relation to `wanted`.
    pub fn holds(self, have: i64, wanted: i64) -> bool {
        let order = have.cmp(&wanted);
        match self {
            Compare::Less => order == Ordering::Less,
            Compare::LessOrEqual => order != Ordering::Greater,
            Compare::Equal => order == Ordering::Equal,
            Compare::NotEqual => order != Ordering::Equal,
            Compare::Greater => order == Ordering::Greater,
            Compare::GreaterOrEqual => order != Ordering::Less,
        }
    }

    /// The operator as q and SQL both write it.
    pub fn sign(self) -> &'static str {
        match self {
            Compare::Less => "<",
            Compare::LessOrEqual => "<=",
            Compare::Equal => "=",
            Compare::NotEqual => "!=",
            Compare::Greater => ">",
            Compare::GreaterOrEqual => ">=",
        }
    }
}

impl Expr {
    /// Reads the `q` of a request; blank is no query.
    ///
    /// # Errors
    /// 400 `invalid` "Invalid Value" at `q` for whatever is no query (2.51).
    pub fn parse(q: &str) -> ApiResult<Option<Self>> {
        if q.trim().is_empty() {
            return Ok(None);
        }
        let expr = parser::parse(q).filter(|expr| expr.terms().len() <= MAX_TERMS);
        expr.map(Some).ok_or_else(|| ApiError::invalid_value("q"))
    }

    /// Puts the caller's own address for `me` and the caller's own root for `root` (2.47).
    #[must_use]
    pub fn with_aliases(self, me: &str, root: &str) -> Self {
        self.map_terms(&|term| match term {
            Term::Parent(id) if id == "root" => Term::Parent(root.to_owned()),
            Term::Owner(email) if email == "me" => Term::Owner(me.to_owned()),
            Term::Writer(email) if email == "me" => Term::Writer(me.to_owned()),
            Term::Reader(email) if email == "me" => Term::Reader(me.to_owned()),
            term => term,
        })
    }

    fn map_terms(self, change: &dyn Fn(Term) -> Term) -> Self {
        let all = |parts: Vec<Expr>| parts.into_iter().map(|part| part.map_terms(change)).collect();
        match self {
            Expr::And(parts) => Expr::And(all(parts)),
            Expr::Or(parts) => Expr::Or(all(parts)),
            Expr::Not(part) => Expr::Not(Box::new(part.map_terms(change))),
            Expr::Term(term) => Expr::Term(change(term)),
        }
    }

    /// Whether the query holds where `decide` says which terms do. Terms that cannot change the
    /// outcome are not asked for.
    pub fn eval(&self, decide: &mut dyn FnMut(&Term) -> ApiResult<bool>) -> ApiResult<bool> {
        match self {
            Expr::Term(term) => decide(term),
            Expr::Not(part) => Ok(!part.eval(decide)?),
            Expr::And(parts) => {
                for part in parts {
                    if !part.eval(decide)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expr::Or(parts) => {
                for part in parts {
                    if part.eval(decide)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Every term, in the order it is written.
    pub fn terms(&self) -> Vec<&Term> {
        match self {
            Expr::Term(term) => vec![term],
            Expr::Not(part) => part.terms(),
            Expr::And(parts) | Expr::Or(parts) => parts.iter().flat_map(Expr::terms).collect(),
        }
    }

    /// Whether the query searches text, which forbids sorting (2.40).
    pub fn has_full_text(&self) -> bool {
        self.terms().iter().any(|term| matches!(term, Term::FullText(_)))
    }

    /// Whether the query speaks of the trash itself, for callers that hide it by default (11.2).
    pub fn mentions_trashed(&self) -> bool {
        self.terms().iter().any(|term| matches!(term, Term::Flag(Flag::Trashed)))
    }
}

#[cfg(test)]
mod tests;
