use rusqlite::types::Value;

use super::*;

fn read(q: &str) -> Expr {
    Expr::parse(q).expect("the query is right").expect("the query is not blank")
}

fn term(q: &str) -> Term {
    match read(q) {
        Expr::Term(term) => term,
        other => panic!("{q} is {other:?}"),
    }
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

#[test]
fn b2_46_every_term_is_read() {
    assert_eq!(term("name = 'a'"), Term::NameIs("a".into()));
    assert_eq!(term("name contains 'a'"), Term::NameContains("a".into()));
    assert_eq!(term("fullText contains 'a b'"), Term::FullText("a b".into()));
    assert_eq!(term("mimeType='a/b'"), Term::MimeIs("a/b".into()));
    assert_eq!(term("mimeType contains 'image/'"), Term::MimeContains("image/".into()));
    assert_eq!(term("'p' in parents"), Term::Parent("p".into()));
    assert_eq!(term("parents in 'p'"), Term::Parent("p".into()));
    assert_eq!(term("'ana@example.com' in owners"), Term::Owner("ana@example.com".into()));
    assert_eq!(term("'a' in writers"), Term::Writer("a".into()));
    assert_eq!(term("'a' in readers"), Term::Reader("a".into()));
    assert_eq!(term("'l' in labels"), Term::Label("l".into()));
    assert_eq!(term("visibility = 'limited'"), Term::Visibility(Visibility::Limited));
    assert_eq!(term("shortcutDetails.targetId = 't'"), Term::ShortcutTarget("t".into()));
    assert_eq!(term("modifiedTime > '1970-01-01T00:00:01'"), Term::Time(TimeField::Modified, Compare::Greater, 1_000));
    assert_eq!(
        term("appProperties has { key='k' and value='it\\'s' }"),
        Term::Property { private: true, key: "k".into(), value: Some("it's".into()) }
    );
    assert_eq!(term("properties has {key='k'}"), Term::Property { private: false, key: "k".into(), value: None });
}

#[test]
fn b2_46_bare_flags_are_true_and_all_spellings_agree() {
    let trashed = Expr::Term(Term::Flag(Flag::Trashed));
    for q in ["trashed", "trashed=true", "trashed = true", "trashed != false"] {
        assert_eq!(read(q), trashed, "{q}");
    }
    for q in ["trashed=false", "trashed != true", "not trashed", "not trashed = true"] {
        assert_eq!(read(q), not(trashed.clone()), "{q}");
    }
    assert_eq!(read("sharedWithMe"), Expr::Term(Term::Flag(Flag::SharedWithMe)));
}

#[test]
fn and_binds_before_or_and_brackets_before_both() {
    let flag = |flag| Expr::Term(Term::Flag(flag));
    let (a, b, c) = (flag(Flag::Trashed), flag(Flag::Starred), flag(Flag::SharedWithMe));
    assert_eq!(read("trashed or starred and sharedWithMe"), Expr::Or(vec![a.clone(), Expr::And(vec![b.clone(), c.clone()])]));
    assert_eq!(read("(trashed or starred) and not sharedWithMe"), Expr::And(vec![Expr::Or(vec![a, b]), not(c)]));
}

#[test]
fn b2_51_what_is_no_query_is_one_refusal() {
    let long = format!("{}trashed{}", "(".repeat(9_000), ")".repeat(9_000));
    for q in [
        "name",
        "name =",
        "name = a",
        "nome = 'a'",
        "name > 'a'",
        "name = 'a' and",
        "and trashed",
        "(trashed",
        "trashed)",
        "trashed = 1",
        "trashed = 'true'",
        "'p' in",
        "'p' in name",
        "'p'",
        "name = 'a' name = 'b'",
        "modifiedTime > 'soon'",
        "modifiedTime contains '2012'",
        "visibility = 'all'",
        "fullText = 'a'",
        "appProperties has {}",
        "appProperties has { value='v' }",
        "properties has { key='k' and }",
        "Name = 'a'",
        "trashed AND starred",
        "name = 'a",
        "{",
        "not",
        "()",
        long.as_str(),
    ] {
        let error = Expr::parse(q).expect_err(q);
        assert_eq!((error.code().as_u16(), error.reason(), error.message()), (400, "invalid", "Invalid Value"));
        assert_eq!(error.body()["error"]["errors"][0]["location"], "q", "{q}");
    }
    assert_eq!(Expr::parse("  ").expect("blank is no query"), None);
}

#[test]
fn b2_47_me_and_root_stand_for_the_caller() {
    let q = read("'me' in owners and 'root' in parents and not 'me' in writers and name = 'me'");
    let terms = q.with_aliases("ana@example.com", "r00t");
    assert_eq!(
        terms.terms(),
        [
            &Term::Owner("ana@example.com".into()),
            &Term::Parent("r00t".into()),
            &Term::Writer("ana@example.com".into()),
            &Term::NameIs("me".into()),
        ]
    );
}

#[test]
fn evaluation_asks_no_more_than_it_must() {
    let q = read("trashed = false and (name = 'a' or name = 'b')");
    let mut asked = Vec::new();
    let holds = q
        .eval(&mut |term| {
            asked.push(term.clone());
            Ok(*term == Term::NameIs("a".into()))
        })
        .expect("deciding does not fail");
    assert!(holds);
    assert_eq!(asked, [Term::Flag(Flag::Trashed), Term::NameIs("a".into())]);
}

#[test]
fn narrowing_never_loses_a_file() {
    let mut by_name = |term: &Term, negated: bool| match term {
        Term::NameIs(name) => Some(Condition::new(if negated { "n != ?" } else { "n = ?" }, [Value::Text(name.clone())])),
        _ => None,
    };
    let mut sql = |q: &str| read(q).narrow(&mut by_name).map(|condition| condition.sql);
    assert_eq!(sql("name='a' and trashed").as_deref(), Some("n = ?"));
    assert_eq!(sql("name='a' or trashed"), None);
    assert_eq!(sql("not (name='a' or trashed)").as_deref(), Some("n != ?"));
    assert_eq!(sql("not (name='a' and trashed)"), None);
    assert_eq!(sql("not (name='a' and not name='b')").as_deref(), Some("(n != ?) OR (n = ?)"));
}

#[test]
fn a_query_says_which_folders_it_can_only_be_about() {
    assert_eq!(read("'a' in parents and trashed=false").parents(), Some(vec!["a"]));
    assert_eq!(read("('a' in parents or 'b' in parents) and trashed").parents(), Some(vec!["a", "b"]));
    assert_eq!(read("'a' in parents or trashed").parents(), None);
    assert_eq!(read("not 'a' in parents").parents(), None);
}

#[test]
fn b2_50_comparisons_with_times() {
    for (compare, less, same, more) in [
        (Compare::Less, true, false, false),
        (Compare::LessOrEqual, true, true, false),
        (Compare::Equal, false, true, false),
        (Compare::NotEqual, true, false, true),
        (Compare::Greater, false, false, true),
        (Compare::GreaterOrEqual, false, true, true),
    ] {
        assert_eq!((compare.holds(1, 2), compare.holds(2, 2), compare.holds(3, 2)), (less, same, more), "{compare:?}");
    }
}
