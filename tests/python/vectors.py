"""The tasks whose requests and answers are kept as vectors: vectors.py FOLDER VERSION

Before each task a request of the script's own names it, which the recording proxy answers. FOLDER has the files that are sent.
"""

import os
import sys
import urllib.request

import redivis

folder, version = sys.argv[1:]
assert redivis.__version__ == version, redivis.__version__
QUIET = {"progress": False}
# Otherwise as many streams as the machine has processors.
ONE_STREAM = {"max_parallelization": 1, **QUIET}


def task(name):
    urllib.request.urlopen(f"{os.environ['REDIVIS_API_ENDPOINT']}/task/{name}").read()


def airlines():
    """The table, of which nothing is known yet."""
    return redivis.user("demo").dataset("nycflights13").table("airlines")


task("read")
assert airlines().to_arrow_table(**ONE_STREAM).num_rows == 16
task("read_part")
part = airlines().to_arrow_table(3, variables=["name", "carrier"], **ONE_STREAM)
assert (part.num_rows, part.schema.names) == (3, ["name", "carrier"])
task("read_session")
[stream] = airlines().to_read_streams(1)
assert stream.to_arrow_table(**QUIET).num_rows == 16
task("query")
query = redivis.query("SELECT COUNT(*) AS n FROM `demo.nycflights13.airlines`")
assert query.to_arrow_table(**ONE_STREAM).to_pylist() == [{"n": 16}]

dataset = redivis.user("local").dataset("Stations")
table = dataset.table("Heights")
task("create")
dataset.create(public_access_level="overview")
table.create(upload_merge_strategy="append")
task("upload")
table.upload("small.csv").create(f"{folder}/small.csv", type="delimited", **QUIET)
task("upload_large")
table.upload("large.csv").create(f"{folder}/large.csv", type="delimited", **QUIET)
task("release")
dataset.release(release_notes="The first")
task("next_version")
dataset.create_next_version()
