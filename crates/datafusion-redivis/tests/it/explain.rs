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
    insta::assert_snapshot!(explain(&it, "SELECT dest, CARRIER FROM FLIGHTS").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 10").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 10 OFFSET 5").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 20000").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS LIMIT 0").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS WHERE month = 2 LIMIT 3").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS ORDER BY distance LIMIT 3").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT count(*) FROM FLIGHTS").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT count(*) FROM (SELECT 1 FROM FLIGHTS LIMIT 7)").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT f.dest, a.name FROM FLIGHTS f JOIN redivis.'demo.nycflights13.airlines' a USING (carrier)").await, @"");
    insta::assert_snapshot!(explain(&it, "SELECT dest FROM FLIGHTS UNION ALL SELECT name FROM redivis.'demo.nycflights13.airlines' LIMIT 4").await, @"");
}

#[tokio::test]
async fn plans_of_unreleased_tables() {
    let it = fixture().await;
    let readings = "redivis.'lab.weather:next.readings'";
    insta::assert_snapshot!(it.explain(&format!("SELECT reading FROM {readings}")).await, @"");
    insta::assert_snapshot!(it.explain(&format!("SELECT count(*) FROM {readings}")).await, @"");
}

#[tokio::test]
async fn the_tree_says_the_same() {
    let it = fixture().await;
    let plan = it
        .plan(&format!("SELECT dest, carrier FROM {FLIGHTS} LIMIT 10"))
        .await;
    insta::assert_snapshot!(displayable(plan.as_ref()).tree_render().to_string(), @"");
}
