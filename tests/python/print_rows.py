"""Prints a Parquet file's rows as the JavaScript client has them, in JSON: print_rows.py FILE VARIABLE…"""

import datetime as dt
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def since_epoch(value, unit):
    """Milliseconds, cut as a Date of JavaScript cuts them, as it prints them."""
    milliseconds = int(value * {"days": 86_400_000, "microseconds": 0.001}[unit])
    date = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=milliseconds)
    return date.strftime("%Y").zfill(4) + date.strftime("-%m-%dT%H:%M:%S.") + f"{date.microsecond // 1000:03d}Z"


def number(value):
    """JavaScript writes 1 where Python writes 1.0."""
    return int(value) if value is not None and value.is_integer() else value


def values(column):
    if pa.types.is_date32(column.type):
        return [None if day is None else since_epoch(day, "days") for day in column.cast(pa.int32()).to_pylist()]
    if pa.types.is_timestamp(column.type):
        return [None if at is None else since_epoch(at, "microseconds") for at in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_time64(column.type):
        return [None if at is None else number(at / 1e6) for at in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_floating(column.type):
        return [number(value) for value in column.to_pylist()]
    return column.to_pylist()


path, *variables = sys.argv[1:]
table = pq.read_table(path).select(variables)
columns = [values(table[name]) for name in variables]
print(json.dumps([dict(zip(variables, row)) for row in zip(*columns)]))
