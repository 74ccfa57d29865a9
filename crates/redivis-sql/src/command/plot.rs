//! `\plot`: two columns of the last result as bars or a line.

use super::series::{self, ask, find, is_measure, numbers, quoted, texts};
use super::{Command, Next};
use crate::amounts;
use crate::chart;
use crate::failure::Failure;
use crate::last;
use crate::output::single_line;
use crate::report::narrate;
use crate::session::Session;

/// Bars that are worth looking at.
const BARS: usize = 40;
/// Points of a line.
const POINTS: usize = 100_000;

pub(super) const COMMAND: Command = Command {
    name: r"\plot",
    arguments: "[X Y]",
    summary: "chart two columns of the last result: bars, or a line where X is a number or time",
    run: |session, output, arguments| {
        Box::pin(async move {
            let (chart, note) = plot(session, arguments).await?;
            output.deliver_text(&chart).await?;
            note.iter().for_each(narrate);
            Ok(Next::Continue)
        })
    },
};

async fn plot(session: &Session, arguments: &str) -> Result<(String, Option<String>), Failure> {
    let columns = series::columns(session).await?;
    let fields = columns.fields();
    let names: Vec<&str> = arguments.split_whitespace().collect();
    let (x, y) = match names.as_slice() {
        [] if fields.len() >= 2 => (fields[0].as_ref(), fields[1].as_ref()),
        [x, y] => (find(&columns, x)?, find(&columns, y)?),
        _ => {
            return Err(Failure::Usage(
                r"write \plot X Y, two columns of the last result".to_owned(),
            ));
        }
    };
    if !y.data_type().is_numeric() {
        let message = format!("{} is no number: write \\plot X Y", y.name());
        return Err(Failure::Usage(message));
    }
    let is_line = is_measure(x);
    let most = if is_line { POINTS } else { BARS };
    let sql = format!(
        "SELECT {}, {} FROM {} LIMIT {}",
        quoted(x),
        quoted(y),
        last::NAME,
        most + 1
    );
    let rows = ask(session, &sql).await?;
    let labels = texts(&rows, 0)?;
    let (xs, ys) = match is_line {
        true => (numbers(&rows, 0)?, numbers(&rows, 1)?),
        false => (vec![], numbers(&rows, 1)?),
    };
    let note = (ys.len() > most).then(|| format!("the first {}", amounts::rows(most as u64)));
    if !is_line {
        let items = labels.into_iter().zip(ys).take(most);
        let items = items.map(|(label, value)| {
            let label = single_line(&label).into_owned();
            (label, value.unwrap_or_default())
        });
        let items: Vec<(String, f64)> = items.collect();
        return Ok((chart::bars(&items, series::width()), note));
    }
    let points = xs.iter().zip(&ys).zip(&labels).take(most);
    let mut points: Vec<(f64, f64, &str)> = points
        .filter_map(|((x, y), label)| Some(((*x)?, (*y)?, label.as_str())))
        .filter(|(x, y, _)| x.is_finite() && y.is_finite())
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Err(Failure::Usage("there are no points to draw".to_owned()));
    };
    let (from, to) = (first.2, last.2);
    let places: Vec<(f64, f64)> = points.iter().map(|(x, y, _)| (*x, *y)).collect();
    Ok((chart::line(&places, from, to, series::width()), note))
}
