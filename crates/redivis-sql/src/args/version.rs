//! What `--version` says: also which DataFusion and Arrow are in it, and the commit.

use std::sync::LazyLock;

static LONG: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}{}\nDataFusion {}, Arrow {}",
        env!("CARGO_PKG_VERSION"),
        env!("REDIVIS_SQL_COMMIT"),
        datafusion::DATAFUSION_VERSION,
        arrow::ARROW_VERSION,
    )
});

/// The version, the commit where it is known, and what is inside.
pub(super) fn long() -> &'static str {
    &LONG
}
