"""Runs queries with the official client and compares with the files: run_queries.py FOLDER VERSION"""

import datetime as dt
import pathlib
import sys

import pyarrow.parquet as pq
import redivis

folder, version = sys.argv[1:]
released = pathlib.Path(folder) / "local" / "clients"
assert redivis.__version__ == version, redivis.__version__
quiet = {"progress": False}

file = pq.read_table(released / "types.parquet")
query = redivis.query("SELECT * FROM `local.clients.types` ORDER BY id")
read = query.to_arrow_table(**quiet)
assert read.schema.names == file.schema.names, read.schema
assert read.schema.types == file.schema.types, (read.schema, file.schema)
assert read.sort_by("id").equals(file.sort_by("id").cast(read.schema)), "the rows differ"

few = query.to_arrow_table(10, variables=["ID", "day"], **quiet)
assert few.num_rows == 10 and [name.lower() for name in few.schema.names] == ["id", "day"], few.schema
assert len(query.to_pandas_dataframe(**quiet)) == file.num_rows
assert len(query.list_variables()) == file.num_columns

dataset = redivis.user("local").dataset("clients")
counted = dataset.query("SELECT COUNT(*) AS n, 1 / 4 AS q, DATE '2020-01-01' AS d FROM types").to_arrow_table(**quiet)
assert counted.to_pylist() == [{"n": file.num_rows, "q": 0.25, "d": dt.date(2020, 1, 1)}], counted.to_pylist()
assert redivis.query("SELECT 1 AS a FROM `local.clients.types` WHERE FALSE").to_arrow_table(**quiet).num_rows == 0

for text, words in [("SELECT 1 / 0", "division by zero"), ("SELECT nothing FROM `local.clients.types`", "nothing"), ("SELEC 1", "Syntax")]:
    try:
        redivis.query(text).to_arrow_table(**quiet)
    except Exception as error:
        assert words in str(error), (text, error)
    else:
        raise AssertionError(f"{text} did not fail")

target = pathlib.Path(folder) / f"download-{version}"
target.mkdir(exist_ok=True)
dataset.table("types").download(path=str(target), format="parquet", overwrite=True, **quiet)
parts = list(target.rglob("*.parquet"))
assert sum(pq.read_table(part).num_rows for part in parts) == file.num_rows, parts
