//! What an application composes: the builder, several endpoints, rotated tokens, statements as plans, and what it lets through.

use std::num::NonZeroUsize;
use std::time::Duration;

use datafusion::common::TableReference;
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion_redivis::{
    Redivis, RedivisBuilder, RedivisOptions, RedivisStatement, StatementKind, register,
};
use redivis::{Client, Token};

use crate::support::{Fixture, client, fixture};

const FLIGHTS: &str = "redivis.'demo.nycflights13.flights'";

async fn count(ctx: &SessionContext, table: &str) -> String {
    let sql = format!("SELECT count(*) AS n FROM {table}");
    let batches = ctx.sql(&sql).await.unwrap().collect().await.unwrap();
    datafusion::arrow::util::display::array_value_to_string(batches[0].column(0), 0).unwrap()
}

async fn plan(it: &Fixture, sql: &str) -> LogicalPlan {
    let state = it.ctx.state();
    let dialect = state.config().options().sql_parser.dialect;
    let statement = state.sql_to_statement(sql, &dialect).unwrap();
    it.redivis.plan(statement).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_again_replaces_the_client_and_nothing_else() {
    let it = fixture().await;
    it.redivis.sql("SET redivis.max_streams = 3").await.unwrap();
    let frame = it.ctx.table(TableReference::partial(
        "redivis",
        "lab.weather:next.readings",
    ));
    let before = frame.await.unwrap();

    // A token that is refused everywhere: what exists already reads with it too.
    let refused = Client::builder()
        .endpoint(it.server.endpoint())
        .token(Token::new("AAAArefused"))
        .retry(redivis::RetryPolicy::never())
        .build()
        .unwrap();
    let again = register(&it.ctx, refused).unwrap();
    let error = before.clone().collect().await.unwrap_err().to_string();
    assert!(error.contains("401"), "{error}");
    let error = again.table("demo.nycflights13.flights").await.unwrap_err();
    assert!(error.to_string().contains("401"), "{error}");

    register(&it.ctx, client(&it.server)).unwrap();
    let rows: usize = before
        .collect()
        .await
        .unwrap()
        .iter()
        .map(|it| it.num_rows())
        .sum();
    assert_eq!(rows, 5);
    assert_eq!(count(&it.ctx, FLIGHTS).await, "336776");
    let options = it.ctx.copied_config();
    assert_eq!(RedivisOptions::of(options.options()).max_streams, 3);
    // The handle from before is as good as the new one.
    assert!(it.redivis.table("demo.nycflights13.flights").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_endpoints_have_schemas_of_their_own() {
    let (one, two) = (fixture().await, fixture().await);
    two.batches("CALL redivis.create_dataset('ada.notes')")
        .await;
    let other = RedivisBuilder::new(client(&two.server))
        .schema_name("other")
        .register(&one.ctx)
        .unwrap();
    let it = &one;
    // Tables, functions, procedures, definitions and writes go where their schema says.
    it.batches("CREATE TABLE other.'ada.notes:next.t' AS SELECT 1 AS id")
        .await;
    it.batches("INSERT INTO other.'ada.notes:next.t' VALUES (2)")
        .await;
    assert_eq!(
        it.value("SELECT sum(id) FROM other.'ada.notes:next.t'")
            .await,
        "3"
    );
    assert_eq!(
        it.value("SELECT sum(id) FROM other('ada.notes:next.t')")
            .await,
        "3"
    );
    it.batches("CALL other.release('ada.notes')").await;
    it.batches("CREATE EXTERNAL TABLE t STORED AS OTHER LOCATION 'ada.notes.t'")
        .await;
    assert_eq!(it.value("SELECT count(*) FROM t").await, "2");
    assert_eq!(
        two.value("SELECT count(*) FROM redivis.'ada.notes:v1_0.t'")
            .await,
        "2"
    );
    let error = it.error("SELECT * FROM redivis.'ada.notes.t'").await;
    assert!(error.contains("404"), "{error}");
    assert_eq!(count(&it.ctx, FLIGHTS).await, "336776");
    assert_eq!(other.client().endpoint(), two.server.endpoint());
    assert_eq!(
        Redivis::of(&it.ctx).unwrap().client().endpoint(),
        one.server.endpoint()
    );

    // A name leads to one endpoint.
    let error = register(&it.ctx, client(&two.server))
        .unwrap_err()
        .to_string();
    assert!(error.contains("a schema name of its own"), "{error}");
    let taken = RedivisBuilder::new(client(&two.server)).schema_name("public");
    let error = taken.register(&it.ctx).unwrap_err().to_string();
    assert!(error.contains("already"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_built_with_it() {
    let it = fixture().await;
    let mut options = RedivisOptions::default();
    options.max_streams = 2;
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(SessionConfig::new().with_information_schema(true));
    let state = RedivisBuilder::new(client(&it.server))
        .options(options)
        .default_parent(datafusion_redivis::DefaultParent::Dataset(
            "demo.nycflights13".parse().unwrap(),
        ))
        .metadata_capacity(NonZeroUsize::MIN)
        .metadata_max_age(Duration::ZERO)
        .build_into(state)
        .unwrap();
    let ctx = SessionContext::new_with_state(state.build());
    // Without our own handle: every name but the functions.
    for table in [
        FLIGHTS,
        "`demo.nycflights13.flights`",
        "demo.nycflights13.flights",
        "flights",
    ] {
        let table = table.replace('`', "\"");
        assert_eq!(count(&ctx, &table).await, "336776", "{table}");
    }
    assert_eq!(
        RedivisOptions::of(ctx.copied_config().options()).max_streams,
        2
    );
    let redivis = Redivis::of(&ctx).unwrap();
    redivis
        .sql("CALL redivis.create_dataset('ada.notes')")
        .await
        .unwrap();
    assert!(Redivis::of(&SessionContext::new()).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_configuration_is_no_registration() {
    let it = fixture().await;
    let ctx = &it.ctx;
    // A configuration that was copied brings no catalogs along, and is no registration.
    let copy = SessionContext::new_with_config(ctx.copied_config());
    assert!(Redivis::of(&copy).is_none());
    register(&copy, client(&it.server)).unwrap();
    assert_eq!(count(&copy, FLIGHTS).await, "336776");
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_plans_that_do_nothing_before_they_are_executed() {
    let it = fixture().await;
    let call = plan(&it, "CALL redivis.create_dataset('ada.notes')").await;
    assert_eq!(
        RedivisStatement::of(&call).unwrap().kind(),
        StatementKind::Call
    );
    assert!(
        it.error("CALL redivis.next_version('ada.notes')")
            .await
            .contains("404")
    );
    let run = async |plan: LogicalPlan| {
        let frame = it.ctx.execute_logical_plan(plan).await.unwrap();
        frame.collect().await.unwrap()
    };
    assert_eq!(run(call).await[0].num_rows(), 1);
    let create =
        "CREATE TABLE redivis.'ada.notes:next.t' (id BIGINT, name TEXT) AS SELECT 1 AS a, 'x' AS b";
    for explained in [
        create.to_owned(),
        "DROP TABLE IF EXISTS redivis.'ada.notes:next.t'".to_owned(),
        "CALL redivis.release('ada.notes', 'it''s done')".to_owned(),
    ] {
        it.batches(&format!("EXPLAIN {explained}")).await;
    }
    insta::assert_snapshot!(explained(&it, create).await, @r#"
    +---------------+----------------------------------------------------------------------------------------+
    | plan_type     | plan                                                                                   |
    +---------------+----------------------------------------------------------------------------------------+
    | logical_plan  | RedivisStatement: CREATE TABLE ada.notes:next.t, columns=[id Int64, name Utf8View]     |
    |               |   Projection: Int64(1) AS id, Utf8("x") AS name                                        |
    |               |     EmptyRelation: rows=1                                                              |
    | physical_plan | RedivisStatementExec: CREATE TABLE ada.notes:next.t, columns=[id Int64, name Utf8View] |
    |               |   ProjectionExec: expr=[1 as id, x as name]                                            |
    |               |     PlaceholderRowExec                                                                 |
    |               |                                                                                        |
    +---------------+----------------------------------------------------------------------------------------+
    "#);
    assert!(
        it.error("SELECT * FROM redivis.'ada.notes:next.t'")
            .await
            .contains("404")
    );
    let made = run(plan(&it, create).await).await;
    assert_eq!(
        made[0].column(0).as_ref(),
        &datafusion::arrow::array::UInt64Array::from(vec![1])
    );

    let copy = "COPY (SELECT 2 AS id, 'y' AS name) TO 'redivis://ada.notes:next.t/more.parquet'";
    insta::assert_snapshot!(explained(&it, copy).await, @r#"
    +---------------+---------------------------------------------------------------------------------------+
    | plan_type     | plan                                                                                  |
    +---------------+---------------------------------------------------------------------------------------+
    | logical_plan  | RedivisStatement: COPY TO redivis://ada.notes:next.t/more.parquet, format=parquet     |
    |               |   Projection: Int64(2) AS id, Utf8("y") AS name                                       |
    |               |     EmptyRelation: rows=1                                                             |
    | physical_plan | RedivisStatementExec: COPY TO redivis://ada.notes:next.t/more.parquet, format=parquet |
    |               |   ProjectionExec: expr=[2 as id, y as name]                                           |
    |               |     PlaceholderRowExec                                                                |
    |               |                                                                                       |
    +---------------+---------------------------------------------------------------------------------------+
    "#);
    assert_eq!(
        it.value("SELECT count(*) FROM redivis.'ada.notes:next.t'")
            .await,
        "1"
    );
    run(plan(&it, copy).await).await;
    assert_eq!(
        it.value("SELECT count(*) FROM redivis.'ada.notes:next.t'")
            .await,
        "2"
    );
    it.batches("EXPLAIN ANALYZE CALL redivis.delete_upload('ada.notes:next.t', 'more.parquet')")
        .await;
    assert_eq!(
        it.value("SELECT count(*) FROM redivis.'ada.notes:next.t'")
            .await,
        "1"
    );
    run(plan(&it, "DROP TABLE redivis.'ada.notes:next.t'").await).await;
    assert!(
        it.error("SELECT * FROM redivis.'ada.notes:next.t'")
            .await
            .contains("404")
    );
}

async fn explained(it: &Fixture, sql: &str) -> String {
    it.rows(&format!("EXPLAIN FORMAT INDENT {sql}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn options_refuse_statements_on_redivis_as_local_ones() {
    let it = fixture().await;
    it.batches("CALL redivis.create_dataset('ada.notes')").await;
    it.batches("CREATE TABLE redivis.'ada.notes:next.t' AS SELECT 1 AS id")
        .await;
    let read_only = || {
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
    };
    let refused = async |sql: &str, options: SQLOptions| match it
        .redivis
        .sql_with_options(sql, options)
        .await
    {
        Ok(_) => panic!("{sql}: not refused"),
        Err(error) => error.strip_backtrace(),
    };
    // Each beside its local counterpart.
    for (remote, local) in [
        (
            "CREATE TABLE redivis.'ada.notes:next.u' AS SELECT 1 AS id",
            "CREATE TABLE u AS SELECT 1 AS id",
        ),
        ("DROP TABLE redivis.'ada.notes:next.t'", "DROP TABLE t"),
        (
            "COPY (SELECT 1 AS id) TO 'redivis://ada.notes:next.t/x.parquet'",
            "COPY (SELECT 1 AS id) TO 'x.parquet'",
        ),
        (
            "EXPLAIN DROP TABLE redivis.'ada.notes:next.t'",
            "EXPLAIN DROP TABLE t",
        ),
    ] {
        let remote = refused(remote, read_only()).await;
        assert_eq!(remote, refused(local, read_only()).await);
        assert!(remote.contains("not supported"), "{remote}");
    }
    let insert = "INSERT INTO redivis.'ada.notes:next.t' VALUES (2)";
    assert!(
        refused(insert, read_only())
            .await
            .contains("DML not supported: Insert Into")
    );
    let call = "CALL redivis.delete_upload('ada.notes:next.t', 'x')";
    assert!(
        refused(call, read_only())
            .await
            .contains("Statement not supported: CALL")
    );
    let no_dml = SQLOptions::new().with_allow_dml(false);
    assert!(
        refused(call, no_dml)
            .await
            .contains("DML not supported: CALL")
    );
    let no_ddl = SQLOptions::new().with_allow_ddl(false);
    let release = "CALL redivis.release('ada.notes')";
    assert!(
        refused(release, no_ddl)
            .await
            .contains("DDL not supported: CALL")
    );
    assert_eq!(
        it.value("SELECT count(*) FROM redivis.'ada.notes:next.t'")
            .await,
        "1"
    );
    let rows = it
        .redivis
        .sql_with_options("SELECT * FROM redivis.'ada.notes:next.t'", read_only());
    assert_eq!(
        rows.await.unwrap().collect().await.unwrap()[0].num_rows(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogs_and_schemas_are_defined_locally() {
    let it = fixture().await;
    for sql in [
        "CREATE DATABASE shelf",
        "CREATE SCHEMA IF NOT EXISTS shelf.top",
        "CREATE TABLE shelf.top.t AS SELECT 7 AS id",
        "CREATE SCHEMA IF NOT EXISTS plain",
        "CREATE TABLE plain.t AS SELECT 8 AS id",
    ] {
        it.batches(sql).await;
    }
    assert_eq!(it.value("SELECT id FROM shelf.top.t").await, "7");
    assert_eq!(it.value("SELECT id FROM plain.t").await, "8");
    assert!(it.ctx.catalog_names().contains(&"shelf".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_query_is_run_once_to_plan_and_explain_says_so() {
    let it = fixture().await;
    let sql = "EXPLAIN SELECT count(*) FROM redivis_query('SELECT carrier\n FROM `demo.nycflights13.airlines`')";
    let plan = it.rows(&sql.replace("count(*)", "carrier")).await;
    assert!(
        plan.contains("run to plan this: SELECT carrier FROM `demo.nycflights13.airlines`"),
        "{plan}"
    );
    // Its result is what is read; the count of its rows is known.
    assert_eq!(it.value(&sql.replace("EXPLAIN ", "")).await, "16");
}
