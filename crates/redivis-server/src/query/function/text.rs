//! Texts: lengths and places count characters, patterns are regular expressions.

mod bytes;
mod pattern;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{digest, from_hex};
use pattern::{matching, regexp_extract, regexp_replace};

use super::{
    number::other,
    row::{Outcome, RowFunction},
    value::Value::{self, Bool, Bytes, Int, Text},
};

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "$concat",
        takes: "S S -> S | Y Y -> Y",
        gives: concat,
    },
    RowFunction {
        name: "length",
        takes: "S -> I | Y -> I",
        gives: length,
    },
    RowFunction {
        name: "char_length",
        takes: "S -> I",
        gives: length,
    },
    RowFunction {
        name: "character_length",
        takes: "S -> I",
        gives: length,
    },
    RowFunction {
        name: "byte_length",
        takes: "S -> I | Y -> I",
        gives: |v| match v {
            [Text(t)] => count(t.len()),
            [Bytes(b)] => count(b.len()),
            _ => other(),
        },
    },
    RowFunction {
        name: "upper",
        takes: "S -> S",
        gives: |v| text(v, |t| t.to_uppercase()),
    },
    RowFunction {
        name: "lower",
        takes: "S -> S",
        gives: |v| text(v, |t| t.to_lowercase()),
    },
    RowFunction {
        name: "reverse",
        takes: "S -> S",
        gives: |v| text(v, |t| t.chars().rev().collect()),
    },
    RowFunction {
        name: "initcap",
        takes: "S -> S",
        gives: |v| text(v, initcap),
    },
    RowFunction {
        name: "trim",
        takes: "S ?S -> S",
        gives: |v| trim(v, true, true),
    },
    RowFunction {
        name: "ltrim",
        takes: "S ?S -> S",
        gives: |v| trim(v, true, false),
    },
    RowFunction {
        name: "rtrim",
        takes: "S ?S -> S",
        gives: |v| trim(v, false, true),
    },
    RowFunction {
        name: "lpad",
        takes: "S I ?S -> S",
        gives: |v| pad(v, true),
    },
    RowFunction {
        name: "rpad",
        takes: "S I ?S -> S",
        gives: |v| pad(v, false),
    },
    RowFunction {
        name: "left",
        takes: "S I -> S",
        gives: left,
    },
    RowFunction {
        name: "right",
        takes: "S I -> S",
        gives: right,
    },
    RowFunction {
        name: "substr",
        takes: "S I ?I -> S",
        gives: substr,
    },
    RowFunction {
        name: "substring",
        takes: "S I ?I -> S",
        gives: substr,
    },
    RowFunction {
        name: "repeat",
        takes: "S I -> S",
        gives: repeat,
    },
    RowFunction {
        name: "replace",
        takes: "S S S -> S",
        gives: replace,
    },
    RowFunction {
        name: "starts_with",
        takes: "S S -> B",
        gives: |v| texts(v, |a, b| Ok(Bool(a.starts_with(b)))),
    },
    RowFunction {
        name: "ends_with",
        takes: "S S -> B",
        gives: |v| texts(v, |a, b| Ok(Bool(a.ends_with(b)))),
    },
    RowFunction {
        name: "contains_substr",
        takes: "S S -> B",
        gives: |v| {
            texts(v, |a, b| {
                Ok(Bool(a.to_lowercase().contains(&b.to_lowercase())))
            })
        },
    },
    RowFunction {
        name: "strpos",
        takes: "S S -> I",
        gives: |v| {
            texts(v, |a, b| match a.find(b) {
                Some(at) => count(a[..at].chars().count() + 1),
                None => Ok(Int(0)),
            })
        },
    },
    RowFunction {
        name: "ascii",
        takes: "S -> I",
        gives: |v| match v {
            [Text(t)] => Ok(Int(t.chars().next().map_or(0, |c| i64::from(u32::from(c))))),
            _ => other(),
        },
    },
    RowFunction {
        name: "chr",
        takes: "I -> S",
        gives: chr,
    },
    RowFunction {
        name: "regexp_contains",
        takes: "S S -> B",
        gives: |v| texts(v, |t, p| matching(p, |r| Ok(Bool(r.is_match(t))))),
    },
    RowFunction {
        name: "regexp_extract",
        takes: "S S -> S",
        gives: |v| texts(v, regexp_extract),
    },
    RowFunction {
        name: "regexp_substr",
        takes: "S S -> S",
        gives: |v| texts(v, regexp_extract),
    },
    RowFunction {
        name: "regexp_replace",
        takes: "S S S -> S",
        gives: regexp_replace,
    },
    RowFunction {
        name: "to_hex",
        takes: "Y -> S",
        gives: |v| match v {
            [Bytes(b)] => Ok(crate::token::hex(b).into()),
            _ => other(),
        },
    },
    RowFunction {
        name: "from_hex",
        takes: "S -> Y",
        gives: from_hex,
    },
    RowFunction {
        name: "to_base64",
        takes: "Y -> S",
        gives: |v| match v {
            [Bytes(b)] => Ok(STANDARD.encode(b).into()),
            _ => other(),
        },
    },
    RowFunction {
        name: "from_base64",
        takes: "S -> Y",
        gives: |v| match v {
            [Text(t)] => STANDARD
                .decode(t.as_bytes())
                .map(|b| Bytes(b.into()))
                .map_err(|e| format!("FROM_BASE64: {e}")),
            _ => other(),
        },
    },
    RowFunction {
        name: "md5",
        takes: "S -> Y | Y -> Y",
        gives: |v| digest::<md5::Md5>(v),
    },
    RowFunction {
        name: "sha256",
        takes: "S -> Y | Y -> Y",
        gives: |v| digest::<sha2::Sha256>(v),
    },
    RowFunction {
        name: "sha512",
        takes: "S -> Y | Y -> Y",
        gives: |v| digest::<sha2::Sha512>(v),
    },
];

/// Bytes that one value may have at most.
const LARGEST: usize = 16 << 20;

fn count<'a>(number: usize) -> Outcome<'a> {
    i64::try_from(number)
        .map(Int)
        .map_err(|error| error.to_string())
}

fn text<'a>(values: &[Value<'a>], work: fn(&str) -> String) -> Outcome<'a> {
    match values {
        [Text(text)] => Ok(work(text).into()),
        _ => other(),
    }
}

fn texts<'a>(values: &[Value<'a>], work: fn(&str, &str) -> Outcome<'a>) -> Outcome<'a> {
    match values {
        [Text(one), Text(two)] => work(one, two),
        _ => other(),
    }
}

fn concat<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(one), Text(two)] => Ok(format!("{one}{two}").into()),
        [Bytes(one), Bytes(two)] => Ok(Bytes([one.as_ref(), two.as_ref()].concat().into())),
        _ => other(),
    }
}

fn length<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text)] => count(text.chars().count()),
        [Bytes(bytes)] => count(bytes.len()),
        _ => other(),
    }
}

fn initcap(text: &str) -> String {
    let mut starts = true;
    let mut changed = String::with_capacity(text.len());
    for character in text.chars() {
        if starts {
            changed.extend(character.to_uppercase());
        } else {
            changed.extend(character.to_lowercase());
        }
        starts = !character.is_alphanumeric();
    }
    changed
}

fn trim<'a>(values: &[Value<'a>], start: bool, end: bool) -> Outcome<'a> {
    let (text, set): (&str, Option<&str>) = match values {
        [Text(text)] => (text, None),
        [Text(text), Text(set)] => (text, Some(set)),
        _ => return other(),
    };
    let trimmed = |c: char| set.map_or_else(|| c.is_whitespace(), |set| set.contains(c));
    let mut text = text;
    if start {
        text = text.trim_start_matches(trimmed);
    }
    if end {
        text = text.trim_end_matches(trimmed);
    }
    Ok(text.to_owned().into())
}

/// A count of characters as an argument.
fn length_of(number: i64, name: &str) -> Result<usize, String> {
    usize::try_from(number)
        .ok()
        .filter(|length| *length <= LARGEST)
        .ok_or_else(|| format!("{name} does not take the length {number}"))
}

fn pad<'a>(values: &[Value<'a>], before: bool) -> Outcome<'a> {
    let (text, length, fill): (&str, i64, &str) = match values {
        [Text(text), Int(length)] => (text, *length, " "),
        [Text(text), Int(length), Text(fill)] => (text, *length, fill),
        _ => return other(),
    };
    let length = length_of(length, "LPAD or RPAD")?;
    if fill.is_empty() {
        return Err("LPAD and RPAD do not take an empty pattern".to_owned());
    }
    let have = text.chars().count();
    let filled: String = fill
        .chars()
        .cycle()
        .take(length.saturating_sub(have))
        .collect();
    let kept: String = text.chars().take(length).collect();
    Ok(if before {
        filled + &kept
    } else {
        kept + &filled
    }
    .into())
}

fn left<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text), Int(length)] => {
            let length =
                usize::try_from(*length).map_err(|_| "LEFT does not take a negative length")?;
            Ok(text.chars().take(length).collect::<String>().into())
        }
        _ => other(),
    }
}

fn right<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text), Int(length)] => {
            let length =
                usize::try_from(*length).map_err(|_| "RIGHT does not take a negative length")?;
            let have = text.chars().count();
            Ok(text
                .chars()
                .skip(have.saturating_sub(length))
                .collect::<String>()
                .into())
        }
        _ => other(),
    }
}

/// Positions count from 1; negative ones from the end; 0 is the same as 1.
fn substr<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let (text, position, length): (&str, i64, Option<i64>) = match values {
        [Text(text), Int(position)] => (text, *position, None),
        [Text(text), Int(position), Int(length)] => (text, *position, Some(*length)),
        _ => return other(),
    };
    if length.is_some_and(|length| length < 0) {
        return Err("SUBSTR does not take a negative length".to_owned());
    }
    let skipped = match position {
        0 => 0,
        1.. => position.unsigned_abs() - 1,
        _ => (text.chars().count() as u64).saturating_sub(position.unsigned_abs()),
    };
    let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
    let length = length.map_or(usize::MAX, |length| {
        usize::try_from(length).unwrap_or(usize::MAX)
    });
    Ok(text
        .chars()
        .skip(skipped)
        .take(length)
        .collect::<String>()
        .into())
}

fn repeat<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text), Int(times)] => {
            let times = length_of(*times, "REPEAT")?;
            if text.len().saturating_mul(times) > LARGEST {
                return Err(format!(
                    "REPEAT makes no texts of more than {LARGEST} bytes"
                ));
            }
            Ok(text.repeat(times).into())
        }
        _ => other(),
    }
}

fn replace<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        // Nothing is nowhere to be found.
        [text, Text(from), Text(_)] if from.is_empty() => Ok(text.clone()),
        [Text(text), Text(from), Text(to)] => Ok(text.replace(from.as_ref(), to).into()),
        _ => other(),
    }
}

fn chr<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Int(0)] => Ok(String::new().into()),
        [Int(code)] => u32::try_from(*code)
            .ok()
            .and_then(char::from_u32)
            .map(|character| character.to_string().into())
            .ok_or_else(|| format!("CHR does not take {code}")),
        _ => other(),
    }
}
