"""Parses BigQuery's SQL: parse_bigquery.py FILE, with a JSON text on each line, a statement.

Prints a line of JSON for each: the kinds of the statements in it, its comments, and its texts and names; or the error.
"""

import json
import sys

import sqlglot
from sqlglot import exp


def parsed(text):
    statements = sqlglot.parse(text, read="bigquery")
    comments = [comment for token in sqlglot.tokenize(text, read="bigquery") for comment in token.comments]
    texts, names = [], []
    for statement in statements:
        for node in statement.walk():
            comments.extend(node.comments or [])
            if isinstance(node, exp.Literal) and node.is_string:
                texts.append(node.this)
            elif isinstance(node, exp.Identifier):
                names.append(node.this)
    return {
        "kinds": [type(statement).__name__ for statement in statements],
        "comments": comments,
        "texts": texts,
        "names": names,
    }


with open(sys.argv[1]) as file:
    for line in file:
        try:
            print(json.dumps(parsed(json.loads(line))))
        except sqlglot.errors.SqlglotError as error:
            print(json.dumps({"error": str(error)}))
