//! Runs one statement: plans it, executes it, and carries its rows to the output.
//!
//! Everything happens inside one future, so dropping it stops planning, requests, streams and writing alike.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::cast::AsArray;
use arrow::datatypes::UInt64Type;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement, WriteOp};
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as Parsed;
use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_redivis::{RedivisStatement, StatementKind};

use crate::amounts;
use crate::analyze;
use crate::answers::Answer;
use crate::bigquery;
use crate::blocking::blocking;
use crate::copy::Copy;
use crate::failure::Failure;
use crate::headings::{self, Headings};
use crate::memory;
use crate::output::{Format, Output};
use crate::preflight;
use crate::progress::Progress;
use crate::query::{Extent, Query};
use crate::report::note;
use crate::session::Session;
use crate::statement;

/// What a statement gives.
enum Effect {
    /// Rows, which a limit may cut for display.
    Rows,
    /// The text of a plan.
    Plan,
    /// What a plan did, for a person.
    Analyzed,
    /// Rows that are all shown.
    AllRows,
    /// A number of rows that went somewhere.
    Count(&'static str),
    /// A table of so many rows.
    Created(String),
}

/// Runs one statement, for a look at its rows where a person looks at them.
pub(crate) async fn statement(
    session: &Session,
    output: &Output,
    sql: &str,
) -> Result<(), Failure> {
    run_for(session, output, sql, Extent::Look).await?;
    Ok(())
}

/// Runs a query for all of its rows, which don't become the last result, and says how many it printed or wrote.
pub(crate) async fn whole(session: &Session, output: &Output, sql: &str) -> Result<u64, Failure> {
    run_for(session, output, sql, Extent::Whole).await
}

async fn run_for(
    session: &Session,
    output: &Output,
    sql: &str,
    extent: Extent,
) -> Result<u64, Failure> {
    if session.dry_run {
        dry(session, output, sql).await?;
        return Ok(0);
    }
    let started = Instant::now();
    let progress = Progress::start(&session.redivis);
    let state = session.context.state();
    let dialect = state.config().options().sql_parser.dialect;
    let parsed = state.sql_to_statement(sql, &dialect)?;
    let headings = Headings::of(&parsed);
    let plan = headings.within(plan(session, parsed, sql).await?)?;
    session.pins.look(&plan)?;
    let effect = effect(&plan, output);
    let answer = match output.is_prompt() {
        true => Answer::to(&plan, session),
        false => None,
    };
    if !matches!(effect, Effect::Rows | Effect::Plan) {
        preflight::pass(session, &plan).await?;
    }
    let (plan, copy) = blocking(|| Copy::aside(plan)).await?;
    let plan = match (&effect, plan) {
        (Effect::Analyzed, LogicalPlan::Analyze(analyze)) => {
            analyze::run(session, output, analyze.input, progress).await?;
            finish(copy).await?;
            return Ok(0);
        }
        (_, plan) => plan,
    };
    let frame = run(session, plan, &progress).await?;
    if matches!(frame.logical_plan(), LogicalPlan::EmptyRelation(_))
        && frame.schema().fields().is_empty()
    {
        progress.end();
        if let Some(answer) = answer {
            note(answer.text(session).await?);
        }
        return Ok(0);
    }
    Ok(match effect {
        Effect::Count(verb) => {
            let rows = count(session, frame, &progress).await?;
            finish(copy).await?;
            progress.end();
            note(format_args!("{verb} {}", amounts::rows(rows)));
            rows
        }
        Effect::Created(table) => {
            let rows = count(session, frame, &progress).await?;
            progress.end();
            note(format_args!("created {table} with {}", amounts::rows(rows)));
            rows
        }
        Effect::Plan | Effect::AllRows => {
            let plan = matches!(effect, Effect::Plan) && output.format() == Format::Table;
            let format = if plan { Format::Plan } else { output.format() };
            let rows = frame.execute_stream().await?;
            progress.end();
            let delivered = output.deliver(rows, format, vec![]).await?;
            finish(copy).await?;
            delivered.rows
        }
        Effect::Rows => {
            let query = Query {
                session,
                output,
                frame,
                headings: &headings,
                started,
            };
            query.run(extent, progress).await?
        }
        Effect::Analyzed => 0,
    })
}

/// What was copied takes its place.
async fn finish(copy: Option<Copy>) -> Result<(), DataFusionError> {
    match copy {
        Some(copy) => blocking(|| copy.finish()).await,
        None => Ok(()),
    }
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
    let error = match planned(parsed).await {
        Err(Failure::Query(error)) if headings::is_duplicate(&error) => error,
        outcome => return outcome,
    };
    for (at, alone) in headings::repeated_wildcards(&apart) {
        let columns = planned(alone).await?;
        headings::expand_wildcard(&mut apart, at, columns.schema());
    }
    match headings::name_apart(&mut apart) {
        true => planned(apart).await,
        false => Err(error.into()),
    }
}

/// Whether a query runs on Redivis so that the statement can be planned.
pub(crate) fn runs_on_redivis(sql: &str) -> bool {
    let is_query = |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("redivis_query"));
    statement::tokens(sql)
        .iter()
        .any(|token| is_query(&token.token))
}

fn effect(plan: &LogicalPlan, output: &Output) -> Effect {
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
        LogicalPlan::Analyze(analyze) if output.format() == Format::Table && !analyze.verbose => {
            Effect::Analyzed
        }
        LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) => Effect::Plan,
        LogicalPlan::Statement(Statement::Execute(_)) => Effect::Rows,
        LogicalPlan::Ddl(_) | LogicalPlan::Statement(_) | LogicalPlan::DescribeTable(_) => {
            Effect::AllRows
        }
        _ => Effect::Rows,
    }
}

/// Executes a plan, with what the shell does itself: tables in memory, and how much of that there is.
async fn run(
    session: &Session,
    plan: LogicalPlan,
    progress: &Progress,
) -> Result<DataFrame, DataFusionError> {
    let limit = match plan {
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(table)) => {
            let (frame, rows) = memory::create(session, table, progress.followed()).await?;
            session.delivered(rows);
            return Ok(frame);
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

/// The number of rows that a write reports.
async fn count(session: &Session, frame: DataFrame, progress: &Progress) -> Result<u64, Failure> {
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    progress.follow(&plan);
    let batches = collect(plan, context).await?;
    let rows = batches
        .iter()
        .filter_map(|batch| batch.columns().first()?.as_primitive_opt::<UInt64Type>())
        .flat_map(|counts| counts.iter().flatten())
        .sum();
    session.delivered(rows);
    Ok(rows)
}
