//! A piece of SQL in two dialects.

/// The same in DataFusion's dialect and in DuckDB's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) ours: String,
    pub(crate) duck: String,
}

/// What both spell alike, with `{0}`, `{1}`, … in the places of `parts`.
pub(super) fn both(template: &str, parts: &[&Pair]) -> Pair {
    each(template, template, parts)
}

/// What the two spell differently.
pub(super) fn each(ours: &str, duck: &str, parts: &[&Pair]) -> Pair {
    Pair {
        ours: filled(ours, parts, |pair| &pair.ours),
        duck: filled(duck, parts, |pair| &pair.duck),
    }
}

/// A piece without parts, which may have braces in it.
pub(super) fn plain(text: impl Into<String>) -> Pair {
    let text = text.into();
    Pair {
        ours: text.clone(),
        duck: text,
    }
}

/// Pieces between commas or other words.
pub(super) fn joined(parts: &[Pair], separator: &str) -> Pair {
    let side = |side: fn(&Pair) -> &str| {
        let texts: Vec<&str> = parts.iter().map(side).collect();
        texts.join(separator)
    };
    Pair {
        ours: side(|pair| &pair.ours),
        duck: side(|pair| &pair.duck),
    }
}

fn filled(template: &str, parts: &[&Pair], side: impl Fn(&Pair) -> &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}').expect("a place ends");
        text.push_str(before);
        text.push_str(side(
            parts[place.parse::<usize>().expect("a place is a number")],
        ));
        rest = after;
    }
    text.push_str(rest);
    text
}
