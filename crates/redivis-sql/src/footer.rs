//! What is said below a result: how much of it was shown, and what it took.

use std::sync::Arc;
use std::time::Duration;

use datafusion::common::stats::Precision;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

use crate::amounts;
use crate::display::Display;
use crate::reads::Reads;

/// What became of a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footer {
    /// Rows on the screen.
    pub(crate) shown: u64,
    /// Rows that were read of the result.
    pub(crate) fetched: u64,
    /// All rows of it, where that is known.
    pub(crate) total: Option<u64>,
    pub(crate) hidden_columns: usize,
    /// `None` where it says nothing, since a person took their time.
    pub(crate) took: Option<Duration>,
    pub(crate) reads: Reads,
    /// How long queries that ran on Redivis were waited for.
    pub(crate) queries: Duration,
}

impl Footer {
    /// The lines to print.
    pub(crate) fn text(&self, display: &Display) -> String {
        let mut parts = vec![self.rows()];
        if self.hidden_columns > 0 {
            let columns = match self.hidden_columns {
                1 => "1 column".to_owned(),
                many => format!("{many} columns"),
            };
            parts.push(format!("{columns} left out"));
        }
        if let Some(took) = self.took.filter(|_| display.timing) {
            parts.push(self.time(took));
        }
        let mut text = format!("({})", parts.join(", "));
        let ways = self.ways();
        if !ways.is_empty() {
            text.push_str(&format!("\n  {}", ways.join(" · ")));
        }
        text
    }

    fn rows(&self) -> String {
        let shown = amounts::number(self.shown);
        match self.total {
            Some(total) if total == self.shown => amounts::rows(total),
            Some(total) => format!("{shown} of {} shown", amounts::rows(total)),
            None if self.fetched > self.shown => {
                let fetched = amounts::rows(self.fetched);
                format!("{shown} of more than {fetched} shown")
            }
            None => format!("{shown} rows shown, there are more"),
        }
    }

    fn time(&self, took: Duration) -> String {
        let all = amounts::time(took);
        if self.reads.bytes == 0 && self.queries.is_zero() {
            return all;
        }
        let remote = (self.reads.waiting + self.queries).min(took);
        let mut text = format!(
            "{all}: Redivis {}, here {}",
            amounts::time(remote),
            amounts::time(took - remote)
        );
        if self.reads.bytes > 0 {
            text.push_str(&format!(", {}", amounts::bytes(self.reads.bytes)));
        }
        text
    }

    /// How to see what is not shown.
    fn ways(&self) -> Vec<&'static str> {
        let mut ways = vec![];
        if self.total != Some(self.shown) || self.hidden_columns > 0 {
            ways.push(r"\last shows all");
        }
        if self.hidden_columns > 0 {
            ways.push(r"\x on puts columns below each other");
        }
        ways
    }
}

/// The number of rows, when the plan knows it without reading any.
pub(crate) fn exact_count(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    let statistics = StatisticsContext::new()
        .compute(plan.as_ref(), &StatisticsArgs::new())
        .ok()?;
    match statistics.num_rows {
        Precision::Exact(rows) => Some(rows as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer(shown: u64, fetched: u64, total: Option<u64>) -> Footer {
        Footer {
            shown,
            fetched,
            total,
            hidden_columns: 0,
            took: Some(Duration::from_millis(400)),
            reads: Reads::default(),
            queries: Duration::ZERO,
        }
    }

    #[test]
    fn it_says_no_more_than_is_known() {
        let display = Display::default();
        let text = |footer: Footer| footer.text(&display);
        assert_eq!(text(footer(1, 1, Some(1))), "(1 row, 0.40 s)");
        assert_eq!(
            text(footer(40, 1000, Some(1000))),
            "(40 of 1,000 rows shown, 0.40 s)\n  \\last shows all"
        );
        assert_eq!(
            text(footer(40, 40, None)),
            "(40 rows shown, there are more, 0.40 s)\n  \\last shows all"
        );
        assert_eq!(
            text(footer(40, 10_000, None)),
            "(40 of more than 10,000 rows shown, 0.40 s)\n  \\last shows all"
        );
    }

    #[test]
    fn it_says_what_came_from_afar_and_what_is_left_out() {
        let reads = Reads {
            bytes: 12_300,
            waiting: Duration::from_millis(300),
            ..Reads::default()
        };
        let counted = Footer {
            queries: Duration::from_millis(350),
            ..footer(1, 1, Some(1))
        };
        assert_eq!(
            counted.text(&Display::default()),
            "(1 row, 0.40 s: Redivis 0.35 s, here 0.05 s)"
        );
        let footer = Footer {
            reads,
            hidden_columns: 3,
            ..footer(16, 16, Some(16))
        };
        let mut display = Display::default();
        assert_eq!(
            footer.text(&display),
            "(16 rows, 3 columns left out, 0.40 s: Redivis 0.30 s, here 0.10 s, 12.3 kB)\n  \
             \\last shows all · \\x on puts columns below each other"
        );
        display.timing = false;
        assert!(
            footer
                .text(&display)
                .starts_with("(16 rows, 3 columns left out)\n")
        );
    }
}
