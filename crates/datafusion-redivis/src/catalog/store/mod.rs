//! Tables on Redivis as places for files: `redivis://owner.dataset.table/path`.
//!
//! A file index table has files, which are listed, read and added. Any other table has uploads, which are made of files and
//! read as rows: a file written to it becomes an upload of that name. What the service cannot do is refused in words, never
//! imitated: there is no copying, renaming or conditional writing.

mod error;
mod listing;
mod parts;
mod registry;
mod target;
pub(crate) mod url;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result,
};
use redivis::TableReference;
use redivis::write::Content;

use self::error::{failed, unsupported};
use self::listing::Listing;
use self::parts::Parts;
pub use self::registry::RedivisObjectStoreRegistry;
pub(crate) use self::target::Target;
pub(crate) use self::url::{location, table as url_table};
use crate::connection::Connection;
use crate::write::{Expected, Writes};

/// The files of one table.
pub(crate) struct RedivisStore {
    connection: Arc<Connection>,
    reference: TableReference,
    writes: Arc<Writes>,
    listing: Listing,
    spool: parts::NewSpool,
}

impl fmt::Debug for RedivisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedivisStore")
            .field("table", &self.reference.to_string())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for RedivisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", url::SCHEME, self.reference)
    }
}

impl RedivisStore {
    pub(crate) fn new(
        connection: Arc<Connection>,
        reference: TableReference,
        writes: Arc<Writes>,
        spool: parts::NewSpool,
    ) -> Self {
        Self {
            listing: Listing::new(Arc::clone(&connection), reference.clone()),
            connection,
            reference,
            writes,
            spool,
        }
    }

    async fn target(&self) -> Result<Target> {
        let target = Target::find(&self.connection.client(), &self.reference, &self.writes).await;
        target.map_err(error::other)
    }
}

/// What there is to say of a file that was written.
const WRITTEN: PutResult = PutResult {
    e_tag: None,
    version: None,
};

/// The format of an upload where its name does not say it: what `COPY` writes as `.json` is no array but one object a line,
/// which Redivis calls ndjson.
fn upload_type(location: &Path, first: Option<u8>) -> Option<&'static str> {
    (location.extension()? == "json" && first == Some(b'{')).then_some("ndjson")
}

#[async_trait]
impl ObjectStore for RedivisStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if !options.attributes.is_empty() {
            return Err(unsupported("files on Redivis have no attributes"));
        }
        let target = self.target().await?;
        match options.mode {
            PutMode::Overwrite => {}
            // An upload is never put in the place of another.
            PutMode::Create if !target.table.is_file_index => {}
            PutMode::Create | PutMode::Update(_) => {
                return Err(unsupported(
                    "Redivis cannot add a file only if there is none, or only in the place of a certain one",
                ));
            }
        }
        let bytes = Bytes::from(payload);
        let upload_type = upload_type(location, bytes.first().copied());
        let content = Content::bytes(bytes);
        let expected = Expected::default();
        let written = target
            .write(location, &content, upload_type, &expected)
            .await;
        written.map_err(error::other)?;
        Ok(WRITTEN)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if !options.attributes.is_empty() {
            return Err(unsupported("files on Redivis have no attributes"));
        }
        let target = self.target().await?;
        target.check_free(location).await.map_err(error::other)?;
        Ok(Box::new(Parts::new(target, location.clone(), &self.spool)?))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let file = self.listing.find(location, self.writes.count()).await?;
        let meta = file.meta(location);
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            Some(range) => range.as_range(meta.size).map_err(error::other)?,
            None => 0..meta.size,
        };
        let bytes: BoxStream<'static, Result<Bytes>> = if options.head || range.is_empty() {
            stream::empty().boxed()
        } else {
            let whole = range == (0..meta.size);
            let name = location.to_string();
            self.connection
                .client()
                .read_raw_file(&file.id, (!whole).then(|| Range::clone(&range)))
                .map_err(move |error| failed(&name, error))
                .boxed()
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(bytes),
            meta,
            range,
            attributes: Default::default(),
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let refused = || {
            Err(unsupported(
                "the API of Redivis deletes no files; uploads are deleted with CALL redivis.delete_upload",
            ))
        };
        locations
            .map(move |location| location.and_then(|_| refused()))
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing.list(prefix, self.writes.count())
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.listing.level(prefix, self.writes.count()).await
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> Result<()> {
        Err(unsupported("Redivis copies no files; read and write them"))
    }

    async fn rename_opts(&self, _from: &Path, _to: &Path, _options: RenameOptions) -> Result<()> {
        Err(unsupported("Redivis renames no files; write them anew"))
    }
}
