//! JSON objects as records: one a line, or the elements of one array.
//!
//! Numbers keep the digits they are written with until their column's type is known, a name that comes twice is an error,
//! and so is what no variable can hold. Memory holds one object.

use std::{borrow::Cow, fmt, io::BufRead};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{IngestError, delimited::MAX_RECORD};

/// The bytes of objects, one after the other.
pub(super) struct Objects<R> {
    reader: R,
    /// Whether they are the elements of an array; else each has a line.
    array: bool,
    bytes: Vec<u8>,
    line: u64,
    started: u64,
    place: Place,
}

/// Where the reader is in an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    /// Behind the opening bracket.
    First,
    /// Behind an element.
    Between,
    /// Behind a comma.
    Next,
    After,
}

impl<R: BufRead> Objects<R> {
    pub(super) fn new(reader: R, array: bool) -> Self {
        Objects {
            reader,
            array,
            bytes: Vec::new(),
            line: 1,
            started: 1,
            place: Place::Before,
        }
    }

    /// The text of the next object, and the line it starts in; `None` at the end.
    pub(super) fn next_object(&mut self) -> Result<Option<(&[u8], u64)>, IngestError> {
        self.bytes.clear();
        let found = if self.array {
            self.read_element()?
        } else {
            self.read_line()?
        };
        Ok(found.then_some((self.bytes.as_slice(), self.started)))
    }

    fn too_long(&self) -> IngestError {
        IngestError::Rejected(format!(
            "line {}: the record is longer than {MAX_RECORD} bytes",
            self.started
        ))
    }

    fn read_line(&mut self) -> Result<bool, IngestError> {
        self.started = self.line;
        let mut any = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.unwrap_or(buffer.len());
            self.bytes.extend_from_slice(&buffer[..used]);
            self.reader.consume(used + usize::from(end.is_some()));
            if self.bytes.len() > MAX_RECORD {
                return Err(self.too_long());
            }
            if end.is_some() {
                self.line += 1;
                return Ok(true);
            }
        }
    }

    /// The next byte that is no blank, not taken yet.
    fn peek(&mut self) -> Result<Option<u8>, IngestError> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let Some(&byte) = buffer.first() else {
                return Ok(None);
            };
            match byte {
                b'\n' => self.line += 1,
                b' ' | b'\t' | b'\r' => {}
                _ => return Ok(Some(byte)),
            }
            self.reader.consume(1);
        }
    }

    fn read_element(&mut self) -> Result<bool, IngestError> {
        loop {
            let byte = self.peek()?;
            self.place = match (self.place, byte) {
                (Place::Before, Some(b'[')) => Place::First,
                (Place::Between, Some(b',')) => Place::Next,
                (Place::First | Place::Between, Some(b']')) => Place::After,
                (Place::First | Place::Next, Some(b'{')) => {
                    self.started = self.line;
                    self.read_braces()?;
                    self.place = Place::Between;
                    return Ok(true);
                }
                (Place::After, None) => return Ok(false),
                (place, found) => return Err(self.unexpected(place, found)),
            };
            self.reader.consume(1);
        }
    }

    fn unexpected(&self, place: Place, found: Option<u8>) -> IngestError {
        let wanted = match place {
            Place::Before => "the `[` of an array of objects",
            Place::First => "an object, or the `]` that ends the array",
            Place::Between => "`,` or the `]` that ends the array",
            Place::Next => "an object",
            Place::After => "the end of the file",
        };
        let found = match found {
            None => "the end of the file".to_owned(),
            Some(byte) => format!("`{}`", byte.escape_ascii()),
        };
        IngestError::Rejected(format!(
            "line {}: {wanted} must stand where {found} is",
            self.line
        ))
    }

    /// Takes everything from an opening brace to its closing one.
    fn read_braces(&mut self) -> Result<(), IngestError> {
        let (mut depth, mut text, mut escaped) = (0u64, false, false);
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Err(IngestError::Rejected(format!(
                    "line {}: the file ends within this object",
                    self.started
                )));
            }
            let mut end = None;
            for (at, byte) in buffer.iter().enumerate() {
                self.line += u64::from(*byte == b'\n');
                if text {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => text = false,
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => text = true,
                    b'{' => depth += 1,
                    b'}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = Some(at + 1);
                    break;
                }
            }
            let used = end.unwrap_or(buffer.len());
            self.bytes.extend_from_slice(&buffer[..used]);
            self.reader.consume(used);
            if self.bytes.len() > MAX_RECORD {
                return Err(self.too_long());
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

/// A value that a variable can have, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Boolean(&'a str),
    Number(&'a str),
    Text(Cow<'a, str>),
}

/// The members of one object in their order.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<(Cow<'_, str>, Scalar<'_>)>, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("it is blank".to_owned());
    }
    let Members(members) = serde_json::from_slice(bytes).map_err(|error| {
        // The place that the error tells is the one within the record.
        format!("it is not a JSON object: {error}")
    })?;
    let members = members.into_iter().map(|(Name(name), raw)| {
        let value = scalar(raw.get()).map_err(|reason| format!("`{name}`: {reason}"))?;
        Ok((name, value))
    });
    members.collect()
}

fn scalar(raw: &str) -> Result<Scalar<'_>, String> {
    match raw.as_bytes().first() {
        Some(b'n') => Ok(Scalar::Null),
        Some(b't' | b'f') => Ok(Scalar::Boolean(raw)),
        Some(b'"') => match serde_json::from_str(raw) {
            Ok(Name(text)) => Ok(Scalar::Text(text)),
            Err(error) => Err(error.to_string()),
        },
        Some(b'{' | b'[') => Err("Redivis has no type for nested values".to_owned()),
        _ if raw.contains(['.', 'e', 'E']) => match raw.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Scalar::Number(raw)),
            _ => Err(format!("{raw} is beyond what a 64-bit float holds")),
        },
        _ => match raw.parse::<i64>() {
            Ok(_) => Ok(Scalar::Number(raw)),
            Err(_) => Err(format!("{raw} is beyond what a 64-bit integer holds")),
        },
    }
}

/// Text that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct Members<'a>(Vec<(Name<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        from.deserialize_map(Object)
    }
}
