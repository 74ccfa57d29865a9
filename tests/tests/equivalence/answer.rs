//! Rows as texts, to be compared as a list or as a multiset.
//!
//! Rows of several streams come in any order, so that most comparisons are of multisets.

use std::collections::HashMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// Separates the cells of a row; no cell of these tests has it.
const SEPARATOR: &str = " | ";

/// The rows of a result, in the order in which they came. Every text says null apart from the word.
pub(crate) fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("∅");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<_> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            rows.push(cells.join(SEPARATOR));
        }
    }
    rows
}

/// Rows that `more` has oftener than `fewer`: none if every row of `more` is one of `fewer`'s.
pub(crate) fn surplus(more: &[String], fewer: &[String]) -> Vec<String> {
    let mut counts = HashMap::<&str, usize>::new();
    for row in fewer {
        *counts.entry(row).or_default() += 1;
    }
    let mut surplus = Vec::new();
    for row in more {
        match counts.get_mut(row.as_str()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => surplus.push(row.clone()),
        }
    }
    surplus
}

/// Says how two multisets of rows differ; nothing if they do not.
pub(crate) fn difference(arrived: &[String], expected: &[String]) -> Option<String> {
    let (repeated, lost) = (surplus(arrived, expected), surplus(expected, arrived));
    (!repeated.is_empty() || !lost.is_empty()).then(|| {
        format!(
            "{} rows arrived of {}; {} too many, such as {:?}; {} lost, such as {:?}",
            arrived.len(),
            expected.len(),
            repeated.len(),
            repeated.first(),
            lost.len(),
            lost.first()
        )
    })
}
