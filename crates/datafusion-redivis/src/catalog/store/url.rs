//! `redivis://owner.dataset:next.table/path`, as people write it and as URLs are.
//!
//! In a URL, what follows a colon in the authority is a port; so a reference's colons are percent-encoded before the URL is
//! parsed, and decoded when its store is looked up. Wildcards are cut off before they could be taken for names.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result, TableReference, plan_err};
use datafusion::datasource::listing::{
    ListingTable, ListingTableConfig, ListingTableConfigExt, ListingTableUrl,
};
use datafusion::execution::SessionState;
use glob::Pattern;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::refused;
use crate::write::unique;

/// The scheme of files on Redivis.
pub(crate) const SCHEME: &str = "redivis";

/// The URL with its reference encoded; `None` for what is no file on Redivis. Fails for what is no reference.
fn encoded(text: &str) -> Result<Option<String>> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Ok(None);
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let reference = decoded(authority)?;
    Ok(Some(format!(
        "{SCHEME}://{}/{}",
        reference.path_segment(),
        // A file's name has no fragment.
        path.replace('#', "%23")
    )))
}

/// The URL of one file or folder, encoded like that; what would be a wildcard elsewhere is part of its name.
pub(crate) fn location(text: &str) -> Result<Option<String>> {
    Ok(encoded(text)?.map(|url| url.replace('?', "%3F")))
}

/// The table that a URL's authority means, encoded or not: no reference has a percent sign.
pub(crate) fn decoded(authority: &str) -> Result<redivis::TableReference> {
    let text = percent_decode_str(authority).decode_utf8_lossy();
    text.parse().map_err(refused)
}

/// The files at a URL as a table: one file, all of a folder (`…/2019/`), or those that match (`…/2019/*.parquet`).
pub(crate) async fn table(
    text: &str,
    state: &SessionState,
) -> Result<Option<Arc<dyn TableProvider>>> {
    let Some(url) = encoded(text)? else {
        return Ok(None);
    };
    let (base, pattern) = split(&url);
    let folders = pattern.is_some_and(|pattern| pattern.contains('/'));
    let pattern = pattern.map(Pattern::new).transpose();
    let pattern = pattern.map_err(|error| DataFusionError::External(Box::new(error)))?;
    let parsed = Url::parse(base).map_err(|error| DataFusionError::External(Box::new(error)))?;
    // DataFusion remembers lists of files by folder and table, whatever store they are in, and for good: each use of a URL is
    // a table of its own.
    let unique = TableReference::bare(unique(text));
    let url = ListingTableUrl::try_new(parsed, pattern)?.with_table_ref(unique);
    let folders = match folders {
        true => {
            "; a wildcard in a folder's name needs SET datafusion.execution.listing_table_ignore_subdirectory = false"
        }
        false => "",
    };
    let config = match ListingTableConfig::new(url).infer_options(state).await {
        Ok(config) => config,
        // DataFusion takes this for a bug of its own.
        Err(error) if matches!(error.find_root(), DataFusionError::Internal(_)) => {
            return plan_err!("no file matches {text}{folders}");
        }
        Err(error) => return Err(error),
    };
    let config = config.infer_partitions_from_path(state).await?;
    let config = config.infer_schema(state).await?;
    Ok(Some(Arc::new(ListingTable::try_new(config)?)))
}

/// The part before the first segment with a wildcard, and from there on.
fn split(url: &str) -> (&str, Option<&str>) {
    let Some(wildcard) = url.find(['*', '?', '[']) else {
        return (url, None);
    };
    let (base, pattern) = url.split_at(url[..wildcard].rfind('/').map_or(0, |slash| slash + 1));
    (base, Some(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_encoded_and_come_back() {
        for (text, url) in [
            ("redivis://o.d.t/x.csv", "redivis://o.d.t/x.csv"),
            (
                "REDIVIS://o.d:next.T/a/b.csv",
                "redivis://o.d%3Anext.T/a/b.csv",
            ),
            ("redivis://o.d%3Anext.t/", "redivis://o.d%3Anext.t/"),
            (
                "redivis://o.d:1q86:v1.0.t:ab12",
                "redivis://o.d%3A1q86%3Av1_0.t%3Aab12/",
            ),
            ("redivis://o.d.t/a#b?.csv", "redivis://o.d.t/a%23b?.csv"),
            (
                "redivis://o.My data:next.Ü/x",
                "redivis://o.My%20data%3Anext.%C3%9C/x",
            ),
        ] {
            let encoded = encoded(text).unwrap().unwrap();
            assert_eq!(encoded, url);
            let parsed = Url::parse(&encoded).unwrap();
            let authority = text.split('/').nth(2).unwrap();
            let reference = decoded(parsed.host_str().unwrap()).unwrap();
            assert_eq!(reference, decoded(authority).unwrap());
            assert_eq!(super::encoded(&encoded).unwrap().unwrap(), encoded);
        }
        assert_eq!(encoded("s3://bucket/x").unwrap(), None);
        assert_eq!(encoded("flights.csv").unwrap(), None);
        encoded("redivis://demo/x.csv").unwrap_err();
        encoded("redivis:///x.csv").unwrap_err();
    }

    #[test]
    fn wildcards_are_cut_off_at_their_segment() {
        assert_eq!(
            split("redivis://o.d.t/2019/x"),
            ("redivis://o.d.t/2019/x", None)
        );
        assert_eq!(
            split("redivis://o.d.t/2019/*.parquet"),
            ("redivis://o.d.t/2019/", Some("*.parquet"))
        );
        assert_eq!(
            split("redivis://o.d.t/20??/a[12].csv"),
            ("redivis://o.d.t/", Some("20??/a[12].csv"))
        );
    }
}
