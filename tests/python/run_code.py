"""Runs a program for the official client and prints the data frame that it makes, as JSON: run_code.py PROGRAM"""

import sys

names = {}
exec(sys.argv[1], names)
print(names["df"].to_json(orient="records"))
