//! Cuts a query into words, strings and signs.

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A bare word: a term, an operator in letters, `true`.
    Word(String),
    /// A quoted string, unescaped.
    Text(String),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `(`, `)`, `{`, `}`.
    Sign(&'static str),
}

/// Two-character signs first, so that `<=` is not read as `<`.
const SIGNS: [&str; 10] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", "{", "}"];

/// All pieces of `text`, or none when something in it is no piece of a query.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            let (value, after) = quoted(rest, first)?;
            tokens.push(Token::Text(value));
            rest = after;
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_')).unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Some(tokens)
}

/// A string in quotes, with `\'` and `\\` undone (2.45), and what follows it. Any other escape is
/// kept as it stands.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Some((value, &text[at + c.len_utf8()..]));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        let (_, escaped) = chars.next()?;
        if !matches!(escaped, '\'' | '"' | '\\') {
            value.push('\\');
        }
        value.push(escaped);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Token {
        Token::Text(value.to_owned())
    }

    #[test]
    fn b2_45_quotes_and_backslashes_are_escaped() {
        assert_eq!(tokens(r"'Valentine\'s'"), Some(vec![text("Valentine's")]));
        assert_eq!(tokens(r"'a\\'"), Some(vec![text(r"a\")]));
        assert_eq!(tokens(r"'a\\\'b'"), Some(vec![text(r"a\'b")]));
        assert_eq!(tokens(r"'a\nb'"), Some(vec![text(r"a\nb")]));
        assert_eq!(tokens(r#""it's""#), Some(vec![text("it's")]));
    }

    #[test]
    fn b2_52_spaces_around_signs_do_not_matter() {
        let tight = tokens("name!='x'");
        assert_eq!(tight, tokens(" name  !=\n'x' "));
        assert_eq!(tight.map(|tokens| tokens.len()), Some(3));
        assert_eq!(tokens("a<='b'"), tokens("a <= 'b'"));
    }

    #[test]
    fn what_is_no_piece_is_refused() {
        for text in ["'open", r"'open\'", r"'\", "name ; 'x'", "ação", "name ~ 'x'"] {
            assert_eq!(tokens(text), None, "{text}");
        }
    }
}
