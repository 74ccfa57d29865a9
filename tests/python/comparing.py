"""What every script compares with: rows with rows, values with values, errors with what they should say."""

import contextlib

import pyarrow as pa


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


@contextlib.contextmanager
def raises(kind, *words):
    """An error of exactly this kind, whose message has these words in it."""
    try:
        yield
    except Exception as error:
        assert type(error) is kind, f"{type(error).__name__} instead of {kind.__name__}: {error}"
        for word in words:
            assert word in str(error), f"`{word}` is not in: {error}"
    else:
        raise AssertionError(f"there was no {kind.__name__}")


def same(read, expected, key="id"):
    """The same columns and types in the same order, and the same rows in any order."""
    equal(read.schema.names, expected.schema.names)
    equal(read.schema.types, expected.schema.types)
    equal(read.num_rows, expected.num_rows)
    read, expected = read.sort_by(key), expected.sort_by(key)
    for name in expected.schema.names:
        assert read[name].combine_chunks().equals(expected[name].combine_chunks()), f"{name} differs"


def part(read, expected, rows, key="id"):
    """`rows` different rows of the expected ones."""
    ids = read[key].to_pylist()
    assert len(ids) == len(set(ids)) == rows, (len(ids), len(set(ids)), rows)
    same(read, expected.filter(pa.compute.is_in(expected[key], pa.array(ids))), key)
