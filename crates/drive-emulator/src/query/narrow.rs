//! A query as a condition a database can narrow by.

use super::{Expr, Term};

/// A piece of SQL with its values, in the order of its `?`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The text; values stand as `?`.
    pub sql: String,
    /// The values.
    pub values: Vec<rusqlite::types::Value>,
}

impl Condition {
    /// A condition from its text and values.
    pub fn new(sql: impl Into<String>, values: impl IntoIterator<Item = rusqlite::types::Value>) -> Self {
        Self { sql: sql.into(), values: values.into_iter().collect() }
    }
}

impl Expr {
    /// A condition that lets through at least every file the query holds for.
    ///
    /// `translate` gives the SQL for a term, or for its opposite where the flag says so; the SQL
    /// must be true for every file for which that holds, and never NULL for one. Where it gives
    /// nothing the term does not narrow, and what comes through must be checked with
    /// [`Expr::eval`]. No answer at all means that nothing narrows.
    pub fn narrow(&self, translate: &mut dyn FnMut(&Term, bool) -> Option<Condition>) -> Option<Condition> {
        self.narrow_signed(false, translate)
    }

    fn narrow_signed(&self, negated: bool, translate: &mut dyn FnMut(&Term, bool) -> Option<Condition>) -> Option<Condition> {
        match self {
            Expr::Term(term) => translate(term, negated),
            Expr::Not(part) => part.narrow_signed(!negated, translate),
            Expr::And(parts) | Expr::Or(parts) => {
                // `not (a or b)` is `not a and not b`.
                let all_hold = matches!(self, Expr::And(_)) != negated;
                let found: Vec<Option<Condition>> = parts.iter().map(|part| part.narrow_signed(negated, translate)).collect();
                if all_hold {
                    join(found.into_iter().flatten().collect(), " AND ")
                } else {
                    join(found.into_iter().collect::<Option<Vec<_>>>()?, " OR ")
                }
            }
        }
    }

    /// The folders one of which must be the parent, where the query says so for certain: what a
    /// listing by folder can start from.
    pub fn parents(&self) -> Option<Vec<&str>> {
        match self {
            Expr::Term(Term::Parent(id)) => Some(vec![id]),
            Expr::Term(_) | Expr::Not(_) => None,
            Expr::And(parts) => parts.iter().find_map(Expr::parents),
            Expr::Or(parts) => {
                let parents: Option<Vec<Vec<&str>>> = parts.iter().map(Expr::parents).collect();
                Some(parents?.concat())
            }
        }
    }
}

fn join(conditions: Vec<Condition>, word: &str) -> Option<Condition> {
    if conditions.is_empty() {
        return None;
    }
    let mut all = conditions.into_iter();
    let count = all.len();
    tree(&mut all, count, word)
}

/// As a tree and not as a chain: SQLite takes expressions of a thousand levels, but no more.
fn tree(all: &mut std::vec::IntoIter<Condition>, count: usize, word: &str) -> Option<Condition> {
    if count == 1 {
        return all.next();
    }
    let mut left = tree(all, count / 2, word)?;
    let right = tree(all, count - count / 2, word)?;
    left.sql = format!("({}){word}({})", left.sql, right.sql);
    left.values.extend(right.values);
    Some(left)
}
