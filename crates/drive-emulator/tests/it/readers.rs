//! The readers of what anyone may send: `q`, `fields`, `orderBy`, multipart bodies, ranges. Nothing makes
//! them panic, and what is written in their grammar is read back as it was meant.

use bytes::Bytes;
use drive_emulator::mask::{Kind, Mask};
use drive_emulator::multipart;
use drive_emulator::query::{Compare, Expr, Flag, OrderBy, Term, TimeField};
use drive_emulator::ranges::{Chunk, Download};
use futures_util::FutureExt as _;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use crate::corpora::mask::is_part;
use crate::corpora::multipart as multipart_target;
use crate::corpora::q::written;

/// Text in the neighbourhood of a grammar: its own pieces, shuffled, with noise.
fn near(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => any::<String>()];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

const Q: &[&str] = &[
    " ",
    "and",
    "or",
    "not",
    "(",
    ")",
    "'",
    "\\",
    "\"",
    "name",
    "parents",
    "in",
    "contains",
    "=",
    "!=",
    "<=",
    "trashed",
    "true",
    "has",
    "{",
    "}",
    "key",
    "value",
    "modifiedTime",
    "2012-06-04T12:00:00",
    "'a'",
    "appProperties",
];
const FIELDS: &[&str] = &["files", "id", "name", ",", "/", "(", ")", "*", " ", "owners", "capabilities", "é"];
const MASKS: &[&str] = &[
    "*",
    "files",
    "files/id",
    "files(id,name)",
    " files / owners ( me ) ",
    "files/*/canEdit",
    "files(*)",
    "nextPageToken",
    "kind",
    "files(owners/me,capabilities)",
];
const RANGES: &[&str] = &["bytes", "=", " ", "-", "/", "*", "0", "9", "18446744073709551615", "18446744073709551616", "+", ","];

fn term() -> impl Strategy<Value = Term> {
    let text = || ".{0,12}";
    let compare = prop::sample::select(vec![
        Compare::Less,
        Compare::LessOrEqual,
        Compare::Equal,
        Compare::NotEqual,
        Compare::Greater,
        Compare::GreaterOrEqual,
    ]);
    prop_oneof![
        text().prop_map(Term::NameIs),
        text().prop_map(Term::NameContains),
        text().prop_map(Term::MimeIs),
        text().prop_map(Term::Parent),
        text().prop_map(Term::Owner),
        prop::sample::select(vec![Flag::Trashed, Flag::Starred, Flag::SharedWithMe]).prop_map(Term::Flag),
        (text(), prop::option::of(text())).prop_map(|(key, value)| Term::Property { private: true, key, value }),
        // Whole seconds of this century's first part, as the printer below writes them.
        (compare, 0..1_500_000_000_i64).prop_map(|(compare, s)| Term::Time(TimeField::Modified, compare, s * 1_000)),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    term().prop_map(Expr::Term).prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Expr::And),
            vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(q in near(Q), fields in near(FIELDS), range in near(RANGES), size in any::<u64>()) {
        let _ = Expr::parse(&q);
        let _ = OrderBy::parse(&q);
        for kind in [Kind::File, Kind::FileList, Kind::ChangeList] {
            if let Ok(mask) = Mask::parse(&fields, kind) {
                mask.apply(json!({"files": [{"id": "a"}], "id": "b"}));
                mask.wants(&q);
            }
        }
        let _ = Download::parse(Some(&range), size).map(|range| (range.span(size), range.content_range(size)));
        let _ = Chunk::parse(Some(&range));
        let _ = multipart::parameter(&q, "boundary");
    }

    #[test]
    fn a_range_lies_within_the_file(first in any::<u64>(), last in any::<u64>(), size in 1..u64::MAX) {
        if let Ok(range) = Download::parse(Some(&format!("bytes={first}-{last}")), size) {
            let (start, length) = range.span(size);
            prop_assert!(length >= 1 && start < size && length <= size - start);
        }
    }

    #[test]
    fn a_query_is_read_as_it_was_meant(expr in expr()) {
        let q = written(&expr);
        let read = Expr::parse(&q);
        prop_assert_eq!(read.ok().flatten(), Some(expr), "{}", q);
    }

    #[test]
    fn a_mask_keeps_parts_and_applying_it_again_changes_nothing(fields in vec(prop::sample::select(MASKS), 1..5)) {
        let whole = json!({
            "files": [{"id": "a", "name": "n", "owners": [{"me": true}], "capabilities": {"canEdit": true}}, {"id": "b"}],
            "nextPageToken": "t",
        });
        let mask = Mask::parse(&fields.join(","), Kind::FileList).expect("the mask is right");
        let once = mask.apply(whole.clone());
        prop_assert!(is_part(&once, &whole), "{} of {}", once, whole);
        prop_assert_eq!(mask.apply(once.clone()), once);
    }

    #[test]
    fn media_arrives_as_it_was_sent(media in vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), any::<u8>()], 0..300), step in 1..80_usize, bare in any::<bool>()) {
        let end = if bare { "\n" } else { "\r\n" };
        let mut body = format!("--bb{end}Content-Type: application/json{end}{end}{{}}{end}--bb{end}Content-Type: a/b{end}{end}").into_bytes();
        body.extend_from_slice(&media);
        body.extend_from_slice(format!("{end}--bb--{end}").as_bytes());
        // A boundary inside the media is the sender's mistake.
        prop_assume!(!media.windows(5).any(|window| window == b"\n--bb") && !media.starts_with(b"--bb"));
        let read = multipart_target::read("multipart/related; boundary=bb", &body, step);
        prop_assert_eq!(read, Ok((b"{}".to_vec(), media)));
    }

    #[test]
    fn no_body_makes_the_multipart_reader_panic(pieces in vec(prop_oneof![Just("--b"), Just("--b--"), Just("\r\n"), Just("\n"), Just(": "), Just("x"), Just("\r"), Just("Content-Transfer-Encoding: base64")], 0..40), step in 1..9_usize) {
        let body = pieces.concat();
        let _ = multipart_target::read("multipart/related; boundary=b", body.as_bytes(), step);
        let _ = multipart::parts("multipart/mixed; boundary=b", Bytes::from(body)).now_or_never();
    }
}
