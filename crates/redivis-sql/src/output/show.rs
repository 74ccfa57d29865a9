//! Shows a person as much of a result as there is room for: the first and the last rows, or all of them in a pager.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use tokio::task::spawn_blocking;

use super::columns::Columns;
use super::gather::Gathered;
use super::look::{Look, ValueLabels};
use super::pager::{self, Pager};
use super::screen::{Fit, Measured, Screen};
use super::table::TableWriter;
use super::vertical::VerticalWriter;
use super::{Format, Output, ResultWriter};
use crate::display::{Choice, Display};
use crate::failure::Failure;

/// Fewer columns than these of a table tell less than rows below each other do.
const FEWEST_COLUMNS: usize = 3;

/// What a person was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) rows: u64,
    /// Columns that were left out.
    pub(crate) hidden_columns: usize,
}

impl Output {
    /// Shows rows on the terminal, with labels in the place of the values that have them.
    pub(crate) async fn show(
        &self,
        gathered: Gathered,
        value_labels: Vec<Option<ValueLabels>>,
    ) -> Result<Shown, Failure> {
        let look = self.look().with_value_labels(value_labels);
        self.show_like(gathered, look, self.display()).await
    }

    /// Shows all rows of what is no result of a query.
    pub(super) async fn show_all(&self, gathered: Gathered) -> Result<Shown, Failure> {
        let display = Display {
            rows: None,
            types: false,
            ..self.display()
        };
        let look = self.look().with_types(false);
        self.show_like(gathered, look, display).await
    }

    async fn show_like(
        &self,
        gathered: Gathered,
        look: Look,
        display: Display,
    ) -> Result<Shown, Failure> {
        let target = self.target();
        target.admit()?;
        let columns = Columns::new(&gathered.schema, false);
        let screening = Screening {
            look,
            screen: Screen::of_terminal(),
            vertical: match (self.format(), display.expanded) {
                (Format::Vertical, _) => Choice::On,
                (_, expanded) => expanded,
            },
            may_page: self.may_page(),
            display,
        };
        let mut out = target.sink()?;
        let shown = spawn_blocking(move || screening.show(&gathered, &columns, &mut out)).await;
        let shown = shown.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
        match shown {
            Err(_) if target.is_closed() => Err(Failure::OutputClosed),
            outcome => Ok(outcome?),
        }
    }
}

/// How one result is shown.
struct Screening {
    look: Look,
    screen: Option<Screen>,
    display: Display,
    vertical: Choice,
    may_page: bool,
}

/// A part of a result, as it is to be written.
#[derive(Clone, Copy)]
enum Part {
    All,
    /// So many rows from the beginning, and so many from the end.
    Ends(usize, usize),
}

impl Screening {
    fn show(&self, gathered: &Gathered, columns: &Columns, out: &mut impl Write) -> Result<Shown> {
        let part = self.part(gathered);
        let rows = match part {
            Part::All => gathered.rows,
            Part::Ends(first, last) => (first + last) as u64,
        };
        let shown = |rows| Shown {
            rows,
            hidden_columns: 0,
        };
        let is_vertical = self.is_vertical(gathered, columns)?;
        let mut text = Vec::new();
        self.write(gathered, columns, part, is_vertical, None, &mut text)?;
        let fit = match self.screen {
            Some(screen) => screen.fit(Measured::of(&String::from_utf8_lossy(&text))),
            None => Fit::default(),
        };
        let wants = fit.is_tall || fit.is_wide || self.display.pager == Choice::On;
        if let Some(command) = pager::command(fit).filter(|_| wants && self.may_page) {
            let mut pager = Pager::open(&command)?;
            let written = match part {
                Part::All => pager.write_all(&text).map_err(DataFusionError::from),
                // There is room for what is at hand.
                Part::Ends(..) => self
                    .write(gathered, columns, Part::All, is_vertical, None, &mut pager)
                    .map(drop),
            };
            return match written {
                // The person has seen enough.
                Err(DataFusionError::IoError(error))
                    if error.kind() == std::io::ErrorKind::BrokenPipe =>
                {
                    Ok(shown(gathered.rows))
                }
                Err(error) => Err(error),
                Ok(()) => Ok(shown(gathered.rows)),
            };
        }
        let mut hidden_columns = 0;
        if fit.is_wide && !is_vertical {
            text.clear();
            let width = self.screen.map(|screen| screen.width);
            let there = self.write(gathered, columns, part, is_vertical, width, &mut text)?;
            hidden_columns = columns.schema().fields().len() - there;
        }
        out.write_all(&text)?;
        out.flush()?;
        Ok(Shown {
            hidden_columns,
            ..shown(rows)
        })
    }

    /// What is shown where there is room.
    fn part(&self, gathered: &Gathered) -> Part {
        let most = match self.display.rows {
            Some(most) if (most as u64) < gathered.rows => most,
            _ => return Part::All,
        };
        match gathered.is_complete {
            true => Part::Ends(most.div_ceil(2), most / 2),
            false => Part::Ends(most, 0),
        }
    }

    /// Whether the values of a row stand below each other.
    fn is_vertical(&self, gathered: &Gathered, columns: &Columns) -> Result<bool> {
        let Some(screen) = self.screen.filter(|_| self.vertical == Choice::Auto) else {
            return Ok(self.vertical == Choice::On);
        };
        let count = columns.schema().fields().len();
        if count < FEWEST_COLUMNS {
            return Ok(false);
        }
        let mut ignored = std::io::sink();
        let look = self.look(Some(screen.width));
        let mut table = TableWriter::new(columns.schema(), &mut ignored, look);
        let most = self
            .display
            .rows
            .unwrap_or(usize::MAX)
            .min(gathered.rows as usize);
        write_rows(&mut table, columns, &gathered.slice(0, most))?;
        Ok(table.columns() < FEWEST_COLUMNS)
    }

    fn look(&self, width: Option<usize>) -> Look {
        Look {
            width,
            ..self.look.clone()
        }
    }

    /// Writes a part of the rows, and says how many columns there was room for.
    fn write(
        &self,
        gathered: &Gathered,
        columns: &Columns,
        part: Part,
        is_vertical: bool,
        width: Option<usize>,
        out: &mut impl Write,
    ) -> Result<usize> {
        let rows = gathered.rows as usize;
        let (first, last) = match part {
            Part::All => (rows, 0),
            Part::Ends(first, last) => (first, last),
        };
        let head = gathered.slice(0, first);
        let tail = gathered.slice(rows - last, last);
        let elided = (last > 0).then_some((rows - first - last) as u64);
        let schema: &SchemaRef = columns.schema();
        if is_vertical {
            let mut writer = VerticalWriter::new(schema, out, self.look(None));
            write_rows(&mut writer, columns, &head)?;
            elided.map_or(Ok(()), |rows| writer.elide(rows))?;
            write_rows(&mut writer, columns, &tail)?;
            Box::new(writer).finish()?;
            return Ok(schema.fields().len());
        }
        let mut writer = TableWriter::new(schema, out, self.look(width));
        write_rows(&mut writer, columns, &head)?;
        elided.map_or(Ok(()), |rows| writer.elide(rows))?;
        write_rows(&mut writer, columns, &tail)?;
        let there = writer.columns();
        Box::new(writer).finish()?;
        Ok(there)
    }
}

fn write_rows(
    writer: &mut impl ResultWriter,
    columns: &Columns,
    batches: &[RecordBatch],
) -> Result<()> {
    for batch in batches {
        writer.write(&columns.apply(batch)?)?;
    }
    Ok(())
}
