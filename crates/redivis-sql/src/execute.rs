//! Runs one statement: plans it, executes it, and carries its rows to the output.
//!
//! Everything happens inside one future, so dropping it stops planning, requests, streams and writing alike.

use std::time::Instant;

use arrow::array::cast::AsArray;
use arrow::datatypes::UInt64Type;
use datafusion::common::stats::Precision;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement, WriteOp};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_redivis::{RedivisStatement, StatementKind};

use crate::bigquery;
use crate::blocking::blocking;
use crate::copy::Copy;
use crate::failure::Failure;
use crate::headings::{self, Headings};
use crate::memory;
use crate::output::{Delivered, Format, Output};
use crate::preflight;
use crate::report::note;
use crate::session::Session;
use crate::statement;

/// What a statement gives.
enum Effect {
    /// Rows, which a limit may cut for display.
    Rows,
    /// The text of a plan.
    Plan,
    /// Rows that are all shown.
    AllRows,
    /// A number of rows that went somewhere.
    Count(&'static str),
    /// A table of so many rows.
    Created(String),
}

/// Runs one statement.
pub(crate) async fn statement(
    session: &Session,
    output: &Output,
    sql: &str,
) -> Result<(), Failure> {
    if session.dry_run {
        return dry(session, output, sql).await;
    }
    let started = Instant::now();
    let state = session.context.state();
    let dialect = state.config().options().sql_parser.dialect;
    let parsed = state.sql_to_statement(sql, &dialect)?;
    let headings = Headings::of(&parsed);
    let plan = headings.within(plan(session, parsed, sql).await?)?;
    session.pins.look(&plan)?;
    let effect = effect(&plan);
    let (plan, copy) = blocking(|| Copy::aside(plan)).await?;
    let frame = run(session, plan).await?;
    if matches!(frame.logical_plan(), LogicalPlan::EmptyRelation(_))
        && frame.schema().fields().is_empty()
    {
        return Ok(());
    }
    match effect {
        Effect::Count(verb) => {
            let rows = count(frame).await?;
            if let Some(copy) = copy {
                blocking(|| copy.finish()).await?;
            }
            note(format_args!("{verb} {}", rows_text(rows)));
        }
        Effect::Created(table) => {
            let rows = count(frame).await?;
            note(format_args!("created {table} with {}", rows_text(rows)));
        }
        Effect::Plan | Effect::AllRows => {
            let plan = matches!(effect, Effect::Plan) && output.format() == Format::Table;
            let format = if plan { Format::Plan } else { output.format() };
            output
                .deliver(frame.execute_stream().await?, format, None)
                .await?;
            if let Some(copy) = copy {
                blocking(|| copy.finish()).await?;
            }
        }
        Effect::Rows => {
            let delivered = rows(output, frame.clone(), &headings).await?;
            if output.is_terminal() && output.format().is_display() {
                let total = match delivered.stopped {
                    true => exact_count(&frame).await,
                    false => Some(delivered.rows),
                };
                note(footer(delivered, total, started));
            }
        }
    }
    Ok(())
}

/// Tells what a statement would read, and leaves it at that.
pub(crate) async fn dry(session: &Session, output: &Output, sql: &str) -> Result<(), Failure> {
    if runs_on_redivis(sql) {
        return Err(preflight::unknown().into());
    }
    let state = session.context.state();
    let dialect = state.config().options().sql_parser.dialect;
    let parsed = state.sql_to_statement(sql, &dialect)?;
    let plan = plan(session, parsed, sql).await?;
    session.pins.look(&plan)?;
    preflight::instead(session, output, plan).await
}

/// Plans a statement, which may ask for a column twice, and may be in BigQuery's words.
async fn plan(session: &Session, parsed: Parsed, sql: &str) -> Result<LogicalPlan, Failure> {
    let mut apart = parsed.clone();
    let planned = async |mut statement| {
        bigquery::rewrite(&mut statement, sql)?;
        Ok::<_, Failure>(session.redivis.plan(statement).await?)
    };
    // To plan it a second time would run its queries on Redivis a second time.
    if runs_on_redivis(sql) && headings::may_repeat(&apart) && headings::name_apart(&mut apart) {
        return planned(apart).await;
    }
    match planned(parsed).await {
        Err(Failure::Query(error))
            if headings::is_duplicate(&error) && headings::name_apart(&mut apart) =>
        {
            planned(apart).await
        }
        outcome => outcome,
    }
}

/// Whether a query runs on Redivis so that the statement can be planned.
pub(crate) fn runs_on_redivis(sql: &str) -> bool {
    let is_query = |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("redivis_query"));
    statement::tokens(sql)
        .iter()
        .any(|token| is_query(&token.token))
}

fn effect(plan: &LogicalPlan) -> Effect {
    if let Some(statement) = RedivisStatement::of(plan) {
        return match statement.kind() {
            StatementKind::CreateTable(table) => Effect::Created(table),
            StatementKind::Copy => Effect::Count("copied"),
            _ => Effect::Rows,
        };
    }
    match plan {
        LogicalPlan::Copy(_) => Effect::Count("copied"),
        LogicalPlan::Dml(dml) => Effect::Count(match dml.op {
            WriteOp::Insert(_) => "inserted",
            WriteOp::Delete => "deleted",
            WriteOp::Update => "updated",
            _ => "wrote",
        }),
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
            Effect::Created(create.name.table().to_owned())
        }
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => Effect::Plan,
        LogicalPlan::Ddl(_) | LogicalPlan::Statement(_) | LogicalPlan::DescribeTable(_) => {
            Effect::AllRows
        }
        _ => Effect::Rows,
    }
}

/// Executes a plan, with what the shell does itself: tables in memory, and how much of that there is.
async fn run(session: &Session, plan: LogicalPlan) -> Result<DataFrame, DataFusionError> {
    let limit = match plan {
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(table)) => {
            return memory::create(session, table).await;
        }
        LogicalPlan::Statement(Statement::SetVariable(set)) if set.variable == memory::LIMIT => {
            SessionContext::parse_capacity_limit(memory::LIMIT, &set.value)?
        }
        LogicalPlan::Statement(Statement::ResetVariable(reset))
            if reset.variable == memory::LIMIT =>
        {
            memory::share_of_machine()
        }
        plan => return session.redivis.execute(plan).await,
    };
    session.memory.set_limit(limit);
    session.context.read_empty()
}

/// Where only so many rows are displayed, only so many are asked for, and one more to know that there are more.
async fn rows(
    output: &Output,
    frame: DataFrame,
    headings: &Headings,
) -> Result<Delivered, Failure> {
    let cap = output.displayed_rows();
    let frame = match cap {
        Some(rows) => frame.limit(0, Some(rows + 1))?,
        None => frame,
    };
    let rows = headings.over(frame.execute_stream().await?);
    output.deliver(rows, output.format(), cap).await
}

/// The number of rows that a write reports.
async fn count(frame: DataFrame) -> Result<u64, Failure> {
    let batches = frame.collect().await?;
    Ok(batches
        .iter()
        .filter_map(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>())
        .flat_map(|counts| counts.iter().flatten())
        .sum())
}

/// The number of rows, when the plan knows it without reading any.
async fn exact_count(frame: &DataFrame) -> Option<u64> {
    let plan = frame.clone().create_physical_plan().await.ok()?;
    let statistics = StatisticsContext::new()
        .compute(plan.as_ref(), &StatisticsArgs::new())
        .ok()?;
    match statistics.num_rows {
        Precision::Exact(rows) => Some(rows as u64),
        _ => None,
    }
}

fn footer(delivered: Delivered, total: Option<u64>, started: Instant) -> String {
    let seconds = started.elapsed().as_secs_f64();
    let shown = delivered.rows;
    match (delivered.stopped, total) {
        (false, _) => format!("({}, {seconds:.2} s)", rows_text(shown)),
        (true, Some(total)) => {
            format!("({shown} of {} shown, {seconds:.2} s)", rows_text(total))
        }
        (true, None) => format!("({shown} rows shown; stopped there, {seconds:.2} s)"),
    }
}

/// "1 row", "336,776 rows".
pub(crate) fn rows_text(rows: u64) -> String {
    let digits = rows.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(if rows == 1 { " row" } else { " rows" });
    text
}

#[cfg(test)]
mod tests {
    use super::rows_text;

    #[test]
    fn counts_are_readable() {
        assert_eq!(rows_text(0), "0 rows");
        assert_eq!(rows_text(1), "1 row");
        assert_eq!(rows_text(999), "999 rows");
        assert_eq!(rows_text(336_776), "336,776 rows");
        assert_eq!(rows_text(6_001_215), "6,001,215 rows");
    }
}
