//! Charts of a few numbers, of characters: to see a shape without leaving the prompt.

use unicode_width::UnicodeWidthStr;

/// Eighths of a cell, from the left.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// What labels take of the width at most.
const LABEL: usize = 24;
const HEIGHT: usize = 12;

/// A bar for each label, with its number.
pub(crate) fn bars(items: &[(String, f64)], width: usize) -> String {
    let labels = items.iter().map(|(label, _)| label.width());
    let label_width = labels.max().unwrap_or(0).min(LABEL);
    let numbers: Vec<String> = items.iter().map(|(_, value)| number(*value)).collect();
    let number_width = numbers.iter().map(|text| text.width()).max().unwrap_or(0);
    let room = width.saturating_sub(label_width + number_width + 5).max(8);
    let most = items.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let mut text = String::new();
    for ((label, value), number) in items.iter().zip(&numbers) {
        let label = cut(label, label_width);
        let padding = " ".repeat(label_width - label.width());
        let share = if most > 0.0 {
            (value / most).max(0.0)
        } else {
            0.0
        };
        let eighths = (share * room as f64 * 8.0).round() as usize;
        let bar = format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8]);
        text.push_str(&format!(
            " {padding}{label} {number:>number_width$} │{bar}\n"
        ));
    }
    text
}

/// The points of a line, as dots of braille: each character has two columns of four. Its ends are called `from` and `to`.
pub(crate) fn line(points: &[(f64, f64)], from: &str, to: &str, width: usize) -> String {
    let (left, right) = bounds(points.iter().map(|(x, _)| *x));
    let (low, high) = bounds(points.iter().map(|(_, y)| *y));
    let (top, bottom) = (number(high), number(low));
    let margin = top.width().max(bottom.width());
    let columns = width.saturating_sub(margin + 4).max(10);
    let mut cells = vec![vec![0u8; columns]; HEIGHT];
    for (x, y) in points {
        let place = |value: f64, from: f64, to: f64, most: usize| match to > from {
            true => ((value - from) / (to - from) * (most - 1) as f64).round() as usize,
            false => most / 2,
        };
        let column = place(*x, left, right, columns * 2);
        let row = HEIGHT * 4 - 1 - place(*y, low, high, HEIGHT * 4);
        cells[row / 4][column / 2] |= dot(column % 2, row % 4);
    }
    let mut text = String::new();
    for (row, cells) in cells.iter().enumerate() {
        let label = match row {
            0 => top.as_str(),
            row if row == HEIGHT - 1 => bottom.as_str(),
            _ => "",
        };
        let dots: String = cells
            .iter()
            .map(|dots| match dots {
                0 => ' ',
                dots => char::from_u32(0x2800 + u32::from(*dots)).unwrap_or(' '),
            })
            .collect();
        text.push_str(&format!(" {label:>margin$} │{}\n", dots.trim_end()));
    }
    let between = columns.saturating_sub(from.width() + to.width());
    text.push_str(&format!(" {:margin$} └{}\n", "", "─".repeat(columns)));
    text.push_str(&format!(
        " {:margin$}  {from}{}{to}\n",
        "",
        " ".repeat(between)
    ));
    text
}

/// The bit of a dot in its character.
fn dot(column: usize, row: usize) -> u8 {
    match (column, row) {
        (0, 3) => 0x40,
        (1, 3) => 0x80,
        (0, row) => 1 << row,
        (_, row) => 8 << row,
    }
}

/// The least and the greatest of some numbers.
pub(crate) fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// A number with as many digits as a chart can show.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return format!("{value}");
    }
    match size {
        1e-3..1e6 => {
            let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        _ => format!("{value:.3e}"),
    }
}

fn cut(label: &str, width: usize) -> String {
    if label.width() <= width {
        return label.to_owned();
    }
    let mut cut = String::new();
    for character in label.chars() {
        if cut.width() + 1 >= width {
            break;
        }
        cut.push(character);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let items = [("a", 8.0), ("bb", 4.0), ("c", 0.5), ("d", 0.0)];
        let items = items.map(|(label, value)| (label.to_owned(), value));
        assert_eq!(
            bars(&items, 18),
            "  a   8 │████████\n bb   4 │████\n  c 0.5 │▌\n  d   0 │\n"
        );
    }

    #[test]
    fn a_line_runs_from_corner_to_corner() {
        let points: Vec<(f64, f64)> = (0..100).map(|n| (f64::from(n), f64::from(n * 2))).collect();
        let chart = line(&points, "0", "99", 40);
        let lines: Vec<&str> = chart.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 2);
        assert!(lines[0].starts_with(" 198 │  "), "{chart}");
        // One column stays free: a terminal whose last one is written to may go on to the next line.
        assert_eq!(lines[0].width(), 39, "{chart}");
        assert!(lines[HEIGHT - 1].starts_with("   0 │⣠"), "{chart}");
        assert!(lines[HEIGHT + 1].trim_end().ends_with("99"), "{chart}");
        assert!(lines.iter().all(|line| line.width() < 40), "{chart}");
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        for (value, text) in [
            (12.0, "12"),
            (0.123456, "0.1235"),
            (1234.5678, "1235"),
            (1.5e9, "1500000000"),
            (1.23456e-7, "1.235e-7"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
