//! Bytes as hexadecimal text, and their digests.

use super::super::{
    number::other,
    row::Outcome,
    value::Value::{self, Bytes, Text},
};

pub(super) fn from_hex<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let [Text(text)] = values else {
        return other();
    };
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        })
        .collect();
    let mut digits = digits.ok_or_else(|| format!("FROM_HEX does not take `{text}`"))?;
    // An odd number of digits has a 0 before it.
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect();
    Ok(Bytes(bytes.into()))
}

pub(super) fn digest<'a, D: sha2::Digest>(values: &[Value<'a>]) -> Outcome<'a> {
    match values {
        [Text(text)] => Ok(Bytes(D::digest(text.as_bytes()).to_vec().into())),
        [Bytes(bytes)] => Ok(Bytes(D::digest(bytes).to_vec().into())),
        _ => other(),
    }
}
