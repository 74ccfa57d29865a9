"""Reads with the official client and compares with the files: read_tables.py FOLDER CASE VERSION"""

import datetime as dt
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import redivis

from comparing import part, raises, same
from every_read import every_read

folder, case, version = sys.argv[1:]
released = pathlib.Path(folder) / "local" / "clients"
assert redivis.__version__ == version, redivis.__version__


def small():
    table = redivis.user("local").dataset("clients").table("types")
    every_read(table, pq.read_table(released / "types.parquet"), ["mean", "StationName", "id", "at"], 700)


def large():
    table = redivis.user("local").dataset("clients").table("large")
    every_read(table, pq.read_table(released / "large.parquet"), ["text", "id"], 123)
    # A part of the table is read as fast as the table is large: through a session with several streams.
    assert len(table.to_read_streams(3)) == 3


def nothing():
    table = redivis.user("local").dataset("clients").table("nothing")
    expected = pq.read_table(released / "nothing.parquet")
    same(table.to_arrow_table(progress=False), expected)
    assert len(table.to_pandas_dataframe(progress=False)) == 0
    [stream] = table.to_read_streams(4)
    same(stream.to_arrow_table(progress=False), expected)


def unreleased():
    table = redivis.user("local").dataset("unreleased", version="next").table("measurements")
    rows = [{"id": i, "Value": i / 2, "day": dt.date(2020, 1, 1), "note": None} for i in range(100)]
    rows += [{"id": 100 + i, "Value": float(i), "day": dt.date(2021, 2, 3), "note": f"n{i}"} for i in range(50)]
    schema = pa.schema([("id", pa.int64()), ("Value", pa.float64()), ("day", pa.date32()), ("note", pa.string())])
    expected = pa.Table.from_pylist(rows, schema=schema)
    same(table.to_arrow_table(progress=False), expected)
    same(table.to_arrow_table(variables=["note", "id"], progress=False), expected.select(["note", "id"]))
    part(table.to_arrow_table(120, progress=False), expected, 120)
    streams = table.to_read_streams(1)
    assert len(streams) == 2, "an unreleased table has one stream per upload"
    same(pa.concat_tables([stream.to_arrow_table(progress=False) for stream in streams]), expected)


def described():
    user = redivis.current_user()
    assert user.name == "local", user
    assert {"clients", "unreleased"} <= {dataset.name for dataset in user.list_datasets()}

    dataset = redivis.user("local").dataset("clients")
    assert dataset.exists() and not redivis.user("local").dataset("missing").exists()
    assert dataset.get().properties["owner"]["name"] == "local"
    assert sorted(table.name for table in dataset.list_tables()) == ["large", "nothing", "types"]
    assert [version.tag for version in dataset.list_versions()] == ["v1.0"]

    table = dataset.table("types")
    assert table.exists() and not dataset.table("missing").exists()
    properties = table.get().properties
    assert (properties["numRows"], properties["description"]) == (2500, "Every type"), properties
    assert properties["container"]["kind"] == "dataset"

    variables = table.list_variables()
    assert [(variable.name, variable.properties["type"]) for variable in variables] == [
        ("id", "integer"),
        ("StationName", "string"),
        ("Count", "integer"),
        ("mean", "float"),
        ("isOpen", "boolean"),
        ("day", "date"),
        ("recorded", "dateTime"),
        ("at", "time"),
        ("empty", "string"),
    ], variables
    assert variables[1].properties["label"] == "Station"
    assert len(table.list_variables(max_results=4)) == 4

    station = table.variable("stationname").get().properties
    assert station["name"] == "StationName" and station["description"] == "Where it was measured", station
    assert table.variable("isOpen").get().properties["valueLabels"] == [
        {"value": "true", "label": "Yes"},
        {"value": "false", "label": "No"},
    ]
    assert table.variable("at").exists() and not table.variable("missing").exists()
    statistics = table.variable("id").get_statistics()
    assert (statistics["status"], statistics["count"], statistics["min"], statistics["max"]) == ("completed", 2500, 0, 2499), statistics

    with raises(redivis.exceptions.NotFoundError, "missing"):
        dataset.table("missing").to_arrow_table(progress=False)


def public():
    """Without any credentials: the sample data is public."""
    table = redivis.user("demo").dataset("nycflights13").table("airlines")
    frame = table.to_pandas_dataframe(progress=False)
    assert dict(zip(frame["carrier"], frame["name"]))["F9"] == "Frontier Airlines Inc."
    assert len(table.to_arrow_table(3, progress=False)) == 3


{
    "small": small,
    "large": large,
    "nothing": nothing,
    "unreleased": unreleased,
    "described": described,
    "public": public,
}[case]()
