//! The functions of queries: BigQuery's names, with BigQuery's meaning.
//!
//! What is in these lists can be called, and nothing else: the engine's own functions of the same or other names are
//! not within reach of a query.

mod array;
mod cast;
mod date;
mod number;
mod quantiles;
mod row;
mod text;
mod value;
mod wide;

use std::sync::Arc;

use datafusion::{
    functions, functions_aggregate, functions_nested, functions_window,
    logical_expr::{AggregateUDF, ScalarUDF, WindowUDF},
};

use row::RowFunction;
pub(crate) use value::Kind;

/// All functions of rows.
fn rows() -> impl Iterator<Item = &'static RowFunction> {
    [
        number::FUNCTIONS,
        text::FUNCTIONS,
        date::FUNCTIONS,
        cast::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Whether queries may call a scalar function of this lower-case name.
pub(super) fn is_known(name: &str) -> bool {
    let plain = name.strip_prefix("safe.").unwrap_or(name);
    rows().any(|function| function.name == plain)
}

/// The scalar functions.
pub(super) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let mut all: Vec<Arc<ScalarUDF>> = rows()
        .flat_map(RowFunction::udfs)
        .chain(array::functions())
        .chain(wide::functions())
        .map(Arc::new)
        .collect();
    // These mean the same in the engine; the dialect calls them where BigQuery has another form.
    all.extend([
        functions::core::coalesce(),
        functions::core::nullif(),
        functions_nested::length::array_length_udf(),
        functions_nested::string::array_to_string_udf(),
        functions_nested::string::string_to_array_udf(),
        functions_nested::array_has::array_has_udf(),
    ]);
    all
}

/// The aggregate functions.
pub(super) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    let mut all = functions_aggregate::all_default_aggregate_functions();
    all.push(Arc::new(quantiles::approx_quantiles()));
    all
}

/// The functions of windows.
pub(super) fn window() -> Vec<Arc<WindowUDF>> {
    functions_window::all_default_window_functions()
}
