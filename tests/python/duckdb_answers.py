"""Runs queries in DuckDB: duckdb_answers.py FILE, with {"setup": [statement…], "queries": [query…]} in it.

Prints a line of JSON for each query: its columns and its rows as texts, sorted, or the error.
"""

import json
import sys

import duckdb

with open(sys.argv[1]) as file:
    task = json.load(file)
connection = duckdb.connect()
for statement in task["setup"]:
    connection.execute(statement)


def text(value):
    return "NULL" if value is None else str(value)


for query in task["queries"]:
    try:
        answer = connection.execute(query)
        rows = [[text(value) for value in row] for row in answer.fetchall()]
        print(json.dumps({"columns": [column[0] for column in answer.description], "rows": sorted(rows)}))
    except duckdb.Error as error:
        print(json.dumps({"error": str(error)}))
