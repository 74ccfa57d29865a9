"""Reads a table whole, as an Arrow table in memory: read_whole_table.py REFERENCE ROWS."""

import sys

import redivis

table = redivis.table(sys.argv[1]).to_arrow_table(progress=False)
assert table.num_rows == int(sys.argv[2]), table.num_rows
