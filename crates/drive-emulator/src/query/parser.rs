//! Reads pieces into an expression: `not` binds before `and`, `and` before `or`. Real Drive's rule
//! for unbracketed mixtures was never measured; clients put brackets.

use super::lexer::{Token, tokens};
use super::{Compare, Expr, Flag, Term, TimeField, Visibility, text};

/// Brackets and `not` may nest this deep.
const MAX_DEPTH: usize = 64;

pub(super) fn parse(q: &str) -> Option<Expr> {
    let tokens = tokens(q)?;
    let mut parser = Parser { tokens: &tokens };
    let expr = parser.either(0)?;
    parser.tokens.is_empty().then_some(expr)
}

struct Parser<'a> {
    /// What is still to be read.
    tokens: &'a [Token],
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn eat_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(word)) if word == wanted);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn eat_sign(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Sign(sign)) if *sign == wanted);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn text(&mut self) -> Option<String> {
        match self.next()? {
            Token::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn either(&mut self, depth: usize) -> Option<Expr> {
        let mut parts = vec![self.both(depth)?];
        while self.eat_word("or") {
            parts.push(self.both(depth)?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn both(&mut self, depth: usize) -> Option<Expr> {
        let mut parts = vec![self.factor(depth)?];
        while self.eat_word("and") {
            parts.push(self.factor(depth)?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn factor(&mut self, depth: usize) -> Option<Expr> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.eat_word("not") {
            return Some(negated(self.factor(depth + 1)?));
        }
        if self.eat_sign("(") {
            let expr = self.either(depth + 1)?;
            return self.eat_sign(")").then_some(expr);
        }
        match self.next()? {
            Token::Text(value) => {
                let contained = self.eat_word("in").then(|| self.next())??;
                match contained {
                    Token::Word(field) => collection(field, value).map(Expr::Term),
                    _ => None,
                }
            }
            Token::Word(field) => self.condition(field),
            Token::Sign(_) => None,
        }
    }

    fn condition(&mut self, field: &str) -> Option<Expr> {
        match field {
            "name" => self.words(Term::NameIs, Term::NameContains),
            "mimeType" => self.words(Term::MimeIs, Term::MimeContains),
            "fullText" => self.eat_word("contains").then(|| self.text())?.map(Term::FullText).map(Expr::Term),
            "createdTime" => self.time(TimeField::Created),
            "modifiedTime" => self.time(TimeField::Modified),
            "viewedByMeTime" => self.time(TimeField::ViewedByMe),
            "sharedWithMeTime" => self.time(TimeField::SharedWithMe),
            "trashed" => self.flag(Flag::Trashed),
            "starred" => self.flag(Flag::Starred),
            "sharedWithMe" => self.flag(Flag::SharedWithMe),
            "properties" => self.property(false),
            "appProperties" => self.property(true),
            "visibility" => {
                let equal = self.equality()?;
                let value = visibility(&self.text()?)?;
                Some(signed(equal, Term::Visibility(value)))
            }
            "shortcutDetails.targetId" => {
                let equal = self.equality()?;
                Some(signed(equal, Term::ShortcutTarget(self.text()?)))
            }
            // The turned-round form is taken by Drive too.
            "parents" => self.eat_word("in").then(|| self.text())?.map(Term::Parent).map(Expr::Term),
            _ => None,
        }
    }

    /// `=` or `!=`: whether it is the first.
    fn equality(&mut self) -> Option<bool> {
        match self.next()? {
            Token::Sign("=") => Some(true),
            Token::Sign("!=") => Some(false),
            _ => None,
        }
    }

    fn words(&mut self, is: fn(String) -> Term, contains: fn(String) -> Term) -> Option<Expr> {
        if self.eat_word("contains") {
            return self.text().map(contains).map(Expr::Term);
        }
        let equal = self.equality()?;
        Some(signed(equal, is(self.text()?)))
    }

    fn time(&mut self, field: TimeField) -> Option<Expr> {
        let compare = match self.next()? {
            Token::Sign("<") => Compare::Less,
            Token::Sign("<=") => Compare::LessOrEqual,
            Token::Sign("=") => Compare::Equal,
            Token::Sign("!=") => Compare::NotEqual,
            Token::Sign(">") => Compare::Greater,
            Token::Sign(">=") => Compare::GreaterOrEqual,
            _ => return None,
        };
        let ms = text::time_ms(&self.text()?)?;
        Some(Expr::Term(Term::Time(field, compare, ms)))
    }

    /// A flag alone means that it is set (2.46).
    fn flag(&mut self, flag: Flag) -> Option<Expr> {
        let bare = !matches!(self.tokens.first(), Some(Token::Sign("=" | "!=")));
        if bare {
            return Some(Expr::Term(Term::Flag(flag)));
        }
        let equal = self.equality()?;
        let set = match self.next()? {
            Token::Word(word) if word == "true" => true,
            Token::Word(word) if word == "false" => false,
            _ => return None,
        };
        Some(signed(equal == set, Term::Flag(flag)))
    }

    /// `has { key='k' and value='v' }`, the value optional (2.48).
    fn property(&mut self, private: bool) -> Option<Expr> {
        if !(self.eat_word("has") && self.eat_sign("{") && self.eat_word("key") && self.eat_sign("=")) {
            return None;
        }
        let key = self.text()?;
        let value = if self.eat_word("and") {
            if !(self.eat_word("value") && self.eat_sign("=")) {
                return None;
            }
            Some(self.text()?)
        } else {
            None
        };
        self.eat_sign("}").then_some(Expr::Term(Term::Property { private, key, value }))
    }
}

fn signed(holds: bool, term: Term) -> Expr {
    let term = Expr::Term(term);
    if holds { term } else { negated(term) }
}

fn negated(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

fn collection(field: &str, value: &str) -> Option<Term> {
    let make = match field {
        "parents" => Term::Parent,
        "owners" => Term::Owner,
        "writers" => Term::Writer,
        "readers" => Term::Reader,
        "labels" => Term::Label,
        _ => return None,
    };
    Some(make(value.to_owned()))
}

fn visibility(value: &str) -> Option<Visibility> {
    Some(match value {
        "anyoneCanFind" => Visibility::AnyoneCanFind,
        "anyoneWithLink" => Visibility::AnyoneWithLink,
        "domainCanFind" => Visibility::DomainCanFind,
        "domainWithLink" => Visibility::DomainWithLink,
        "limited" => Visibility::Limited,
        _ => return None,
    })
}
