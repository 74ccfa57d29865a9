"""Reading by every method what was sent: drafts, releases, uploads."""

import datetime as dt

import pyarrow as pa
import redivis
from redivis import exceptions

from comparing import equal, raises, same
from every_read import every_read

QUIET = {"progress": False}
ROWS = 2500
EVERY_TYPE = pa.table(
    {
        "id": pa.array(range(ROWS), pa.int64()),
        "Name": pa.array([None if i % 7 == 0 else f"Zürich {i} 雪" for i in range(ROWS)], pa.string()),
        "mean": pa.array([None if i % 3 == 0 else i / 3 for i in range(ROWS)], pa.float64()),
        "isOpen": pa.array([None if i % 4 == 0 else i % 2 == 0 for i in range(ROWS)], pa.bool_()),
        "day": pa.array([dt.date(1, 1, 1) + dt.timedelta(days=i * 1300) for i in range(ROWS)], pa.date32()),
        "recorded": pa.array([dt.datetime(1969, 12, 31) + dt.timedelta(microseconds=i * 77777777) for i in range(ROWS)], pa.timestamp("us")),
        "at": pa.array([(i * 7919 * 10**6 + i) % (24 * 3600 * 10**6) for i in range(ROWS)], pa.time64("us")),
    }
)
CHOICE = ["mean", "Name", "id", "at"]


def of_all_types(step, folder):
    dataset = redivis.user(redivis.current_user().name).dataset("Read").create()
    table = dataset.table("Every type").create()
    halves = [EVERY_TYPE.slice(0, 1000), EVERY_TYPE.slice(1000).select(["Name", "id", "mean", "isOpen", "day", "recorded", "at"])]
    uploads = [table.upload(f"{number}").create(half, **QUIET) for number, half in enumerate(halves)]

    with step("a draft of two uploads"):
        every_read(table, EVERY_TYPE, CHOICE, 1700)
    with step("an upload"):
        every_read(uploads[1], halves[1], CHOICE, 700)
    with step("a release"):
        dataset.release()
        every_read(dataset.table("Every type"), EVERY_TYPE, CHOICE, 700)
    with step("with other types of pandas"):
        table = dataset.table("Every type")
        for backend in ["numpy", "numpy_nullable", "pyarrow"]:
            frame = table.to_pandas_dataframe(variables=["id", "Name"], dtype_backend=backend, **QUIET)
            equal(sorted(frame["id"]), list(range(ROWS)))
    with step("in batches that are changed on their way"):
        doubled = table.to_arrow_table(variables=["id"], batch_preprocessor=lambda batch: batch.filter(pa.compute.less(batch["id"], 10)), **QUIET)
        equal(sorted(doubled["id"].to_pylist()), list(range(10)))
    with step("a variable that is not there"):
        with raises(exceptions.APIError, "400", "colour"):
            table.to_arrow_table(variables=["id", "colour"], **QUIET)
    dataset.delete()


def of_places(step, folder):
    """Geography is read as geometry."""
    dataset = redivis.user(redivis.current_user().name).dataset("Places").create()
    table = dataset.table("Places").create()
    stream = table.upload("places").create(
        type="stream",
        schema=[{"name": "id", "type": "integer"}, {"name": "place", "type": "geography"}],
    )
    stream.insert_rows([{"id": 1, "place": "POINT (8.5 47.25)"}, {"id": 2, "place": "POLYGON ((0 0, 1 0, 1 1, 0 0))"}, {"id": 3}])

    with step("as a GeoDataFrame"):
        for reader in [table, stream]:
            frame = reader.to_geopandas_dataframe(**QUIET).sort_values("id").reset_index(drop=True)
            equal(frame.crs.to_epsg(), 4326)
            equal((frame.geometry[0].x, frame.geometry[0].y), (8.5, 47.25))
            equal(frame.geometry[1].area, 0.5)
            assert frame.geometry[2] is None
    with step("as text"):
        dataset.release()
        frame = dataset.table("Places").to_geopandas_dataframe(geography_variable=None, **QUIET)
        equal(sorted(frame["place"].dropna()), ["POINT (8.5 47.25)", "POLYGON ((0 0, 1 0, 1 1, 0 0))"])
    with step("as text of a query"):
        query = redivis.query(f"SELECT id, place FROM `{dataset.user.name}.places.places` WHERE place IS NOT NULL ORDER BY id")
        equal(query.to_arrow_table(**QUIET)["place"].to_pylist(), ["POINT (8.5 47.25)", "POLYGON ((0 0, 1 0, 1 1, 0 0))"])
    with step("chosen by name, or not there"):
        frame = dataset.table("Places").to_geopandas_dataframe(1, geography_variable="place", **QUIET)
        equal(len(frame), 1)
        with raises(exceptions.NotFoundError, "geography"):
            dataset.table("Places").to_geopandas_dataframe(variables=["id"], **QUIET)
    with step("sent as a GeoDataFrame"):
        frame = dataset.table("Places").to_geopandas_dataframe(**QUIET)
        draft = dataset.create_next_version()
        again = draft.table("Again").create().upload("again").create(frame, **QUIET)
        equal([(v.name, v.properties["type"]) for v in again.list_variables()], [("id", "integer"), ("place", "geography")])
        draft.release()
        same(draft.table("Again").to_arrow_table(**QUIET), draft.table("Places").to_arrow_table(**QUIET))
        equal(draft.table("Again").to_geopandas_dataframe(**QUIET).geometry.count(), 2)
        with step("in degrees only"):
            with raises(exceptions.JobError, "EPSG:4326"):
                flat = frame.to_crs("EPSG:2056")
                draft.create_next_version().table("Again").upload("flat").create(flat, **QUIET)
    dataset.delete()


LIVES = [of_all_types, of_places]
