"""Uploads every value with the official client, to tables named by how: upload_every_value.py FOLDER OWNER.DATASET"""

import pathlib
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import redivis

folder, dataset = sys.argv[1:]
owner, name = dataset.split(".")
folder, dataset = pathlib.Path(folder), redivis.user(owner).dataset(name, version="next")
values, text = (pq.read_table(folder / f"{name}.parquet") for name in ("values", "json"))


def upload(name, content, **options):
    table = dataset.table(name).create()
    table.upload(name).create(content, progress=False, **options)
    return table


upload("arrow", values)
upload("pandas", values.to_pandas(types_mapper=pd.ArrowDtype))
# Arrow quotes texts and not nulls, so that both can be told apart.
pyarrow.csv.write_csv(text, folder / "sent.csv")
upload("delimited", str(folder / "sent.csv"), type="delimited")

# A geography is made of a stream alone.
points = ["POINT(8.5 47.25)", None, "POLYGON((0 0,1 0,1 1,0 0))"]
places = dataset.table("places").create()
schema = [{"name": "id", "type": "integer"}, {"name": "place", "type": "geography"}]
stream = places.upload("stream").create(type="stream", schema=schema)
stream.insert_rows([{"id": id, "place": point} for id, point in enumerate(points)])
pq.write_table(pa.table({"id": range(len(points)), "place": points}), folder / "places.parquet")
