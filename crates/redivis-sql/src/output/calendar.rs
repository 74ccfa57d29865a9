//! Dates and times as text, digit by digit.
//!
//! A table's dates are a good part of the time that its text takes where each is laid out by a pattern. Only the years of four
//! digits are done here; the others are left to the patterns.

use chrono::{Datelike, NaiveDate};

/// The day that days are counted from, counted from the first of the year 1, which is 1.
const EPOCH: i32 = 719_163;
const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// Appends `YYYY-MM-DD`; false, and nothing, for a year of other than four digits.
pub(super) fn append_date(days: i32, buffer: &mut String) -> bool {
    let date = days
        .checked_add(EPOCH)
        .and_then(NaiveDate::from_num_days_from_ce_opt);
    let Some(date) = date.filter(|date| (0..=9999).contains(&date.year())) else {
        return false;
    };
    let mut text = *b"0000-00-00";
    digits(&mut text[..4], date.year().unsigned_abs());
    digits(&mut text[5..7], date.month());
    digits(&mut text[8..], date.day());
    append(&text, buffer)
}

/// Appends `YYYY-MM-DD HH:MM:SS[.DDDDDD]`, with three digits where these say it all; false, and nothing, for a year of other than
/// four digits.
pub(super) fn append_timestamp(microseconds: i64, buffer: &mut String) -> bool {
    let days = microseconds.div_euclid(MICROSECONDS_A_DAY);
    let of_day = microseconds.rem_euclid(MICROSECONDS_A_DAY);
    if !i32::try_from(days).is_ok_and(|days| append_date(days, buffer)) {
        return false;
    }
    let (seconds, fraction) = (of_day / 1_000_000, (of_day % 1_000_000) as u32);
    let seconds = seconds as u32;
    let mut text = *b" 00:00:00.000000";
    digits(&mut text[1..3], seconds / 3600);
    digits(&mut text[4..6], seconds / 60 % 60);
    digits(&mut text[7..9], seconds % 60);
    digits(&mut text[10..], fraction);
    let length = match fraction {
        0 => 9,
        fraction if fraction.is_multiple_of(1000) => 13,
        _ => 16,
    };
    append(&text[..length], buffer)
}

/// Writes a number into its last places.
fn digits(places: &mut [u8], mut number: u32) {
    for place in places.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn append(text: &[u8], buffer: &mut String) -> bool {
    // Digits and marks are text in any case.
    std::str::from_utf8(text)
        .map(|text| buffer.push_str(text))
        .is_ok()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, Date32Array, TimestampMicrosecondArray};
    use arrow::util::display::{ArrayFormatter, FormatOptions};
    use proptest::prelude::*;

    use super::super::cell::TIMESTAMP;
    use super::*;

    fn by_pattern(array: &dyn Array) -> String {
        let options = FormatOptions::new().with_timestamp_format(Some(TIMESTAMP));
        let formatter = ArrayFormatter::try_new(array, &options).unwrap();
        formatter.value(0).to_string()
    }

    fn check_date(days: i32) -> Result<(), TestCaseError> {
        let mut text = String::new();
        if append_date(days, &mut text) {
            prop_assert_eq!(text, by_pattern(&Date32Array::from(vec![days])));
        } else {
            prop_assert_eq!(text, "");
            prop_assert!(!(-719_528..2_932_897).contains(&days), "{}", days);
        }
        Ok(())
    }

    fn check_timestamp(microseconds: i64) -> Result<(), TestCaseError> {
        let mut text = String::new();
        if append_timestamp(microseconds, &mut text) {
            let array = TimestampMicrosecondArray::from(vec![microseconds]);
            prop_assert_eq!(text, by_pattern(&array));
        } else {
            prop_assert_eq!(text, "");
            let days = microseconds.div_euclid(MICROSECONDS_A_DAY);
            prop_assert!(!(-719_528..2_932_897).contains(&days), "{}", days);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn dates_are_as_the_pattern_writes_them(days in prop_oneof![-800_000..3_000_000, any::<i32>()]) {
            check_date(days)?;
        }

        #[test]
        fn times_are_as_the_pattern_writes_them(
            seconds in -70_000_000_000_i64..300_000_000_000,
            fraction in prop_oneof![Just(0), (0..1000_i64).prop_map(|n| n * 1000), 0..1_000_000_i64],
        ) {
            check_timestamp(seconds * 1_000_000 + fraction)?;
        }
    }

    #[test]
    fn edges() {
        for days in [
            i32::MIN,
            -719_529,
            -719_528,
            -1,
            0,
            2_932_896,
            2_932_897,
            i32::MAX,
        ] {
            check_date(days).unwrap();
            check_timestamp(
                i64::from(days)
                    .saturating_mul(MICROSECONDS_A_DAY)
                    .saturating_sub(1),
            )
            .unwrap();
        }
        check_timestamp(i64::MIN).unwrap();
        check_timestamp(i64::MAX).unwrap();
    }
}
