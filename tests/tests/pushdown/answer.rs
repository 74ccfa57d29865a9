//! Answers that are the same whatever the order of their rows and the last digits of their floats.

use std::cmp::Ordering;
use std::fmt;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use redivis_tests::duckdb;

/// What a query gave.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    types: Vec<DataType>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Null,
    Float(f64),
    Text(String),
}

impl Answer {
    pub(crate) fn of(schema: &SchemaRef, batches: &[RecordBatch]) -> Answer {
        let fields = schema.fields().iter();
        let types: Vec<DataType> = fields.map(|field| field.data_type().clone()).collect();
        let options = FormatOptions::default();
        let mut rows = Vec::new();
        for batch in batches {
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().zip(&columns).map(|(column, text)| {
                    if column.is_null(row) {
                        return Cell::Null;
                    }
                    match column.as_primitive_opt::<Float64Type>() {
                        Some(floats) => Cell::Float(floats.value(row)),
                        None => Cell::of_text(&text.value(row).to_string(), column.data_type()),
                    }
                });
                rows.push(cells.collect());
            }
        }
        Answer { types, rows }
    }

    /// An answer of DuckDB's, with the types of this one.
    pub(crate) fn like(&self, theirs: &duckdb::Answer) -> Answer {
        let row = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.types);
            cells
                .map(|(text, kind)| Cell::of_duckdb(text, kind))
                .collect()
        };
        Answer {
            types: self.types.clone(),
            rows: theirs.rows.iter().map(row).collect(),
        }
    }

    /// How the rows differ from those of `expected`, in any order.
    pub(crate) fn difference(&self, expected: &Answer) -> Option<String> {
        if self.types.len() != expected.types.len() {
            return Some(format!("{:?} instead of {:?}", self.types, expected.types));
        }
        let (mut mine, mut theirs) = (self.rows.clone(), expected.rows.clone());
        mine.sort_by(|a, b| order(a, b));
        theirs.sort_by(|a, b| order(a, b));
        if mine.len() == theirs.len() && mine.iter().zip(&theirs).all(|(a, b)| same(a, b)) {
            return None;
        }
        // Numbers that are nearly the same may be sorted differently.
        let mut surplus = Vec::new();
        for row in mine {
            match theirs.iter().position(|other| same(&row, other)) {
                Some(place) => drop(theirs.swap_remove(place)),
                None => surplus.push(row),
            }
        }
        if surplus.is_empty() && theirs.is_empty() {
            return None;
        }
        surplus.truncate(4);
        theirs.truncate(4);
        Some(format!(
            "{} rows instead of {}\n  too much: {surplus:?}\n  missing: {theirs:?}",
            self.rows.len(),
            expected.rows.len()
        ))
    }

    /// Whether the rows come in the same order, too.
    pub(crate) fn is_in_order_of(&self, expected: &Answer) -> bool {
        self.rows.len() == expected.rows.len()
            && self
                .rows
                .iter()
                .zip(&expected.rows)
                .all(|(a, b)| same(a, b))
    }
}

impl Cell {
    fn of_text(text: &str, kind: &DataType) -> Cell {
        match kind {
            DataType::Timestamp(..) => Cell::Text(whole(&text.replace('T', " "))),
            DataType::Time64(_) => Cell::Text(whole(text)),
            _ => Cell::Text(text.to_owned()),
        }
    }

    fn of_duckdb(text: &str, kind: &DataType) -> Cell {
        match kind {
            _ if text == "NULL" => Cell::Null,
            DataType::Float64 => text
                .parse()
                .map_or_else(|_| Cell::Text(text.to_owned()), Cell::Float),
            DataType::Boolean => Cell::Text(text.to_lowercase()),
            _ => Cell::of_text(text, kind),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("NULL"),
            Cell::Float(number) => write!(f, "{number}"),
            Cell::Text(text) => f.write_str(text),
        }
    }
}

/// A time without zeros at its end.
fn whole(time: &str) -> String {
    match time.split_once('.') {
        Some((seconds, fraction)) => {
            let fraction = fraction.trim_end_matches('0');
            match fraction {
                "" => seconds.to_owned(),
                _ => format!("{seconds}.{fraction}"),
            }
        }
        None => time.to_owned(),
    }
}

fn same(one: &[Cell], other: &[Cell]) -> bool {
    one.iter().zip(other).all(|cells| match cells {
        (Cell::Null, Cell::Null) => true,
        (Cell::Text(a), Cell::Text(b)) => a == b,
        (Cell::Float(a), Cell::Float(b)) => {
            a == b
                || (a.is_nan() && b.is_nan())
                || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
        }
        _ => false,
    })
}

fn order(one: &[Cell], other: &[Cell]) -> Ordering {
    let cells = one.iter().zip(other).map(|cells| match cells {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Less,
        (_, Cell::Null) => Ordering::Greater,
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Text(_), _) => Ordering::Less,
        (_, Cell::Text(_)) => Ordering::Greater,
        (Cell::Float(a), Cell::Float(b)) => a.partial_cmp(b).unwrap_or_else(|| a.total_cmp(b)),
    });
    cells.fold(Ordering::Equal, Ordering::then)
}
