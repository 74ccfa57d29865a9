"""Writes the tables of every value: make_every_value.py FOLDER

`values` has all of them, `csv` and `json` those that a file of that format carries: CSV writes an empty text as it writes
null, JSON has no NaN, and a column without any value has no type in either.
"""

import pathlib
import sys

import pyarrow.parquet as pq

from every_value import NUMBERS, TEXTS, every_value

folder = pathlib.Path(sys.argv[1])
finite = {"numbers": NUMBERS}
for name, table in [
    ("values", every_value()),
    ("csv", every_value(texts=[text for text in TEXTS if text], **finite).drop_columns("nothing")),
    ("json", every_value(**finite).drop_columns("nothing")),
]:
    pq.write_table(table, folder / f"{name}.parquet")
