//! TPC-DS's tables, as Parquet files of a dataset.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{CsvReadOptions, SessionContext};
use tpcdsgen::config::{SessionBuilder, Table};
use tpcdsgen::csv::{self, CsvRow};
use tpcdsgen::row::*;

/// Columns and their types, a line for each table.
const TABLES: &str = include_str!("tables.txt");
const SCALE_FACTOR: f64 = 0.004;
/// How many rows of `customer_demographics` are kept, which has two million at any scale: one for each value of its first
/// five columns, and other tables' keys are folded to them.
const DEMOGRAPHICS: usize = 5_600;

pub(super) async fn write_all(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    macro_rules! tables {
        ($($table:ident $rows:ident $csv:ident,)*) => {
            $(
                let session = SessionBuilder::new().with_scale_factor(SCALE_FACTOR).build().unwrap();
                let count = session.get_scaling().get_row_count(Table::$table);
                let rows = $rows::new(session, count).take(most(Table::$table));
                let mut text = csv::csv_header(Table::$table, ',');
                text.push('\n');
                for row in rows {
                    writeln!(text, "{}", csv::$csv::new(&row)).unwrap();
                }
                write(folder, Table::$table.get_name(), text).await;
            )*
        };
    }
    tables! {
        CallCenter CallCenterRowGenerator CallCenterCsv,
        CatalogPage CatalogPageRowGenerator CatalogPageCsv,
        CatalogReturns CatalogReturnsRowGenerator CatalogReturnsCsv,
        CatalogSales CatalogSalesRowGenerator CatalogSalesCsv,
        Customer CustomerRowGenerator CustomerCsv,
        CustomerAddress CustomerAddressRowGenerator CustomerAddressCsv,
        CustomerDemographics CustomerDemographicsRowGenerator CustomerDemographicsCsv,
        DateDim DateDimRowGenerator DateDimCsv,
        HouseholdDemographics HouseholdDemographicsRowGenerator HouseholdDemographicsCsv,
        IncomeBand IncomeBandRowGenerator IncomeBandCsv,
        Inventory InventoryRowGenerator InventoryCsv,
        Item ItemRowGenerator ItemCsv,
        Promotion PromotionRowGenerator PromotionCsv,
        Reason ReasonRowGenerator ReasonCsv,
        ShipMode ShipModeRowGenerator ShipModeCsv,
        Store StoreRowGenerator StoreCsv,
        StoreReturns StoreReturnsRowGenerator StoreReturnsCsv,
        StoreSales StoreSalesRowGenerator StoreSalesCsv,
        TimeDim TimeDimRowGenerator TimeDimCsv,
        Warehouse WarehouseRowGenerator WarehouseCsv,
        WebPage WebPageRowGenerator WebPageCsv,
        WebReturns WebReturnsRowGenerator WebReturnsCsv,
        WebSales WebSalesRowGenerator WebSalesCsv,
        WebSite WebSiteRowGenerator WebSiteCsv,
    }
}

fn most(table: Table) -> usize {
    match table {
        Table::CustomerDemographics => DEMOGRAPHICS,
        _ => usize::MAX,
    }
}

async fn write(folder: &Path, table: &str, text: String) {
    let file = folder.join(format!("{table}.csv"));
    fs::write(&file, &text).unwrap();
    let line = TABLES
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{table}: ")));
    let columns: Vec<(&str, &str)> = line
        .unwrap()
        .split(", ")
        .map(|column| column.split_once(' ').unwrap())
        .collect();
    let header = text.lines().next().unwrap().split(',');
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(header.collect::<Vec<_>>(), names, "{table}");
    let fields = columns.iter().map(|(name, kind)| {
        let data_type = match *kind {
            "integer" => DataType::Int64,
            "float" => DataType::Float64,
            "date" => DataType::Date32,
            _ => DataType::Utf8,
        };
        Field::new(*name, data_type, true)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let context = SessionContext::new();
    let options = CsvReadOptions::new().schema(&schema);
    context
        .register_csv("rows", file.to_str().unwrap(), options)
        .await
        .unwrap();
    let selected: Vec<String> = columns
        .iter()
        .map(|(name, kind)| match *kind {
            _ if name.ends_with("cdemo_sk") => {
                format!("({name} - 1) % {DEMOGRAPHICS} + 1 AS {name}")
            }
            // In 64ths, whose sums are exact: ranks by sums do not depend on the order of rows.
            "float" => format!("round({name} * 64) / 64 AS {name}"),
            _ => (*name).to_owned(),
        })
        .collect();
    let rows = context
        .sql(&format!("SELECT {} FROM rows", selected.join(", ")))
        .await
        .unwrap();
    let target = folder.join(format!("{table}.parquet"));
    let options = DataFrameWriteOptions::new().with_single_file_output(true);
    rows.write_parquet(target.to_str().unwrap(), options, None)
        .await
        .unwrap();
    fs::remove_file(file).unwrap();
}
