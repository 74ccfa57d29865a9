//! TPC-H: all queries give the same over Redivis as DataFusion gives on the same Parquet files read locally.
//!
//! Redivis has no decimal type, so that decimals are floats in the files of both sides.

use std::fs::File;
use std::path::Path;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::displayable;
use datafusion::prelude::{ParquetReadOptions, SessionContext};
use datafusion_redivis::DefaultParent;
use redivis_tests::server::Server;
use tempfile::TempDir;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow,
    RecordBatchIterator, RegionArrow, SupplierArrow,
};

use crate::session::session;

const SCALE_FACTOR: f64 = 0.01;
const TABLES: [&str; 8] = [
    "customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier",
];

const QUERIES: [&str; 22] = [
    include_str!("tpch/q01.sql"),
    include_str!("tpch/q02.sql"),
    include_str!("tpch/q03.sql"),
    include_str!("tpch/q04.sql"),
    include_str!("tpch/q05.sql"),
    include_str!("tpch/q06.sql"),
    include_str!("tpch/q07.sql"),
    include_str!("tpch/q08.sql"),
    include_str!("tpch/q09.sql"),
    include_str!("tpch/q10.sql"),
    include_str!("tpch/q11.sql"),
    include_str!("tpch/q12.sql"),
    include_str!("tpch/q13.sql"),
    include_str!("tpch/q14.sql"),
    include_str!("tpch/q15.sql"),
    include_str!("tpch/q16.sql"),
    include_str!("tpch/q17.sql"),
    include_str!("tpch/q18.sql"),
    include_str!("tpch/q19.sql"),
    include_str!("tpch/q20.sql"),
    include_str!("tpch/q21.sql"),
    include_str!("tpch/q22.sql"),
];

#[tokio::test(flavor = "multi_thread")]
async fn all_queries_give_what_local_files_give() {
    let data = TempDir::new().unwrap();
    let folder = data.path().join("bench/tpch");
    write_tables(&folder);

    let local = SessionContext::new();
    for table in TABLES {
        let file = folder.join(format!("{table}.parquet"));
        local
            .register_parquet(table, file.to_str().unwrap(), ParquetReadOptions::default())
            .await
            .unwrap();
    }

    let server = Server::directory(data.path());
    let (_, redivis) = session(server.endpoint(), server.token());
    redivis.set_default_parent(Some(DefaultParent::Dataset("bench.tpch".parse().unwrap())));

    let mut answers = vec![];
    for (sql, query) in QUERIES.iter().zip(1..) {
        let expected = Answer::of(local.sql(sql).await.unwrap().collect().await.unwrap());
        let answer = Answer::of(redivis.sql(sql).await.unwrap().collect().await.unwrap());
        answer.assert_same(&expected, &format!("q{query:02}"));
        answers.push(expected);
    }

    // The same as queries that run on Redivis: wholly, or but for the last sort.
    redivis.sql("SET redivis.pushdown = always").await.unwrap();
    let mut wholly = 0;
    for ((sql, expected), query) in QUERIES.iter().zip(&answers).zip(1..) {
        let query = format!("q{query:02}, pushed");
        let frame = redivis.sql(sql).await.unwrap();
        let plan = frame.clone().create_physical_plan().await.unwrap();
        let plan = displayable(plan.as_ref()).indent(false).to_string();
        let nodes = plan
            .lines()
            .filter(|line| line.trim_start().contains("Exec"));
        let left = nodes.filter(|line| {
            let done = [
                "RedivisQueryExec",
                "SortExec",
                "SortPreservingMergeExec",
                "ProjectionExec",
                "RepartitionExec",
            ];
            !done.iter().any(|node| line.trim_start().starts_with(node))
        });
        let left: Vec<&str> = left.collect();
        println!(
            "{query}: {}",
            if left.is_empty() {
                "all but the last sort"
            } else {
                &plan
            }
        );
        wholly += usize::from(left.is_empty());
        let answer = Answer::of(frame.collect().await.unwrap());
        answer.assert_same(expected, &query);
    }
    assert_eq!(wholly, QUERIES.len(), "queries that run on Redivis");
    redivis.sql("SET redivis.pushdown = off").await.unwrap();

    // The same while the cache fills, where some of a query's tables are there and others are not, and when all are.
    let cache = data.path().join("cache");
    for setting in ["cache = on", &format!("cache_dir = '{}'", cache.display())] {
        redivis
            .sql(&format!("SET redivis.{setting}"))
            .await
            .unwrap();
    }
    for state in ["half filled", "filled"] {
        for ((sql, expected), query) in QUERIES.iter().zip(&answers).zip(1..) {
            let query = format!("q{query:02}, {state}");
            let frame = redivis.sql(sql).await.unwrap();
            let plan = frame.clone().create_physical_plan().await.unwrap();
            let reads = displayable(plan.as_ref()).indent(false).to_string();
            assert!(
                state != "filled" || !reads.contains("RedivisScanExec"),
                "{query}\n{reads}"
            );
            let answer = Answer::of(frame.collect().await.unwrap());
            answer.assert_same(expected, &query);
        }
    }
}

/// A result: texts for what has to be equal, floats for what may differ in the last digits, since sums of floats depend on
/// the order of rows.
struct Answer {
    columns: Vec<(String, DataType)>,
    rows: Vec<(Vec<String>, Vec<Option<f64>>)>,
}

impl Answer {
    fn of(batches: Vec<RecordBatch>) -> Answer {
        let mut answer = Answer {
            columns: Vec::new(),
            rows: Vec::new(),
        };
        for batch in batches {
            let schema = batch.schema();
            // Strings may be views on one side: a matter of representation.
            let columns = schema.fields().iter().map(|field| match field.data_type() {
                DataType::Utf8View | DataType::LargeUtf8 => (field.name().clone(), DataType::Utf8),
                other => (field.name().clone(), other.clone()),
            });
            answer.columns = columns.collect();
            let options = FormatOptions::default().with_null("NULL");
            for row in 0..batch.num_rows() {
                let (mut texts, mut floats) = (Vec::new(), Vec::new());
                for column in batch.columns() {
                    match column.as_primitive_opt::<Float64Type>() {
                        Some(column) => floats.push(column.iter().nth(row).flatten()),
                        None => {
                            let formatter = ArrayFormatter::try_new(column, &options).unwrap();
                            texts.push(formatter.value(row).to_string());
                        }
                    }
                }
                answer.rows.push((texts, floats));
            }
        }
        answer
    }

    fn assert_same(&self, expected: &Answer, query: &str) {
        assert!(
            !expected.rows.is_empty(),
            "{query} has an answer to compare"
        );
        assert_eq!(self.columns, expected.columns, "{query}");
        assert_eq!(self.rows.len(), expected.rows.len(), "{query}");
        for (row, ((texts, floats), (expected_texts, expected_floats))) in
            self.rows.iter().zip(&expected.rows).enumerate()
        {
            assert_eq!(texts, expected_texts, "{query}, row {row}");
            for (value, expected) in floats.iter().zip(expected_floats) {
                let same = match (value, expected) {
                    (Some(value), Some(expected)) => {
                        (value - expected).abs() <= 1e-9 * expected.abs().max(1.0)
                    }
                    (value, expected) => value == expected,
                };
                assert!(same, "{query}, row {row}: {value:?} is not {expected:?}");
            }
        }
    }
}

fn write_tables(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let (scale, part, parts) = (SCALE_FACTOR, 1, 1);
    write(
        folder,
        "customer",
        CustomerArrow::new(CustomerGenerator::new(scale, part, parts)),
    );
    write(
        folder,
        "lineitem",
        LineItemArrow::new(LineItemGenerator::new(scale, part, parts)),
    );
    write(
        folder,
        "nation",
        NationArrow::new(NationGenerator::new(scale, part, parts)),
    );
    write(
        folder,
        "orders",
        OrderArrow::new(OrderGenerator::new(scale, part, parts)),
    );
    write(
        folder,
        "part",
        PartArrow::new(PartGenerator::new(scale, part, parts)),
    );
    write(
        folder,
        "partsupp",
        PartSuppArrow::new(PartSuppGenerator::new(scale, part, parts)),
    );
    write(
        folder,
        "region",
        RegionArrow::new(RegionGenerator::new(scale, part, parts)),
    );
    write(
        folder,
        "supplier",
        SupplierArrow::new(SupplierGenerator::new(scale, part, parts)),
    );
}

fn write(folder: &Path, table: &str, batches: impl RecordBatchIterator) {
    let fields = batches
        .schema()
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), stored(field.data_type()), true));
    let schema = std::sync::Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let file = File::create(folder.join(format!("{table}.parquet"))).unwrap();
    // Several row groups, so that the larger tables are read through several streams.
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(10_000))
        .build();
    let mut writer =
        ArrowWriter::try_new(file, std::sync::Arc::clone(&schema), Some(properties)).unwrap();
    for batch in batches {
        let columns = batch
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(column, field)| cast(column, field.data_type()));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>().unwrap();
        writer
            .write(&RecordBatch::try_new(std::sync::Arc::clone(&schema), columns).unwrap())
            .unwrap();
    }
    writer.close().unwrap();
}

/// The type that a Redivis table has for it.
fn stored(generated: &DataType) -> DataType {
    match generated {
        DataType::Decimal128(..) => DataType::Float64,
        DataType::Utf8View => DataType::Utf8,
        DataType::Int32 => DataType::Int64,
        other => other.clone(),
    }
}
