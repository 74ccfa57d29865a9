"""All ways in which the official client reads rows, of a table, an upload or a query alike."""

import pyarrow as pa

from comparing import part, same


def from_pandas(frame, schema):
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def from_polars(frame, schema):
    return frame.collect().to_arrow().cast(schema)


def from_dask(frame, schema):
    return from_pandas(frame.compute(), schema)


def from_dataset(dataset, schema):
    return dataset.to_table()


def from_batches(batches, schema):
    return pa.Table.from_batches(list(batches))


def as_it_is(table, schema):
    return table


def every_read(reader, expected, choice, rows):
    """The whole, chosen variables, a number of rows, and both; `reader` is whatever has rows."""
    chosen = expected.select(choice)
    # Redivis compares names without case.
    spelled = [name.upper() for name in choice]
    quiet = {"progress": False}

    table = reader.to_arrow_table
    same(table(**quiet), expected)
    same(table(variables=spelled, **quiet), chosen)
    part(table(rows, **quiet), expected, rows)
    part(table(expected.num_rows + 1000, variables=choice, **quiet), chosen, expected.num_rows)

    for read, to_arrow in [
        (reader.to_arrow_batch_iterator, from_batches),
        (reader.to_arrow_dataset, from_dataset),
        (reader.to_pandas_dataframe, from_pandas),
        (reader.to_polars_lazyframe, from_polars),
        (reader.to_dask_dataframe, from_dask),
    ]:
        same(to_arrow(read(**quiet), expected.schema), expected)
        part(to_arrow(read(rows, variables=choice, **quiet), chosen.schema), chosen, rows)

    for variables, whole in [(None, expected), (choice, chosen)]:
        streams = reader.to_read_streams(3, variables=variables)
        assert 1 <= len(streams) <= 3, streams
        same(pa.concat_tables([stream.to_arrow_table(**quiet) for stream in streams]), whole)
