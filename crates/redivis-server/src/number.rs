//! Whole numbers in every spelling that official clients use.
//!
//! They come as integers, integral floats and, from R, as `1e+05` (redivis-api §1, §5.2, §6.3).

/// Reads digits, or a float without a fraction; `None` for anything else, and for what is negative.
pub(crate) fn whole(text: &str) -> Option<u64> {
    // Beyond this, floats skip integers, so that no number is certain.
    const CERTAIN: f64 = 9_007_199_254_740_992.0;
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && (0.0..=CERTAIN).contains(&number) => {
            Some(number as u64)
        }
        _ => None,
    }
}
