//! What every question needs.

use redivis::resource::Table;
use redivis::{Client, TableReference};

use super::probe::Probe;
use super::report::Report;

pub(super) struct Examination {
    pub(super) client: Client,
    pub(super) probe: Probe,
    pub(super) report: Report,
    pub(super) reference: TableReference,
    pub(super) table: Table,
}
