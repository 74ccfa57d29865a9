"""Those who may not do everything; they come one after the other, since a process has one token.

The editor is who ran everything before. The tokens of the others are their names.
"""

import contextlib
import os

import redivis
from redivis import exceptions

from comparing import equal, raises

QUIET = {"progress": False}


@contextlib.contextmanager
def as_(token):
    """What is done with another token, or none."""
    own = os.environ.pop("REDIVIS_API_TOKEN")
    if token:
        os.environ["REDIVIS_API_TOKEN"] = token
    try:
        yield
    finally:
        os.environ["REDIVIS_API_TOKEN"] = own


def table(level, version="current"):
    return redivis.table(f"editor.shown_{level}:{version}.t")


def see_what_is_shown(step, folder):
    """Datasets of all public levels, and who sees what of them."""
    assert redivis.current_user().name == "editor"
    levels = ["none", "overview", "metadata", "data"]
    for level in levels:
        dataset = redivis.user("editor").dataset(f"Shown {level}").create(public_access_level=level)
        schema = [{"name": "n", "type": "integer"}]
        stream = dataset.table("t").create().upload("s").create(type="stream", schema=schema)
        stream.insert_rows([{"n": 1}])
        draft = dataset.release().create_next_version()
        draft.table("t").upload("s").create(type="stream", schema=schema)

    with step("a reader reads all and changes nothing"), as_("reader"):
        equal(redivis.current_user().name, "reader")
        for level in levels:
            equal(table(level).to_arrow_table(**QUIET)["n"].to_pylist(), [1])
            dataset = redivis.dataset(f"editor.shown_{level}", version="next")
            for change in [
                dataset.release,
                dataset.delete,
                lambda: dataset.update(description="x"),
                dataset.table("u").create,
                lambda: table(level, "next").upload("x.csv").create(b"n\n1\n", **QUIET),
                lambda: table(level, "next").upload("s").insert_rows([{"n": 1}]),
                lambda: table(level, "next").variable("n").update(label="x"),
                table(level, "next").delete,
            ]:
                with raises(exceptions.AuthorizationError, "403", "data.edit"):
                    change()
        with raises(exceptions.AuthorizationError, "403", "data.edit"):
            redivis.user("reader").dataset("Own").create()

    with step("somebody sees what is public"), as_("nobody"):
        assert not redivis.dataset("editor.shown_none").exists()
        assert not table("none").exists()
        with raises(exceptions.NotFoundError):
            table("none").to_arrow_table(**QUIET)
        names = {dataset.name for dataset in redivis.user("editor").list_datasets()}
        equal(names & {f"Shown {level}" for level in levels}, {"Shown overview", "Shown metadata", "Shown data"})
        with raises(exceptions.AuthorizationError, "403"):
            table("overview").list_variables()
        equal([variable.name for variable in table("metadata").list_variables()], ["n"])
        with raises(exceptions.AuthorizationError, "403"):
            table("metadata").to_arrow_table(**QUIET)
        equal(table("data").to_arrow_table(**QUIET)["n"].to_pylist(), [1])
        # Drafts are for those who may edit.
        assert not table("data", "next").exists()

    with step("a token that does not exist is refused"), as_("wrong"):
        for call in [redivis.current_user, table("data").get, table("data").exists, redivis.user("editor").list_datasets]:
            with raises(exceptions.APIError, "401"):
                call()

    # Only the newest client asks without credentials.
    if redivis.__version__ != "0.20.10":
        with step("public data is read without credentials"), as_(None):
            assert table("data").exists()
            equal(table("data").get().properties["numRows"], 1)
            equal(table("data").to_arrow_table(**QUIET)["n"].to_pylist(), [1])
            equal(table("data").to_pandas_dataframe(1, variables=["N"], **QUIET)["n"].to_list(), [1])
            equal([variable.name for variable in table("metadata").list_variables()], ["n"])


LIVES = [see_what_is_shown]
