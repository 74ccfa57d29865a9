-- Datasets that live in the server's own store. Times are milliseconds since 1970. Keys are never given out twice: work
-- that takes a while, or a look in two steps, must not meet another row under the key of one that was deleted.

CREATE TABLE IF NOT EXISTS organization (
    slug TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS dataset (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    owner_slug TEXT NOT NULL,
    is_organization INTEGER NOT NULL,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    -- The resource id; its first four characters are the reference id.
    id TEXT NOT NULL UNIQUE,
    public_access_level TEXT NOT NULL,
    description TEXT,
    methodology_markdown TEXT,
    usage_markdown TEXT,
    -- JSON arrays of strings.
    labels TEXT NOT NULL DEFAULT '[]',
    tags TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (owner_slug, slug)
) STRICT;

CREATE TABLE IF NOT EXISTS version (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset INTEGER NOT NULL REFERENCES dataset ON DELETE CASCADE,
    -- Both null while the version is not released.
    major INTEGER,
    minor INTEGER,
    label TEXT,
    release_notes TEXT,
    is_deleted INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    released_at INTEGER,
    UNIQUE (dataset, major, minor)
) STRICT;
-- One draft a dataset.
CREATE UNIQUE INDEX IF NOT EXISTS draft ON version (dataset) WHERE major IS NULL;

-- A table in one version; the next version has a row of its own with the same id.
CREATE TABLE IF NOT EXISTS version_table (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL REFERENCES version ON DELETE CASCADE,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    id TEXT NOT NULL,
    description TEXT,
    replaces INTEGER NOT NULL,
    is_file_index INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (version, slug)
) STRICT;

-- What somebody said about a variable of a table.
CREATE TABLE IF NOT EXISTS variable (
    version_table INTEGER NOT NULL REFERENCES version_table ON DELETE CASCADE,
    -- The name in lower case.
    slug TEXT NOT NULL,
    label TEXT,
    description TEXT,
    -- A JSON array of {value, label}.
    value_labels TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (version_table, slug)
) STRICT;

CREATE TABLE IF NOT EXISTS upload (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    -- queued, running, completed or failed.
    status TEXT NOT NULL,
    error_message TEXT,
    -- How the bytes are to be read, as JSON.
    options TEXT NOT NULL,
    -- What it says about variables, as JSON; taken over by the table when the upload is completed.
    metadata TEXT NOT NULL DEFAULT '{}',
    -- The temp upload that holds the bytes, until they are read in.
    temporary TEXT,
    -- Bytes that were sent, and their MD5 in hexadecimal digits.
    size INTEGER,
    hash TEXT,
    bad_records INTEGER NOT NULL DEFAULT 0,
    -- A JSON array of {name, type}: the variables, once completed.
    variables TEXT NOT NULL DEFAULT '[]',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- The uploads that a table is stacked from, in order; those of earlier versions first.
CREATE TABLE IF NOT EXISTS table_upload (
    version_table INTEGER NOT NULL REFERENCES version_table ON DELETE CASCADE,
    upload INTEGER NOT NULL REFERENCES upload,
    is_inherited INTEGER NOT NULL,
    PRIMARY KEY (version_table, upload)
) STRICT;
CREATE INDEX IF NOT EXISTS table_upload_of ON table_upload (upload);

-- The rows of an upload: files below rows/, in order. One, except where rows were inserted.
CREATE TABLE IF NOT EXISTS part (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    upload INTEGER NOT NULL REFERENCES upload ON DELETE CASCADE,
    file TEXT NOT NULL UNIQUE,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS part_of ON part (upload);
