//! URLs of files on Redivis in statements, `redivis://owner.dataset:next.table/path`, as URLs are written.

use datafusion::common::Result;
use datafusion::sql::parser::Statement;

use super::statement::{Body, body};
use crate::catalog::store;

/// Encodes the references in them.
pub(crate) fn encode(statement: &mut Statement) -> Result<()> {
    let urls = match body(statement) {
        Body::CopyTo(copy) => std::slice::from_mut(&mut copy.target),
        Body::CreateExternalTable(create) => create.locations.as_mut_slice(),
        Body::Sql(_) | Body::Reset => return Ok(()),
    };
    for url in urls {
        if let Some(encoded) = store::location(url)? {
            *url = encoded;
        }
    }
    Ok(())
}
