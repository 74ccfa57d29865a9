"""Compares what is read with what was written: compare_every_value.py FOLDER OWNER.DATASET VERSION NAME=TABLE…

NAME is a file of the folder, TABLE one of the dataset, or another file. A table is read in both ways: its rows at once, and
in streams of a read session.
"""

import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import redivis

from every_value import identical

folder, dataset, version, *pairs = sys.argv[1:]
owner, name = dataset.split(".")
dataset = redivis.user(owner).dataset(name, version=version)
for pair in pairs:
    name, found = pair.split("=")
    expected = pq.read_table(pathlib.Path(folder) / f"{name}.parquet")
    file = pathlib.Path(folder) / found
    if file.suffix == ".parquet":
        identical(pq.read_table(file), expected, found)
    elif file.suffix == ".arrow":
        identical(pa.ipc.open_file(file).read_all(), expected, found)
    else:
        table = dataset.table(found)
        # JSON has no order of columns: a table has those of its first row first.
        names = expected.schema.names if name == "json" else None
        identical(table.to_arrow_table(variables=names, progress=False), expected, f"{found} at once")
        streams = table.to_read_streams(2, variables=names)
        streams = [stream.to_arrow_table(progress=False) for stream in streams]
        identical(pa.concat_tables(streams), expected, f"{found} in streams")
