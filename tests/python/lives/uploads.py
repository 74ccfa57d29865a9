"""Uploads: of every content, size and type, with every option, and what happens when they meet or fail."""

import datetime as dt
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import dask.dataframe
import geopandas
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import redivis
import shapely
from redivis import exceptions

from comparing import equal, raises, same

QUIET = {"progress": False}


def new_table(name, **options):
    """A table of a new dataset of the caller, who may be anybody."""
    dataset = redivis.user(redivis.current_user().name).dataset(name).create()
    return dataset.table("Rows of it").create(**options)


def at_once(table, uploads):
    """Creates uploads at once, `{name: (content, options)}`; they are returned by name when all are complete."""

    def create(item):
        name, (content, options) = item
        return name, table.upload(name).create(content, **QUIET, **options)

    with ThreadPoolExecutor(len(uploads)) as pool:
        return dict(pool.map(create, uploads.items()))


def lines(rows, width=40):
    return "".join(["id,name\n"] + [f"{i},name {i:0{width}d}\n" for i in range(rows)]).encode()


def contents(step, folder):
    """Files of every size, objects, bytes: the client sends them in three ways."""
    table = new_table("Contents")
    csv = folder / "small.csv"
    csv.write_bytes(lines(1400))
    assert 60_000 < csv.stat().st_size < 2**20

    with step("a file of 64 KB is sent along"):
        upload = table.upload("small").create(str(csv), type="delimited", **QUIET)
        properties = upload.properties
        equal((properties["status"], properties["numRows"], properties["badRecordsCount"]), ("completed", 1400, 0))
        equal(properties["size"], csv.stat().st_size)
        equal(properties["hash"], hashlib.md5(csv.read_bytes()).hexdigest())
        equal(properties["type"], "delimited")
        expected = pa.table({"id": range(1400), "name": [f"name {i:040d}" for i in range(1400)]})
        same(upload.to_arrow_table(**QUIET), expected)

    with step("a file of 5 MB is sent as a temp upload"):
        large = folder / "large.csv"
        large.write_bytes(lines(10_000, 500))
        assert 2**20 < large.stat().st_size < 2**25
        # The name is the file's where none is given.
        upload = table.upload().create(large, **QUIET)
        equal((upload.properties["name"], upload.properties["numRows"]), ("large.csv", 10_000))
        equal(upload.properties["hash"], hashlib.md5(large.read_bytes()).hexdigest())

    with step("a file of 40 MB is sent as a resumable upload"):
        huge = folder / "huge.csv"
        huge.write_bytes(lines(40_000, 1000))
        assert huge.stat().st_size > 2**25
        upload = table.upload("huge.csv").create(huge, **QUIET)
        equal((upload.properties["status"], upload.properties["numRows"]), ("completed", 40_000))
        equal(upload.properties["hash"], hashlib.md5(huge.read_bytes()).hexdigest())
        ids = upload.to_arrow_table(variables=["id"], **QUIET)["id"].to_pylist()
        equal(sorted(ids), list(range(40_000)))
        huge.unlink()

    with step("bytes, file objects and paths"):
        with open(csv, "rb") as binary, open(csv) as text:
            created = at_once(
                table,
                {
                    "bytes.csv": (lines(3), {}),
                    "bytearray.csv": (bytearray(lines(4)), {}),
                    "buffer.csv": (binary, {}),
                    "text.csv": (text, {}),
                    "path.csv": (csv, {"wait_for_finish": True}),
                },
            )
        equal(
            {name: upload.properties["numRows"] for name, upload in created.items()},
            {"bytes.csv": 3, "bytearray.csv": 4, "buffer.csv": 1400, "text.csv": 1400, "path.csv": 1400},
        )

    with step("what is not waited for is complete some time"):
        upload = table.upload("later.csv").create(lines(5), wait_for_finish=False, **QUIET)
        while upload.properties["status"] in ("queued", "running"):
            upload.get()
        equal((upload.properties["status"], upload.properties["numRows"]), ("completed", 5))

    with step("all of them are the table"):
        rows = 1400 + 10_000 + 40_000 + 3 + 4 + 3 * 1400 + 5
        equal(table.get().properties["numRows"], rows)
        uploads = table.list_uploads()
        equal(len(uploads), 9)
        equal(sum(upload.properties["numRows"] for upload in uploads), rows)
        equal(len(table.list_uploads(max_results=4)), 4)

    with step("an upload is looked at and deleted"):
        upload = table.upload("small")
        assert upload.exists()
        assert table.upload("large.csv").exists() and table.upload("Large csv").exists()
        assert not table.upload("smaller").exists()
        upload.get()
        equal(upload.properties["hasHeaderRow"], True)
        equal([(v.name, v.properties["type"]) for v in upload.list_variables()], [("id", "integer"), ("name", "string")])
        equal(upload.variable("NAME").get().properties["type"], "string")
        assert upload.variable("id").exists() and not upload.variable("ids").exists()
        upload.delete()
        assert not upload.exists()
        equal(table.get().properties["numRows"], rows - 1400)
        with raises(exceptions.NotFoundError, "small"):
            upload.get()

    with step("the dataset is deleted with all of it"):
        table.dataset.delete()
        assert not table.exists() and not table.dataset.exists()


def frames(step, folder):
    """Data frames are sent as Parquet."""
    table = new_table("Frames")
    columns = {
        "id": [1, 2, 3],
        "name": ["Zürich", None, ""],
        "score": [1.5, None, -2.0],
        "is_open": [True, None, False],
        "day": [dt.date(2020, 2, 29), None, dt.date(1, 1, 1)],
        "recorded": [dt.datetime(1999, 12, 31, 23, 59, 59, 999999), None, dt.datetime(2024, 1, 1)],
        "at": [dt.time(23, 59, 59, 999999), None, dt.time(0)],
    }
    schema = pa.schema(
        [
            ("id", pa.int64()),
            ("name", pa.string()),
            ("score", pa.float64()),
            ("is_open", pa.bool_()),
            ("day", pa.date32()),
            ("recorded", pa.timestamp("us")),
            ("at", pa.time64("us")),
        ]
    )
    expected = pa.table(columns, schema=schema)
    pandas = expected.to_pandas(types_mapper=pd.ArrowDtype)
    stored = folder / "stored"
    pyarrow.dataset.write_dataset(expected, stored, format="parquet")
    places = geopandas.GeoDataFrame(
        {"id": [1, 2]}, geometry=[shapely.Point(8.5, 47.25), shapely.box(0, 0, 1, 1)], crs="EPSG:4326"
    )

    with step("pandas, polars, pyarrow, dask"):
        frames = {
            "pandas": pandas,
            "polars": pl.from_arrow(expected),
            "lazy polars": pl.from_arrow(expected).lazy(),
            "table": expected,
            "dataset": pyarrow.dataset.dataset(stored),
            "dask": dask.dataframe.from_pandas(pandas, npartitions=1),
        }
        # The older client takes batches for tables.
        if redivis.__version__ != "0.20.10":
            frames["batch"] = expected.to_batches()[0]
        created = at_once(table, {name: (frame, {}) for name, frame in frames.items()})
        for name, upload in created.items():
            equal((name, upload.properties["type"]), (name, "parquet"))
            with step(f"{name} arrives as it was"):
                same(upload.to_arrow_table(**QUIET), expected)
    with step("they are one table"):
        same(table.to_arrow_table(**QUIET), pa.concat_tables([expected] * len(frames)))

    with step("frames with indexes, nanoseconds, categories and unsigned numbers"):
        frame = pd.DataFrame(
            {
                "when": pd.to_datetime(["2020-01-01T00:00:00.123456789", None]),
                "kind": pd.Categorical(["a", "b"]),
                "small": pd.array([1, 255], dtype="uint8"),
                "half": pd.array([0.5, 1.5], dtype="float32"),
            },
            index=[7, 8],
        )
        odd = table.dataset.table("Odd frames").create()
        read = odd.upload("odd").create(frame, **QUIET).to_arrow_table(**QUIET).sort_by("kind")
        equal(
            read.to_pylist(),
            [
                {"when": dt.datetime(2020, 1, 1, 0, 0, 0, 123456), "kind": "a", "small": 1, "half": 0.5},
                {"when": None, "kind": "b", "small": 255, "half": 1.5},
            ],
        )

    with step("a frame of more than a megabyte"):
        long = pa.table({"id": range(60_000), "text": [hashlib.sha256(str(i).encode()).hexdigest() for i in range(60_000)]})
        upload = table.dataset.table("Long").create().upload("long").create(long.to_pandas(), **QUIET)
        assert upload.properties["size"] > 2**20
        same(upload.to_arrow_table(**QUIET), long)

    with raises(exceptions.ValueError, "Unknown datatype"):
        table.upload("nothing").create({"id": 1}, **QUIET)


def options(step, folder):
    """Delimited files with every option, and the other types of files."""
    table = new_table("Options")
    parquet = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2], "name": ["a", None]}), parquet)
    records = b'{"id": 1, "name": "a"}\n{"id": 2}\n'

    files = {
        "tab.tsv": (b"id\tname\n1\ta\n", {"delimiter": "\t"}),
        "semicolon.csv": (b"id;name\n1;a,b\n", {"delimiter": ";"}),
        "headless.csv": (b"1,a\n2,b\n", {"has_header_row": False}),
        "quotes.csv": (b"id,name\n1,'a,b'\n", {"quote_character": "'"}),
        "escapes.csv": (b'id,name\n1,"a\\"b"\n', {"escape_character": "\\"}),
        "newlines.csv": (b'id,name\n1,"a\nb"\n', {"has_quoted_newlines": True}),
        "nulls.csv": (b"id,name\n1,-\n2,b\nNA,c\n", {"null_markers": ["NA", "-"]}),
        "jagged.csv": (b"id,name\n1\n2,b\n", {"allow_jagged_rows": True}),
        "skipped.csv": (b"id,name\n1,a\n2,b,c\n3,d\n", {"skip_bad_records": True}),
        "typed": (b"id,name\n1,a\n", {"type": "delimited", "schema": [{"name": "id", "type": "string"}]}),
        "records.ndjson": (records, {}),
        "records.jsonl": (records, {}),
        "records": (records, {"type": "ndjson"}),
        "list.json": (b'[{"id": 1, "name": "a"}, {"id": 2}]', {}),
        "rows.parquet": (parquet.getvalue(), {}),
    }
    expected = {
        "tab.tsv": [{"id": 1, "name": "a"}],
        "semicolon.csv": [{"id": 1, "name": "a,b"}],
        "quotes.csv": [{"id": 1, "name": "a,b"}],
        "escapes.csv": [{"id": 1, "name": 'a"b'}],
        "newlines.csv": [{"id": 1, "name": "a\nb"}],
        "nulls.csv": [{"id": 1, "name": None}, {"id": 2, "name": "b"}, {"id": None, "name": "c"}],
        "jagged.csv": [{"id": 1, "name": None}, {"id": 2, "name": "b"}],
        "skipped.csv": [{"id": 1, "name": "a"}, {"id": 3, "name": "d"}],
        "typed": [{"id": 1, "name": "a"}],
    }
    with step("are kept to"):
        created = at_once(table, files)
    for name, upload in created.items():
        with step(f"{name} is read"):
            # Uploads are read in several streams, one before the other or not.
            read = upload.to_arrow_table(**QUIET)
            rows = read.sort_by(read.schema.names[0]).to_pylist()
            if name == "headless.csv":
                equal([list(row.values()) for row in rows], [[1, "a"], [2, "b"]])
            else:
                equal(rows, expected.get(name, [{"id": 1, "name": "a"}, {"id": 2, "name": None}]))
    with step("are told"):
        upload = created["skipped.csv"]
        upload.get()
        equal(upload.properties["badRecordsCount"], 1)
        equal(upload.properties["skipBadRecords"], True)
        equal(created["tab.tsv"].properties["delimiter"], "\t")
        equal(created["nulls.csv"].properties["nullMarkers"], ["NA", "-"])
        types = {name: upload.properties["type"] for name, upload in created.items()}
        equal(types["records.jsonl"], "ndjson")
        equal(types["list.json"], "json")
        equal(types["rows.parquet"], "parquet")

    with step("say what variables mean"):
        labels = {"1": "one", "2": "two"}
        said = {"id": {"label": "Number", "description": "What is counted", "valueLabels": labels}}
        table.upload("described.csv").create(b"id,name\n1,a\n", metadata=said, **QUIET)
        variable = table.variable("id").get().properties
        equal((variable["label"], variable["description"]), ("Number", "What is counted"))
        equal(variable["valueLabels"], [{"value": "1", "label": "one"}, {"value": "2", "label": "two"}])

    with step("types that are not read here are refused at once"):
        with raises(exceptions.APIError, "501", "sav"):
            table.upload("x.sav").create(b"$FL2", **QUIET)
        with raises(exceptions.APIError, "400", "nonsense"):
            table.upload("x").create(b"x", type="nonsense", **QUIET)


def conflicts(step, folder):
    """Uploads of one name, and uploads that fail."""
    table = new_table("Conflicts")
    one, two = lines(1), lines(2)

    with step("a name that is taken is refused by the client"):
        table.upload("taken.csv").create(one, **QUIET)
        with raises(exceptions.ValueError, "already exists"):
            table.upload("taken.csv").create(two, **QUIET)
        with raises(exceptions.ValueError, "cannot both"):
            table.upload("x").create(two, rename_on_conflict=True, replace_on_conflict=True, **QUIET)
        equal(table.get().properties["numRows"], 1)

    with step("if_not_exists leaves it as it is"):
        upload = table.upload("taken.csv").create(two, if_not_exists=True, **QUIET)
        equal(upload.properties, None)
        equal(table.get().properties["numRows"], 1)

    with step("rename_on_conflict finds another name"):
        upload = table.upload("taken.csv").create(two, rename_on_conflict=True, **QUIET)
        assert upload.properties["name"] != "taken.csv" and "taken" in upload.properties["name"], upload.properties
        equal(upload.properties["numRows"], 2)
        equal(len({upload.uri for upload in table.list_uploads()}), 2)
        equal(table.get().properties["numRows"], 3)

    with step("replace_on_conflict takes its place"):
        upload = table.upload("taken.csv").create(lines(4), replace_on_conflict=True, **QUIET)
        equal((upload.properties["name"], upload.properties["numRows"]), ("taken.csv", 4))
        equal(table.get().properties["numRows"], 6)

    broken = b"id,name\n1,a\n2,b,c\n"
    with step("a file that cannot be read is told with its row"):
        with raises(exceptions.JobError, "upload failed", "row 2"):
            table.upload("broken.csv").create(broken, **QUIET)
        upload = table.upload("broken.csv")
        upload.get()
        equal(upload.properties["status"], "failed")
        assert "row 2" in upload.properties["errorMessage"], upload.properties
        equal(table.get().properties["numRows"], 6)

    with step("it is told where no error is wanted"):
        upload = table.upload("broken again.csv").create(broken, raise_on_fail=False, **QUIET)
        equal(upload.properties["status"], "failed")
        # The newest client looks itself before it reads.
        newest = redivis.__version__ != "0.20.10"
        with raises(exceptions.ValueError, "failed") if newest else raises(exceptions.APIError, "400", "failed"):
            upload.to_arrow_table(**QUIET)

    with step("it is removed where that is wanted"):
        with raises(exceptions.JobError, "row 2"):
            table.upload("gone.csv").create(broken, remove_on_fail=True, **QUIET)
        assert not table.upload("gone.csv").exists()

    with step("a version with a failed upload is not released until it is gone"):
        equal([upload.name for upload in table.list_uploads() if upload.properties["status"] == "failed"],
              ["broken.csv", "broken again.csv"])
        for name in ["broken.csv", "broken again.csv"]:
            table.upload(name).delete()
        equal(table.dataset.release().table("Rows of it").get().properties["numRows"], 6)

    with step("a release takes no uploads"):
        released = table.dataset.table("Rows of it")
        with raises(exceptions.APIError, "400", "next"):
            released.upload("late.csv").create(one, **QUIET)
        with raises(exceptions.APIError, "400", "next"):
            released.upload("taken.csv").delete()


def streams(step, folder):
    """Rows are inserted one call after the other."""
    table = new_table("Streams")
    schema = [
        {"name": "id", "type": "integer"},
        {"name": "name", "type": "string"},
        {"name": "score", "type": "float"},
        {"name": "is_open", "type": "boolean"},
        {"name": "day", "type": "date"},
        {"name": "recorded", "type": "dateTime"},
        {"name": "at", "type": "time"},
        {"name": "place", "type": "geography"},
    ]

    with step("a stream is there at once"):
        stream = table.upload("stream").create(type="stream", schema=schema)
        equal((stream.properties["status"], stream.properties["numRows"]), ("completed", 0))
        equal([(v.name, v.properties["type"]) for v in table.list_variables()], [tuple(v.values()) for v in schema])
        equal(table.to_arrow_table(**QUIET).num_rows, 0)

    with step("rows are inserted"):
        full = {
            "id": 1,
            "name": "one",
            "score": 1.5,
            "is_open": True,
            "day": "2020-02-29",
            "recorded": "1970-01-01T00:00:00.000",
            "at": "12:34:56.789",
            "place": "POINT(8.5 47.25)",
        }
        stream.insert_rows([full, {"id": 2}])
        stream.insert_rows([{"id": 3, "name": None}])
        stream.insert_rows([])
        nothing = {name: None for name in full}
        expected = [
            full
            | {
                "day": dt.date(2020, 2, 29),
                "recorded": dt.datetime(1970, 1, 1),
                "at": dt.time(12, 34, 56, 789000),
            },
            nothing | {"id": 2},
            nothing | {"id": 3},
        ]
        equal(stream.to_arrow_table(**QUIET).sort_by("id").to_pylist(), expected)
        equal(table.to_arrow_table(**QUIET).sort_by("id").to_pylist(), expected)
        stream.get()
        equal(stream.properties["numRows"], 3)

    with step("rows that do not fit are refused together"):
        with raises(exceptions.APIError, "400", "id"):
            stream.insert_rows([{"id": 4}, {"id": "four"}])
        with raises(exceptions.APIError, "400", "colour"):
            stream.insert_rows([{"id": 4, "colour": "red"}])
        equal(table.get().properties["numRows"], 3)

    with step("only streams take rows"):
        upload = table.upload("file.csv").create(lines(1), **QUIET)
        with raises(exceptions.APIError, "400", "stream"):
            upload.insert_rows([{"id": 1}])
        with raises(exceptions.APIError, "400", "schema"):
            table.upload("shapeless").create(type="stream")

    with step("a large stream"):
        rows = [{"id": i, "name": "x" * 100} for i in range(10_000)]
        stream.insert_rows(rows)
        equal(stream.to_arrow_table(variables=["id"], **QUIET).num_rows, 10_003)


LIVES = [contents, frames, options, conflicts, streams]
