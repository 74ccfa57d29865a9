//! An error as people read it: what, what to do, where.
//!
//! The hint comes before the place, since whoever has read it often needs no more; and all of it is six lines at most.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::diagnosis::Diagnosis;
use super::narrate;
use super::place::{Place, Spot};
use crate::color::{self, Stream};

/// Columns of a statement's line that are shown around the place.
const WIDTH: usize = 100;

pub(super) fn print(diagnosis: &Diagnosis, place: &Place<'_>) {
    let text = text(diagnosis, place);
    if !color::allowed(Stream::Errors) {
        return narrate(text);
    }
    // Made safe first, coloured then: the codes are ours.
    let mut lines = String::new();
    for line in text.split('\n') {
        lines.push_str(&coloured(&crate::output::single_line(line)));
        lines.push('\n');
    }
    super::write(&lines);
}

fn coloured(line: &str) -> String {
    const RED: &str = "\x1b[1;31m";
    const HINT: &str = "\x1b[36m";
    const RESET: &str = "\x1b[0m";
    if let Some(rest) = line.strip_prefix("error:") {
        return format!("{RED}error:{RESET}{rest}");
    }
    if let Some(rest) = line.strip_prefix("  hint:") {
        return format!("{HINT}  hint:{RESET}{rest}");
    }
    match line.rsplit_once("| ") {
        Some((gutter, marks))
            if marks.trim_start().starts_with('^') && marks.trim().chars().all(|c| c == '^') =>
        {
            format!("{gutter}| {RED}{marks}{RESET}")
        }
        _ => line.to_owned(),
    }
}

/// The words, uncoloured.
pub(super) fn text(diagnosis: &Diagnosis, place: &Place<'_>) -> String {
    let spot = diagnosis.at.clone().map(|at| place.spot(at));
    let mut text = "error: ".to_owned();
    if let Some(source) = place.source {
        let (line, column) = match &spot {
            Some(spot) => (spot.line, spot.column),
            None => (place.line, place.column),
        };
        let _ = match line {
            0 => write!(text, "{source}: "),
            _ => write!(text, "{source}:{line}:{column}: "),
        };
    }
    text.push_str(&diagnosis.message);
    if let Some(hint) = &diagnosis.hint {
        let _ = write!(text, "\n  hint: {hint}");
    }
    if let Some(spot) = spot {
        text.push('\n');
        text.push_str(&snippet(&spot));
    }
    text
}

/// The line with the place underlined; of a long one, what is around it.
fn snippet(spot: &Spot) -> String {
    let line = spot.text.replace('\t', " ");
    let (mut from, mut to) = (0, line.len());
    if line.width() > WIDTH {
        let room = WIDTH.saturating_sub(spot.range.len()) / 2;
        from = floor(&line, spot.range.start.saturating_sub(room));
        to = floor(&line, (from + WIDTH).min(line.len()).max(spot.range.end));
    }
    let ellipsis = |cut: bool| if cut { "…" } else { "" };
    let shown = format!(
        "{}{}{}",
        ellipsis(from > 0),
        &line[from..to],
        ellipsis(to < line.len())
    );
    let indent = ellipsis(from > 0).width() + line[from..spot.range.start].width();
    let carets = "^".repeat(line[spot.range.clone()].width().max(1));
    let number = spot.line;
    let gutter = number.to_string().len();
    format!(
        " {:gutter$} |\n {number} | {shown}\n {:gutter$} | {:indent$}{carets}",
        "", "", ""
    )
}

/// The last boundary of a character up to a position.
fn floor(text: &str, position: usize) -> usize {
    (0..=position)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
