-- Files of any kind, listed by file index tables (redivis-api §6.5). Times are milliseconds since 1970.

CREATE TABLE IF NOT EXISTS raw_file (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    -- In base64.
    md5 TEXT NOT NULL,
    -- The file below files/ that holds the bytes; it never changes.
    file TEXT NOT NULL UNIQUE,
    added_at INTEGER NOT NULL
) STRICT;

-- Which files the upload of a file index table lists. Versions that share the upload share the list.
CREATE TABLE IF NOT EXISTS listed_file (
    upload INTEGER NOT NULL REFERENCES upload ON DELETE CASCADE,
    name TEXT NOT NULL,
    raw_file INTEGER NOT NULL REFERENCES raw_file,
    PRIMARY KEY (upload, name)
) STRICT;
CREATE INDEX IF NOT EXISTS listed_file_of ON listed_file (raw_file);
