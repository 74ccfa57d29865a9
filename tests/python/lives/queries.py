"""Queries: asked of everything, read by every method, failing with the server's words."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import redivis
from redivis import exceptions

from comparing import equal, raises
from every_read import every_read

QUIET = {"progress": False}


def of_tables(step, folder):
    """Several tables of two datasets, released or not."""
    user = redivis.user(redivis.current_user().name)
    sales = user.dataset("Sales, none").create()
    days = [dt.date(2024, 1, 1 + i % 28) for i in range(1000)]
    rows = pa.table({"id": range(1000), "shop": [i % 7 for i in range(1000)], "price": [i / 4 for i in range(1000)], "day": days})
    sales.table("All sales").create().upload("sales").create(rows, **QUIET)
    sales.release()
    shops = user.dataset("Shops").create()
    shops.table("Shops").create().upload("shops.csv").create(b"id,name\n0,Ares\n1,Zeus\n", **QUIET)
    sale = f"`{user.name}.sales_none.all_sales`"

    with step("read by every method"):
        query = redivis.query(f"SELECT id, price, day FROM {sale} WHERE shop = 3")
        kept = [i for i in range(1000) if i % 7 == 3]
        every_read(query, rows.select(["id", "price", "day"]).take(kept), ["day", "id"], 50)
        equal(query.properties["status"], "completed")
        equal(query.properties["outputNumRows"], len(kept))
        equal(query.properties["outputSchema"], [{"name": "id", "type": "integer"}, {"name": "price", "type": "float"}, {"name": "day", "type": "date"}])

    with step("variables and statistics of the result"):
        equal([variable.name for variable in query.list_variables()], ["id", "price", "day"])
        equal(query.variable("PRICE").get().properties["type"], "float")
        statistics = query.variable("id").get_statistics()
        equal((statistics["count"], statistics["min"], statistics["max"]), (len(kept), 3, 997))

    with step("join of a release and a draft, by reference ids"):
        reference = shops.table("Shops").get().qualified_reference
        joined = redivis.query(
            f"SELECT name, COUNT(*) AS n, SUM(price) AS total FROM {sale} JOIN `{reference}` AS shops ON shop = shops.id "
            "GROUP BY name ORDER BY name"
        ).to_arrow_table(**QUIET)
        expected = [
            {"name": name, "n": len(range(shop, 1000, 7)), "total": sum(i / 4 for i in range(shop, 1000, 7))}
            for shop, name in enumerate(["Ares", "Zeus"])
        ]
        equal(joined.to_pylist(), expected)

    with step("bare names in a dataset"):
        for dataset in [sales, user.dataset("sales none"), user.dataset("Sales none", version="current")]:
            equal(dataset.query("SELECT COUNT(*) AS n FROM `All sales`").to_arrow_table(**QUIET).to_pylist(), [{"n": 1000}])
        equal(user.dataset("Shops", version="next").query("SELECT MAX(name) AS m FROM shops").to_pandas_dataframe(**QUIET)["m"].to_list(), ["Zeus"])

    with step("no rows at all"):
        empty = redivis.query(f"SELECT id FROM {sale} WHERE id < 0")
        equal(empty.to_arrow_table(**QUIET).num_rows, 0)
        equal(list(empty.to_arrow_batch_iterator(**QUIET)), [])

    with step("without a table"):
        every_type = redivis.query("SELECT 1 AS i, 1.5 AS f, 'é' AS s, TRUE AS b, DATE '2020-01-02' AS d, NULL AS n")
        equal(every_type.to_arrow_table(variables=["s", "i", "d", "b", "f"], **QUIET).to_pylist(),
              [{"s": "é", "i": 1, "d": dt.date(2020, 1, 2), "b": True, "f": 1.5}])

    with step("many at once"):
        with ThreadPoolExecutor(12) as pool:
            counts = pool.map(lambda n: redivis.query(f"SELECT COUNT(*) AS n FROM {sale} WHERE id < {n}").to_arrow_table(**QUIET)["n"][0].as_py(), range(12))
            equal(list(counts), list(range(12)))

    with step("what is wrong is told with its place"):
        for text, words in [
            ("SELEC 1", ["SELEC"]),
            (f"SELECT nothing FROM {sale}", ["nothing"]),
            (f"SELECT 1 FROM `{user.name}.sales_none.missing`", ["missing"]),
            (f"SELECT 1 / 0 FROM {sale}", ["division by zero"]),
            ("SELECT 1 FROM bare", ["bare"]),
        ]:
            failing = redivis.query(text)
            with raises(exceptions.JobError, "failed", *words):
                failing.to_arrow_table(**QUIET)
            equal(failing.properties["status"], "failed")
            with raises(exceptions.JobError, "failed", *words):
                failing.list_variables()

    with step("after the tables are gone the result is still there"):
        result = redivis.query(f"SELECT id FROM {sale}").get()
        while result.properties["status"] in ("queued", "running"):
            result.get()
        for dataset in [sales, shops]:
            dataset.delete()
        equal(result.to_arrow_table(**QUIET).num_rows, 1000)


LIVES = [of_tables]
