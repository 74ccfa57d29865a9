//! Counts, bytes and times as people read them.

use std::time::Duration;

/// "336,776".
pub(crate) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "1 row", "336,776 rows".
pub(crate) fn rows(count: u64) -> String {
    let unit = if count == 1 { "row" } else { "rows" };
    format!("{} {unit}", number(count))
}

/// "840 B", "12.3 kB", "1.2 GB".
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut amount = count as f64 / 1e3;
    let mut unit = 0;
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        (amount, unit) = (amount / 1e3, unit + 1);
    }
    let digits = usize::from(amount < 99.95);
    format!("{amount:.digits$} {}", UNITS[unit])
}

/// "0.04 s", "12.3 s", "2 min 05 s", "3 h 20 min".
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        ..9.995 => format!("{seconds:.2} s"),
        ..99.95 => format!("{seconds:.1} s"),
        _ => {
            let whole = seconds.round() as u64;
            match whole {
                ..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
                _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_readable() {
        assert_eq!(rows(0), "0 rows");
        assert_eq!(rows(1), "1 row");
        assert_eq!(rows(999), "999 rows");
        assert_eq!(rows(336_776), "336,776 rows");
        assert_eq!(rows(6_001_215), "6,001,215 rows");
    }

    #[test]
    fn bytes_and_times_have_as_many_digits_as_matter() {
        for (count, text) in [
            (840, "840 B"),
            (12_345, "12.3 kB"),
            (845_900_000, "846 MB"),
            (999_600, "1.0 MB"),
            (1_230_000_000, "1.2 GB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        for (milliseconds, text) in [
            (43, "0.04 s"),
            (12_340, "12.3 s"),
            (125_000, "2 min 05 s"),
            (12_000_000, "3 h 20 min"),
        ] {
            assert_eq!(time(Duration::from_millis(milliseconds)), text);
        }
    }
}
