//! Writes what a scan reads beside it, and keeps it if the scan comes to its end.
//!
//! Each partition has a file and a thread of its own, which encodes what the query gets as well; the query waits for it only
//! where it falls behind. Whatever goes wrong costs the entry and never the query: the folder goes, and a warning says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Float64Type, SchemaRef};
use datafusion::common::utils::memory::get_record_batch_memory_size;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use redivis::TableReference;
use redivis::resource::{Table, Variable};
use tokio::sync::{mpsc, oneshot};

use super::blocks::Summing;
use super::entry::{MANIFEST, Manifest, Part, sums_of};
use super::folder::{TemporaryFolder, folders_in, private, random_name};
use super::key::TableKey;
use super::{Cache, sealed};

/// Row groups are written when those of all streams of a scan take so much memory. Larger ones are smaller on the disk and quicker
/// to read: their dictionaries serve more rows.
const ROW_GROUPS_BYTES: usize = 128 << 20;
/// Each column takes some to begin with, and a row group is to have more than that.
const COLUMN_BYTES: usize = 16 << 10;
/// Batches that may wait for their encoding.
const WAITING_BATCHES: usize = 2;

/// What a scan may keep, and where.
#[derive(Debug)]
pub(crate) struct Keep {
    pub(crate) cache: Cache,
    pub(crate) key: TableKey,
    /// What the table was asked for by.
    pub(crate) reference: TableReference,
    /// What the service says of the table, for when it cannot be asked.
    pub(crate) table: Table,
    pub(crate) variables: Vec<Variable>,
}

/// The entry that one execution of a scan writes.
#[derive(Debug, Clone)]
pub(crate) struct Fill(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    keep: Arc<Keep>,
    schema: SchemaRef,
    partitions: usize,
    state: Mutex<State>,
    /// Held while the folder is made, which may have to wait for other processes: by no thread of the runtime.
    making: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    folder: Option<TemporaryFolder>,
    begun: BTreeSet<usize>,
    parts: BTreeMap<usize, Part>,
    bytes: u64,
    is_over: bool,
}

impl Fill {
    /// Nothing is written before the first rows come.
    pub(crate) fn new(keep: &Arc<Keep>, schema: SchemaRef, partitions: usize) -> Self {
        Self(Arc::new(Shared {
            keep: Arc::clone(keep),
            schema,
            partitions,
            state: Mutex::default(),
            making: Mutex::default(),
        }))
    }

    /// Where the rows of a partition go; `None` if nothing is kept any more.
    pub(crate) fn partition(
        &self,
        partition: usize,
        pool: &Arc<dyn MemoryPool>,
    ) -> Option<PartitionFill> {
        let mut state = self.0.state();
        if state.is_over {
            return None;
        }
        if !state.begun.insert(partition) {
            // Read twice by executions that cannot be told apart: the rows of one cannot be told from those of the other.
            state.end();
            return None;
        }
        drop(state);
        let memory = MemoryConsumer::new(format!("RedivisCache[{partition}]")).register(pool);
        let (sender, receiver) = mpsc::channel(WAITING_BATCHES);
        let (finished, end) = oneshot::channel();
        let shared = Arc::clone(&self.0);
        let write = move || {
            if let Err(error) = shared.write(partition, receiver, &memory) {
                shared.fail(error);
            }
            let _ = finished.send(());
        };
        let thread = std::thread::Builder::new().name("redivis-cache".to_owned());
        if let Err(error) = thread.spawn(write) {
            self.0.fail(error);
            return None;
        }
        Some(PartitionFill {
            fill: self.clone(),
            sender,
            end: Some(end),
        })
    }

    /// Keeps nothing of this execution.
    pub(crate) fn give_up(&self) {
        self.0.state().end();
    }
}

/// Where the rows of one partition go. Dropped before its end, it ends the whole entry.
#[derive(Debug)]
pub(crate) struct PartitionFill {
    fill: Fill,
    sender: mpsc::Sender<Message>,
    /// `None` once the end was told.
    end: Option<oneshot::Receiver<()>>,
}

#[derive(Debug)]
enum Message {
    Rows(RecordBatch),
    End,
}

impl PartitionFill {
    /// Takes rows that the query gets too; waits if too many are waiting.
    pub(crate) async fn write(&self, rows: &RecordBatch) {
        // The thread ends before only if the entry is given up.
        let _ = self.sender.send(Message::Rows(rows.clone())).await;
    }

    /// Says that all rows came, and waits until they are on the disk; with the last partition, the entry is in its place.
    pub(crate) async fn finish(mut self) {
        if let Some(end) = self.end.take()
            && self.sender.send(Message::End).await.is_ok()
        {
            let _ = end.await;
        }
    }
}

impl Drop for PartitionFill {
    fn drop(&mut self) {
        if self.end.is_some() {
            self.fill.give_up();
        }
    }
}

impl State {
    /// Nothing more is to be written; what was, goes.
    fn end(&mut self) {
        self.is_over = true;
        self.folder = None;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, error: impl Display) {
        let mut state = self.state();
        if !std::mem::replace(&mut state.is_over, true) {
            tracing::warn!("{} is not kept in the cache: {error}", self.keep.key.name);
        }
        state.end();
    }

    /// Writes the rows of a partition; the last one puts the entry in its place.
    fn write(
        &self,
        partition: usize,
        mut messages: mpsc::Receiver<Message>,
        memory: &MemoryReservation,
    ) -> Result<()> {
        let Some(path) = self.path()? else {
            return Ok(());
        };
        let name = format!("{partition}-{}.parquet", random_name());
        let file = BufWriter::new(Summing::new(File::create_new(path.join(&name))?));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&self.schema), Some(properties))?;
        let columns = COLUMN_BYTES * self.schema.fields().len();
        let enough = columns.max(ROW_GROUPS_BYTES / self.partitions);
        let (mut rows, mut nans) = (0, BTreeSet::new());
        loop {
            match messages.blocking_recv() {
                Some(Message::Rows(batch)) => {
                    let waiting = get_record_batch_memory_size(&batch) * (WAITING_BATCHES + 1);
                    memory.try_resize(writer.memory_size() + waiting)?;
                    let before = writer.bytes_written();
                    // A batch knows its columns without labels where these came later.
                    let batch =
                        RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())?;
                    note_nans(&batch, &mut nans);
                    writer.write(&batch)?;
                    rows += batch.num_rows() as u64;
                    if writer.memory_size() >= enough {
                        writer.flush()?;
                    }
                    if !self.grows_by(writer.bytes_written() - before)? {
                        return Ok(());
                    }
                }
                Some(Message::End) => break,
                None => return Ok(()),
            }
        }
        let file = writer.into_inner()?;
        let file = file.into_inner().map_err(|error| error.into_error())?;
        let (file, bytes, sums) = file.finish();
        file.sync_all()?;
        let sums: Vec<u8> = sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        let mut file = File::create_new(path.join(sums_of(&name)))?;
        file.write_all(&sums)?;
        file.sync_all()?;
        let part = Part {
            name,
            rows,
            bytes,
            sums: crc32fast::hash(&sums),
            nans,
        };
        self.complete(partition, part)
    }

    /// The folder to write to, made by whoever is the first; `None` if nothing is kept any more.
    fn path(&self) -> Result<Option<PathBuf>> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || {
            let state = self.state();
            let folder = state.folder.as_ref();
            (state.is_over, folder.map(|folder| folder.path.clone()))
        };
        match made() {
            (true, _) => return Ok(None),
            (false, Some(path)) => return Ok(Some(path)),
            (false, None) => {}
        }
        let folder = self.keep.cache.temporary()?;
        let path = folder.path.clone();
        let mut state = self.state();
        if state.is_over {
            return Ok(None);
        }
        state.folder = Some(folder);
        Ok(Some(path))
    }

    /// Counts what was written; false if nothing is kept any more.
    fn grows_by(&self, bytes: usize) -> Result<bool> {
        let mut state = self.state();
        state.bytes += bytes as u64;
        if state.bytes > self.keep.cache.limit {
            return Err(self.too_large());
        }
        Ok(!state.is_over)
    }

    fn too_large(&self) -> DataFusionError {
        DataFusionError::ResourcesExhausted(format!(
            "it is larger than the cache may be, {} bytes; SET redivis.cache_size allows more",
            self.keep.cache.limit
        ))
    }

    fn complete(&self, partition: usize, part: Part) -> Result<()> {
        let mut state = self.state();
        state.parts.insert(partition, part);
        if state.is_over || state.parts.len() < self.partitions {
            return Ok(());
        }
        let parts = std::mem::take(&mut state.parts).into_values().collect();
        state.is_over = true;
        let Some(folder) = state.folder.take() else {
            return Ok(());
        };
        drop(state);
        let manifest = Manifest::new(&self.schema, parts);
        if manifest.rows != self.keep.key.rows {
            let (rows, expected) = (manifest.rows, self.keep.key.rows);
            tracing::info!(
                rows,
                expected,
                "{} is not kept: its rows are others than the service counts",
                self.keep.key.name
            );
            return Ok(());
        }
        let kept = self.keep.put(folder, &manifest);
        if let Err(error) = &kept {
            tracing::warn!("{} is not kept in the cache: {error}", self.keep.key.name);
        }
        Ok(())
    }
}

/// Adds the places of columns that have a NaN.
fn note_nans(batch: &RecordBatch, nans: &mut BTreeSet<usize>) {
    for (place, column) in batch.columns().iter().enumerate() {
        if let Some(floats) = column.as_primitive_opt::<Float64Type>()
            && !nans.contains(&place)
            && floats.values().iter().any(|float| float.is_nan())
        {
            nans.insert(place);
        }
    }
}

impl Keep {
    /// Puts a complete entry in its place, unless another process was quicker.
    fn put(&self, folder: TemporaryFolder, manifest: &Manifest) -> io::Result<()> {
        if manifest.bytes() > self.cache.limit {
            return Ok(());
        }
        sealed::create(&folder.path.join(MANIFEST), manifest)?;
        self.note();
        let _lock = self.cache.lock()?;
        let table = self.cache.tables().join(self.key.folder());
        let others: Vec<_> = folders_in(&table)
            .filter_map(|folder| Some((Manifest::read(&folder).ok()?, folder)))
            .collect();
        if others
            .iter()
            .any(|(other, _)| other.has(&manifest.variables))
        {
            return Ok(());
        }
        private(&table)?;
        self.describe(&table)?;
        folder.move_to(&table.join(random_name()))?;
        for (other, folder) in others {
            if manifest.has(&other.variables) {
                self.cache.remove_unused(&folder);
            }
        }
        self.cache.evict();
        Ok(())
    }
}
