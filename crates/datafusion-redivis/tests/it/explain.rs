//! What is pushed to the service, as `EXPLAIN` tells it.

use datafusion::physical_plan::displayable;

use crate::support::{Fixture, fixture};

const FLIGHTS: &str = "redivis.'demo.nycflights13.flights'";

async fn explain(it: &Fixture, sql: &str) -> String {
    it.explain(&sql.replace("FLIGHTS", FLIGHTS)).await
}

#[tokio::test]
async fn plans() {
    let it = fixture().await;
    insta::assert_snapshot!(explain(&it, "SELECT dest, CARRIER FROM FLIGHTS").await, @r#"
    RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[dest, carrier], streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 10").await, @r#"
    RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[dest], limit=10, streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 10 OFFSET 5").await, @r#"
    GlobalLimitExec: skip=5, fetch=10
      RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[dest], limit=15, streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 20000").await, @r#"
    RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[dest], limit=20000, streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 0").await, @r#"
    EmptyExec
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS WHERE month = 2 LIMIT 3").await, @r#"
    CoalescePartitionsExec: fetch=3
      FilterExec: month@0 = 2, projection=[dest@1], fetch=3
        RepartitionExec: partitioning=RoundRobinBatch(4), input_partitions=1
          RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[month, dest], streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS ORDER BY distance LIMIT 3").await, @r#"
    ProjectionExec: expr=[dest@0 as dest]
      SortExec: TopK(fetch=3), expr=[distance@1 ASC NULLS LAST], preserve_partitioning=[false]
        RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[dest, distance], streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT count(*) FROM FLIGHTS").await, @r#"
    ProjectionExec: expr=[336776 as count(*)]
      PlaceholderRowExec
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT count(*) FROM (SELECT 1 FROM FLIGHTS LIMIT 7)").await, @r#"
    ProjectionExec: expr=[count(Int64(1))@0 as count(*)]
      AggregateExec: mode=Final, gby=[], aggr=[count(Int64(1))]
        CoalescePartitionsExec
          AggregateExec: mode=Partial, gby=[], aggr=[count(Int64(1))]
            RepartitionExec: partitioning=RoundRobinBatch(4), input_partitions=1
              RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[], limit=7, streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT f.dest, a.name FROM FLIGHTS f JOIN redivis.'demo.nycflights13.airlines' a USING (carrier)").await, @r#"
    HashJoinExec: mode=CollectLeft, join_type=Inner, on=[(carrier@0, carrier@0)], projection=[dest@3, name@1]
      RedivisScanExec: table=demo.nycflights13:v1_0.airlines, projection=[carrier, name], streams=1
      RepartitionExec: partitioning=RoundRobinBatch(4), input_partitions=1
        RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[carrier, dest], streams=1
    "#);
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS UNION ALL SELECT name FROM redivis.'demo.nycflights13.airlines' LIMIT 4").await, @r#"
    CoalescePartitionsExec: fetch=4
      UnionExec
        ProjectionExec: expr=[CAST(dest@0 AS Utf8) as dest]
          LocalLimitExec: fetch=4
            RepartitionExec: partitioning=RoundRobinBatch(4), input_partitions=1
              RedivisScanExec: table=demo.nycflights13:v1_0.flights, projection=[dest], limit=4, streams=1
        ProjectionExec: expr=[name@0 as dest]
          RedivisScanExec: table=demo.nycflights13:v1_0.airlines, projection=[name], limit=4, streams=1
    "#);
}

#[tokio::test]
async fn plans_of_unreleased_tables() {
    let it = fixture().await;
    let readings = "redivis.'lab.weather:next.readings'";
    insta::assert_snapshot!(it.explain(&format!("SELECT reading FROM {readings}")).await, @r#"
    RedivisScanExec: table=lab.weather:next.readings, projection=[Reading], streams=1
    "#);
    insta::assert_snapshot!(it.explain(&format!("SELECT count(*) FROM {readings}")).await, @r#"
    ProjectionExec: expr=[count(Int64(1))@0 as count(*)]
      AggregateExec: mode=Final, gby=[], aggr=[count(Int64(1))]
        CoalescePartitionsExec
          AggregateExec: mode=Partial, gby=[], aggr=[count(Int64(1))]
            RepartitionExec: partitioning=RoundRobinBatch(4), input_partitions=1
              RedivisScanExec: table=lab.weather:next.readings, projection=[], streams=1
    "#);
}

#[tokio::test]
async fn the_tree_says_the_same() {
    let it = fixture().await;
    let plan = it
        .plan(&format!("SELECT dest, carrier FROM {FLIGHTS} LIMIT 10"))
        .await;
    insta::assert_snapshot!(displayable(plan.as_ref()).tree_render().to_string(), @r#"
    ┌───────────────────────────┐
    │      RedivisScanExec      │
    │    --------------------   │
    │         limit: 10         │
    │                           │
    │        projection:        │
    │       dest, carrier       │
    │                           │
    │         streams: 1        │
    │                           │
    │           table:          │
    │   demo.nycflights13:v1_0  │
    │          .flights         │
    └───────────────────────────┘
    "#);
}
