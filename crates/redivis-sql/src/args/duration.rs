//! Durations as people write them: `30s`, `5m`, `1.5h`, `500ms`; a bare number is seconds.

use std::time::Duration;

/// The duration, longer than none.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let seconds = match unit.trim() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(EXPECTED.to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| EXPECTED)?;
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|_| EXPECTED)?;
    if duration.is_zero() {
        return Err("longer than nothing".to_owned());
    }
    Ok(duration)
}

const EXPECTED: &str = "write a duration such as 30s, 5m or 500ms";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("2", 2_000),
            ("1.5s", 1_500),
            ("2 m", 120_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "5 days", "-1s", "0s", "1e400s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
