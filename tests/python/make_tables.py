"""Writes the tables that the official clients read: make_tables.py FOLDER

The files are the truth that reads are compared with. Every table has a variable `id` that numbers its rows.
"""

import datetime as dt
import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def write(table, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **options)


def every_nth_missing(n, values):
    return [None if i % n == 0 else value for i, value in enumerate(values)]


def every_type(rows):
    """All types of Redivis, with missing values, extremes, and names of mixed case."""
    start = dt.datetime(1969, 12, 31, 23, 59, 59, 999999)
    columns = {
        "id": pa.array(range(rows), pa.int64()),
        "StationName": pa.array(every_nth_missing(7, [f"Zürich {i} 雪" for i in range(rows)]), pa.string()),
        "Count": pa.array(every_nth_missing(5, [(-1) ** i * (2**63 - 1 - i) for i in range(rows)]), pa.int64()),
        "mean": pa.array(every_nth_missing(3, [i / 3 for i in range(rows)]), pa.float64()),
        "isOpen": pa.array(every_nth_missing(4, [i % 2 == 0 for i in range(rows)]), pa.bool_()),
        "day": pa.array([dt.date(1, 1, 1) + dt.timedelta(days=i * 1300) for i in range(rows)], pa.date32()),
        "recorded": pa.array([start + dt.timedelta(microseconds=i * 77777777) for i in range(rows)], pa.timestamp("us")),
        "at": pa.array([(i * 7919 * 10**6 + i) % (24 * 3600 * 10**6) for i in range(rows)], pa.time64("us")),
        "empty": pa.array([""] * rows, pa.string()),
    }
    return pa.table(columns)


def long_texts(rows, bytes_each):
    """A table whose few rows are more than 100 MB."""
    texts = [f"{i:08d}" * (bytes_each // 8) for i in range(rows)]
    return pa.table({"id": pa.array(range(rows), pa.int64()), "text": pa.array(texts, pa.string())})


folder = pathlib.Path(sys.argv[1])
released = folder / "local" / "clients"
write(every_type(2500), released / "types.parquet", row_group_size=400)
write(every_type(0), released / "nothing.parquet")
write(long_texts(1100, 100_000), released / "large.parquet", row_group_size=100, compression="zstd", use_dictionary=False)

(released / "types.json").write_text(json.dumps({
    "description": "Every type",
    "variables": [
        {"name": "StationName", "label": "Station", "description": "Where it was measured"},
        {"name": "isOpen", "label": "Open", "valueLabels": [{"value": "true", "label": "Yes"}, {"value": "false", "label": "No"}]},
    ],
}))

# An unreleased table: its uploads disagree about order, case, types and which variables there are.
uploads = folder / "local" / "unreleased" / "next" / "measurements"
write(
    pa.table({
        "id": pa.array(range(0, 100), pa.int64()),
        "Value": pa.array([i / 2 for i in range(0, 100)], pa.float64()),
        "day": pa.array([dt.date(2020, 1, 1)] * 100, pa.date32()),
    }),
    uploads / "first.parquet",
)
write(
    pa.table({
        "day": pa.array(["2021-02-03"] * 50, pa.string()),
        "VALUE": pa.array(range(50), pa.int64()),
        "ID": pa.array(range(100, 150), pa.int64()),
        "note": pa.array([f"n{i}" for i in range(50)], pa.string()),
    }),
    uploads / "second.parquet",
)
(uploads.parent / "measurements.json").write_text(json.dumps({"variables": [{"name": "day", "type": "date"}]}))
