//! `\hist`: how the values of a column of the last result are distributed.

use super::series::{self, ask, find, numbers, quoted, texts};
use super::{Command, Next};
use crate::chart;
use crate::failure::Failure;
use crate::last;
use crate::output::single_line;
use crate::session::Session;

/// Bars, of equal width or of the most frequent values.
const BARS: usize = 20;

pub(super) const COMMAND: Command = Command {
    name: r"\hist",
    arguments: "COLUMN",
    summary: "chart how often which values of a column of the last result come",
    run: |session, output, arguments| {
        Box::pin(async move {
            let chart = hist(session, arguments).await?;
            output.deliver_text(&chart).await?;
            Ok(Next::Continue)
        })
    },
};

async fn hist(session: &Session, name: &str) -> Result<String, Failure> {
    let columns = series::columns(session).await?;
    let column = match columns.fields().as_ref() {
        [only] if name.is_empty() => only.as_ref(),
        _ if name.is_empty() => {
            return Err(Failure::Usage(
                r"write \hist COLUMN, of the last result".to_owned(),
            ));
        }
        _ => find(&columns, name)?,
    };
    let (x, from) = (quoted(column), last::NAME);
    if !column.data_type().is_numeric() {
        let sql =
            format!("SELECT {x}, count(*) FROM {from} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {BARS}");
        let rows = ask(session, &sql).await?;
        return bars(texts(&rows, 0)?, numbers(&rows, 1)?);
    }
    let x = format!("CAST({x} AS DOUBLE)");
    let finite = format!("{x} IS NOT NULL AND NOT isnan({x}) AND abs({x}) < 1.7e308");
    let sql = format!("SELECT min({x}), max({x}) FROM {from} WHERE {finite}");
    let rows = ask(session, &sql).await?;
    let ends = [numbers(&rows, 0)?, numbers(&rows, 1)?].concat();
    let [Some(low), Some(high)] = ends[..] else {
        return Err(Failure::Usage(format!(
            "{} has no numbers to draw",
            column.name()
        )));
    };
    let is_whole = column.data_type().is_integer();
    let step = step(low, high, is_whole);
    let first = (low / step).floor() * step;
    let sql = format!(
        "SELECT floor(({x} - ({first:e})) / {step:e}), count(*) FROM {from} WHERE {finite} GROUP BY 1"
    );
    let rows = ask(session, &sql).await?;
    let bins = numbers(&rows, 0)?.into_iter().zip(numbers(&rows, 1)?);
    let count = ((high - first) / step).floor() as usize + 1;
    let mut heights = vec![0.0; count];
    for (bin, height) in bins {
        if let (Some(bin), Some(height)) = (bin, height)
            && let Some(known) = heights.get_mut(bin as usize)
        {
            *known += height;
        }
    }
    let label = |bin: usize| {
        let from = first + step * bin as f64;
        match is_whole && step == 1.0 {
            true => chart::number(from),
            false => format!(
                "[{}, {})",
                chart::number(from),
                chart::number(first + step * (bin + 1) as f64)
            ),
        }
    };
    bars(
        (0..count).map(label).collect(),
        heights.into_iter().map(Some).collect(),
    )
}

/// A round width that makes no more bars than are wanted.
fn step(low: f64, high: f64, is_whole: bool) -> f64 {
    let exact = (high - low) / BARS as f64;
    if exact <= 0.0 {
        return 1.0;
    }
    let magnitude = 10f64.powf(exact.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    let step = round.into_iter().find(|step| *step >= exact);
    let step = step.unwrap_or(exact);
    if is_whole { step.max(1.0) } else { step }
}

fn bars(labels: Vec<String>, heights: Vec<Option<f64>>) -> Result<String, Failure> {
    let items = labels.into_iter().zip(heights).map(|(label, height)| {
        let label = single_line(&label).into_owned();
        (label, height.unwrap_or_default())
    });
    let items: Vec<(String, f64)> = items.collect();
    Ok(chart::bars(&items, series::width()))
}

#[cfg(test)]
mod tests {
    use super::step;

    #[test]
    fn bars_are_of_round_widths() {
        assert_eq!(step(0.0, 100.0, true), 5.0);
        assert_eq!(step(1.0, 12.0, true), 1.0);
        assert_eq!(step(0.0, 1.0, false), 0.05);
        assert_eq!(step(-43.0, 1301.0, false), 100.0);
        assert_eq!(step(3.0, 3.0, false), 1.0);
    }
}
