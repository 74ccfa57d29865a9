"""Reads with the official client and compares with the files: read_tables.py FOLDER CASE VERSION"""

import datetime as dt
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import redivis

folder, case, version = sys.argv[1:]
released = pathlib.Path(folder) / "local" / "clients"
assert redivis.__version__ == version, redivis.__version__


def same(read, expected):
    """The same columns and types in the same order, and the same rows in any order."""
    assert read.schema.names == expected.schema.names, (read.schema.names, expected.schema.names)
    assert read.schema.types == expected.schema.types, (read.schema, expected.schema)
    assert read.num_rows == expected.num_rows, (read.num_rows, expected.num_rows)
    read, expected = read.sort_by("id"), expected.sort_by("id")
    for name in expected.schema.names:
        assert read[name].combine_chunks().equals(expected[name].combine_chunks()), f"{name} differs"


def part(read, expected, rows):
    """`rows` different rows of the expected ones."""
    ids = read["id"].to_pylist()
    assert len(ids) == len(set(ids)) == rows, (len(ids), len(set(ids)), rows)
    same(read, expected.filter(pa.compute.is_in(expected["id"], pa.array(ids))))


def from_pandas(frame, schema):
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def from_polars(frame, schema):
    return frame.collect().to_arrow().cast(schema)


def every_read(table, file, choice, rows):
    """All ways to read a table: the whole of it, chosen variables, a number of rows, and both."""
    expected = pq.read_table(file)
    chosen = expected.select(choice)
    # Redivis compares names without case.
    spelled = [name.upper() for name in choice]
    quiet = {"progress": False}

    same(table.to_arrow_table(**quiet), expected)
    same(table.to_arrow_table(variables=spelled, **quiet), chosen)
    part(table.to_arrow_table(rows, **quiet), expected, rows)
    part(table.to_arrow_table(rows, variables=spelled, **quiet), chosen, rows)
    part(table.to_arrow_table(expected.num_rows + 1000, variables=choice, **quiet), chosen, expected.num_rows)

    same(from_pandas(table.to_pandas_dataframe(**quiet), expected.schema), expected)
    part(from_pandas(table.to_pandas_dataframe(rows, variables=choice, **quiet), chosen.schema), chosen, rows)

    same(from_polars(table.to_polars_lazyframe(**quiet), expected.schema), expected)
    part(from_polars(table.to_polars_lazyframe(rows, variables=choice, **quiet), chosen.schema), chosen, rows)

    same(pa.Table.from_batches(list(table.to_arrow_batch_iterator(**quiet))), expected)
    part(pa.Table.from_batches(list(table.to_arrow_batch_iterator(rows, variables=choice, **quiet))), chosen, rows)

    for variables, whole in [(None, expected), (choice, chosen)]:
        streams = table.to_read_streams(3, variables=variables)
        assert 1 <= len(streams) <= 3, streams
        same(pa.concat_tables([stream.to_arrow_table(**quiet) for stream in streams]), whole)


def small():
    table = redivis.user("local").dataset("clients").table("types")
    every_read(table, released / "types.parquet", ["mean", "StationName", "id", "at"], 700)


def large():
    table = redivis.user("local").dataset("clients").table("large")
    every_read(table, released / "large.parquet", ["text", "id"], 123)
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

    try:
        dataset.table("missing").to_arrow_table(progress=False)
    except redivis.exceptions.NotFoundError as error:
        assert "missing" in str(error), error
    else:
        raise AssertionError("a table that does not exist was read")


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
