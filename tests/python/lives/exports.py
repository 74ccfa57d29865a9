"""Exports: rows as files of every format."""

import json
import os
import pathlib

import pyarrow.csv
import pyarrow.parquet as pq
import redivis
from redivis import exceptions

from comparing import equal, raises, same
from lives.reading import EVERY_TYPE

QUIET = {"progress": False}


def of_every_format(step, folder):
    dataset = redivis.user(redivis.current_user().name).dataset("Exported").create()
    table = dataset.table("Every type").create()
    upload = table.upload("all").create(EVERY_TYPE, **QUIET)
    dataset.release()
    table = dataset.table("Every type").get()

    def checked(paths, format):
        [path] = map(pathlib.Path, paths)
        if format == "parquet":
            same(pq.read_table(path), EVERY_TYPE)
        elif format == "csv":
            read = pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(
                column_types=EVERY_TYPE.schema, strings_can_be_null=True, timestamp_parsers=["%Y-%m-%d %H:%M:%S", pyarrow.csv.ISO8601]))
            equal(read.num_rows, EVERY_TYPE.num_rows)
            same(read.select(["id", "Name", "mean", "isOpen", "day"]), EVERY_TYPE.select(["id", "Name", "mean", "isOpen", "day"]))
        else:
            read = [json.loads(line) for line in path.read_text().splitlines()]
            expected = EVERY_TYPE.select(["id", "Name", "mean", "isOpen"]).to_pylist()
            read = [{name: row.get(name) for name in expected[0]} for row in read]
            equal(sorted(read, key=lambda row: row["id"]), expected)
        return path

    with step("a table, to a folder"):
        for format in ["csv", "parquet", "ndjson"]:
            path = checked(table.download(str(folder / "files") + os.sep, format=format, **QUIET), format)
            equal(path, folder / "files" / f"every_type.{format}")
    with step("to a file, which is replaced only if that is wanted"):
        file = folder / "one.parquet"
        checked(table.download(str(file), format="parquet", **QUIET), "parquet")
        with raises(exceptions.ValueError, "already exists"):
            table.download(str(file), format="parquet", **QUIET)
        file.write_bytes(b"other")
        checked(table.download(str(file), format="parquet", overwrite=True, **QUIET), "parquet")
    with step("a format that there is not"):
        with raises(exceptions.APIError, "400", "format"):
            table.download(str(folder / "x"), format="docx", **QUIET)

    # The older client exports tables only.
    if redivis.__version__ != "0.20.10":
        with step("a query"):
            query = redivis.query(f"SELECT * FROM `{table.qualified_reference}`")
            path = checked(query.download(str(folder / "queries") + os.sep, format="parquet", **QUIET), "parquet")
            assert path.name.startswith("query_2"), path
        with step("an upload"):
            draft = dataset.create_next_version()
            upload = draft.table("Every type").upload("again").create(EVERY_TYPE, **QUIET)
            path = checked(upload.download(str(folder / "uploads") + os.sep, format="csv", **QUIET), "csv")
            equal(path.name, "again.csv")
    dataset.delete()


LIVES = [of_every_format]
