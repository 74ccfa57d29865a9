"""A table with every value that could be lost on the way: each type with nulls and extremes, and every character of Unicode."""

import datetime as dt
import math
import struct

import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("text", pa.string()),
        ("whole", pa.int64()),
        ("number", pa.float64()),
        ("truth", pa.bool_()),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us")),
        ("clock", pa.time64("us")),
        ("nothing", pa.string()),
    ]
)

MB = 1 << 20
CHARACTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
TEXTS = [
    "",
    " ",
    " \t leading and trailing \t ",
    "\0",
    "a\0b",
    "\n",
    "\r",
    "\r\n",
    "one\r\ntwo\rthree\nfour",
    "\u0085\u2028\u2029\v\f",
    "\ufeff",
    "\ufeffbehind a byte order mark",
    '"',
    '""',
    '"quoted"',
    "it's",
    "back\\slash\\",
    "\\N",
    "\\n",
    ",",
    "a,b;c|d\te",
    "null",
    "NULL",
    "NA",
    "NaN",
    "007",
    "1e5",
    "true",
    "2020-01-31",
    "e\u0301 is not \u00e9",
    "\U0001f3d4\ufe0f \U0001f469\u200d\U0001f680",
    "\U0010ffff\uffff\ufffe\ufffd",
    "x" * MB,
    "\U0001f3d4" * (MB // 4),
    '"\n,' * (MB // 3),
    # All of Unicode, in pieces: where one differs, the row says which.
    *("".join(CHARACTERS[start : start + 4096]) for start in range(0, len(CHARACTERS), 4096)),
]
WHOLE = [0, 1, -1, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]
NUMBERS = [0.0, -0.0, 1.0, 0.1, -1 / 3, 5e-324, -2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 1e22, 123456789.123456789]
UNUSUAL = [math.nan, math.inf, -math.inf]
DAYS = [dt.date(1, 1, 1), dt.date(1582, 10, 15), dt.date(1969, 12, 31), dt.date(1970, 1, 1), dt.date(2000, 2, 29), dt.date(9999, 12, 31)]
MOMENTS = [
    dt.datetime(1, 1, 1),
    dt.datetime(1, 1, 1, 0, 0, 0, 1),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999999),
    dt.datetime(1969, 12, 31, 23, 59, 58, 1),
    dt.datetime(1970, 1, 1),
    dt.datetime(1970, 1, 1, 0, 0, 0, 1),
    dt.datetime(2020, 1, 31),
    dt.datetime(2020, 1, 31, 12, 30, 0, 500000),
    dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
]
CLOCKS = [dt.time(0), dt.time(0, 0, 0, 1), dt.time(12), dt.time(12, 30, 15, 500000), dt.time(23, 59, 59), dt.time(23, 59, 59, 999999)]


def bits(value):
    """What makes a value that value: -0.0 is not 0.0, and NaN is NaN."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack(">d", value)
    return value


def every_value(texts=TEXTS, numbers=NUMBERS + UNUSUAL):
    """All values in one table, among nulls; the last row has nothing else, and one column neither."""
    values = {"text": texts, "whole": WHOLE, "number": numbers, "truth": [True, False], "day": DAYS, "moment": MOMENTS, "clock": CLOCKS}
    rows = len(texts) * 7 // 6 + 8
    columns = {"id": list(range(rows)), "nothing": [None] * rows}
    for place, (name, possible) in enumerate(values.items()):
        left = iter(possible * (1 if name == "text" else rows // len(possible) + 1))
        columns[name] = [None if row % 7 == place or row == rows - 1 else next(left, None) for row in range(rows)]
        assert {bits(value) for value in possible} == {bits(value) for value in columns[name] if value is not None}, name
    return pa.table(columns, schema=SCHEMA)


def identical(read, expected, what):
    """The same names, types and values, row by row."""
    names = [name.lower() for name in read.schema.names]
    assert names == expected.schema.names, (what, names)
    read = read.sort_by("id")
    assert read.num_rows == expected.num_rows, (what, read.num_rows, expected.num_rows)
    for name, expected_type in zip(expected.schema.names, expected.schema.types):
        found_type = read[name].type
        assert found_type == expected_type, (what, name, found_type)
        for row, (found, meant) in enumerate(zip(read[name].to_pylist(), expected[name].to_pylist())):
            if bits(found) != bits(meant):
                raise AssertionError(f"{what}: {name}, row {row}: {str(found)[:200]!r} is not {str(meant)[:200]!r}")
