//! `q` and `orderBy`: nothing panics, and a query that was read and is written again is read as the same query.

use drive_emulator::query::{Condition, Expr, Flag, OrderBy, Term, TimeField, Visibility};

/// What is nested no deeper than this is read also with twice the brackets.
const DEEP: usize = 20;

/// Text as it stands in a request.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = OrderBy::parse(text);
    let Ok(Some(expr)) = Expr::parse(text) else { return };
    // Written with brackets around everything it is deeper than it was, and only so deep is read.
    if depth(&expr) <= DEEP {
        let again = written(&expr);
        assert_eq!(Expr::parse(&again).ok().flatten().as_ref(), Some(&expr), "{text:?} was written as {again:?}");
    }

    let asked = expr.terms().len();
    assert!(asked > 0, "a query without a term");
    for outcome in [true, false] {
        let mut count = 0;
        let decided = expr.eval(&mut |_| {
            count += 1;
            Ok(outcome)
        });
        assert!(decided.is_ok() && (1..=asked).contains(&count), "{count} of {asked} terms asked for");
    }
    // Every value has its place in the condition.
    let narrowed = expr.narrow(&mut |_, _| Some(Condition::new("? = ?", [1.into(), 2.into()])));
    let narrowed = narrowed.unwrap_or_else(|| panic!("{text:?} does not narrow where every term does"));
    assert_eq!(narrowed.sql.matches('?').count(), narrowed.values.len());
    let parents = expr.parents().unwrap_or_default().len();
    assert!(parents <= asked);
    let _ = (expr.has_full_text(), expr.mentions_trashed());
    let named = expr.with_aliases("ana@example.com", "0root");
    assert_eq!(named.terms().len(), asked);
}

fn depth(expr: &Expr) -> usize {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => 1 + parts.iter().map(depth).max().unwrap_or_default(),
        Expr::Not(part) => 1 + depth(part),
        Expr::Term(_) => 0,
    }
}

/// Writes a query as a client would (2.45).
pub fn written(expr: &Expr) -> String {
    let all = |parts: &[Expr], word: &str| parts.iter().map(|part| format!("({})", written(part))).collect::<Vec<_>>().join(word);
    match expr {
        Expr::And(parts) => all(parts, " and "),
        Expr::Or(parts) => all(parts, " or "),
        Expr::Not(part) => format!("not ({})", written(part)),
        Expr::Term(term) => term_written(term),
    }
}

fn term_written(term: &Term) -> String {
    match term {
        Term::NameIs(text) => format!("name={}", quoted(text)),
        Term::NameContains(text) => format!("name contains {}", quoted(text)),
        Term::FullText(text) => format!("fullText contains {}", quoted(text)),
        Term::MimeIs(text) => format!("mimeType = {}", quoted(text)),
        Term::MimeContains(text) => format!("mimeType contains {}", quoted(text)),
        Term::Parent(text) => format!("{} in parents", quoted(text)),
        Term::Owner(text) => format!("{} in owners", quoted(text)),
        Term::Writer(text) => format!("{} in writers", quoted(text)),
        Term::Reader(text) => format!("{} in readers", quoted(text)),
        Term::Label(text) => format!("{} in labels", quoted(text)),
        Term::ShortcutTarget(text) => format!("shortcutDetails.targetId={}", quoted(text)),
        Term::Flag(Flag::Trashed) => "trashed = true".to_owned(),
        Term::Flag(Flag::Starred) => "starred".to_owned(),
        Term::Flag(Flag::SharedWithMe) => "sharedWithMe".to_owned(),
        Term::Property { private, key, value } => {
            let of = if *private { "appProperties" } else { "properties" };
            let value = value.as_ref().map(|value| format!(" and value={}", quoted(value))).unwrap_or_default();
            format!("{of} has {{ key={}{value} }}", quoted(key))
        }
        Term::Visibility(visibility) => format!("visibility='{}'", visibility_word(*visibility)),
        Term::Time(field, compare, ms) => {
            let field = match field {
                TimeField::Created => "createdTime",
                TimeField::Modified => "modifiedTime",
                TimeField::ViewedByMe => "viewedByMeTime",
                TimeField::SharedWithMe => "sharedWithMeTime",
            };
            let time = jiff::Timestamp::from_millisecond(*ms).expect("a time that was read");
            format!("{field} {} '{time}'", compare.sign())
        }
    }
}

fn visibility_word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::AnyoneCanFind => "anyoneCanFind",
        Visibility::AnyoneWithLink => "anyoneWithLink",
        Visibility::DomainCanFind => "domainCanFind",
        Visibility::DomainWithLink => "domainWithLink",
        Visibility::Limited => "limited",
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
