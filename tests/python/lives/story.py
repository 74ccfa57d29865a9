"""One dataset from beginning to end, each step on what the one before left."""

import io

import pandas as pd
import pyarrow.parquet as pq
import redivis
from redivis import exceptions

from comparing import equal, raises

QUIET = {"progress": False}


def from_birth_to_death(step, folder):
    user = redivis.user(redivis.current_user().name)
    dataset = user.dataset("Weather stations")
    with step("born"):
        assert not dataset.exists()
        dataset.create(public_access_level="data", description="Where it is measured")
        table = dataset.table("Stations").create(description="One row a station")
    with step("filled"):
        file = folder / "stations.csv"
        file.write_text("id,name,height,since\n1,Zürich,556,1863-12-01\n2,Säntis,2501,1882-09-01\n")
        table.upload().create(file, **QUIET)
        table.upload("frame").create(pd.DataFrame({"id": [3], "name": ["Davos"], "height": [1594]}), **QUIET)
        stream = table.upload("later").create(type="stream", schema=[{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}])
        stream.insert_rows([{"id": 4, "name": "Lugano"}])
        equal(sorted(upload.name for upload in table.list_uploads()), ["frame", "later", "stations.csv"])
        table.update_variables([{"name": "height", "label": "Metres above the sea"}])
    with step("asked before it is released"):
        # A table that was uploaded to says where its rows are from.
        equal(dataset.query("SELECT SUM(height) AS s FROM stations").to_arrow_table(**QUIET)["s"].to_pylist(), [556 + 2501 + 1594])
    with step("released"):
        dataset.release(release_notes="Four stations")
        released = redivis.table(f"{user.name}.weather_stations:v1_0.stations")
        frame = released.to_pandas_dataframe(**QUIET).sort_values("id")
        equal(frame["name"].to_list(), ["Zürich", "Säntis", "Davos", "Lugano"])
        equal(frame["since"].isna().to_list(), [False, False, True, True])
        equal(released.variable("height").get().properties["label"], "Metres above the sea")
        equal(released.variable("height").get_statistics()["max"], 2501)
    with step("asked"):
        tall = redivis.query(f"SELECT name FROM `{user.name}.weather_stations.stations` WHERE height > 1000 ORDER BY height")
        equal(tall.to_arrow_table(**QUIET)["name"].to_pylist(), ["Davos", "Säntis"])
        equal(len(tall.to_arrow_table(1, **QUIET)), 1)
    with step("replaced in the next version"):
        draft = dataset.create_next_version()
        draft.table("Stations").update(upload_merge_strategy="replace")
        draft.table("Stations").upload("new").create(io.BytesIO(b"id,name\n9,Bern\n").getvalue(), type="delimited", **QUIET)
        equal(draft.table("Stations").to_arrow_table(**QUIET).to_pylist(), [{"id": 9, "name": "Bern"}])
        draft.release(release_notes="Begun again")
        equal(redivis.table(f"{user.name}.weather_stations.stations").get().properties["numRows"], 1)
        equal(released.get().properties["numRows"], 4)
    with step("exported"):
        [path] = released.download(str(folder / "out.parquet"), format="parquet", **QUIET)
        equal(sorted(pq.read_table(path)["id"].to_pylist()), [1, 2, 3, 4])
    with step("kept with files"):
        draft = draft.create_next_version()
        photos = draft.table("Photos").create(is_file_index=True)
        photos.add_files(files=[{"name": "2024/bern.jpg", "data": b"\xff\xd8"}, {"name": "readme", "data": "Photos"}], progress=False)
        draft.release()
        photos = redivis.table(f"{user.name}.weather_stations.photos")
        equal(photos.file("2024/bern.jpg").read(), b"\xff\xd8")
        equal(photos.file("readme").read(as_text=True), "Photos")
        with raises(exceptions.NotFoundError, "2025"):
            photos.file("2025/bern.jpg")
        with raises(exceptions.ValueError, "directory"):
            photos.file("2024")
        equal([str(file.path) for file in photos.list_files(1)], ["2024/bern.jpg"])
        directory = photos.to_directory().get("2024")
        equal([node.name for node in directory.list()], ["bern.jpg"])
        directory.download(str(folder / "photos"), progress=False)
        equal((folder / "photos/bern.jpg").read_bytes(), b"\xff\xd8")
        # A query lists the files whose ids it has.
        query = redivis.query(f"SELECT file_id, file_name FROM `{user.name}.weather_stations.photos` WHERE file_name = 'readme'")
        equal([str(file.path) for file in query.list_files()], ["readme"])
    with step("seen whole"):
        equal([version.tag for version in dataset.list_versions()][-1], "v1.0")
        equal(len(dataset.list_versions()), 3)
        equal({table.name for table in draft.list_tables()}, {"Stations", "Photos"})
    with step("deleted"):
        dataset.delete()
        assert not dataset.exists() and not released.exists() and not photos.exists()
        with raises(exceptions.NotFoundError):
            released.to_arrow_table(**QUIET)


LIVES = [from_birth_to_death]
