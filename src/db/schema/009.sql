-- Version 9: what packages of the format tpkg have put on the host, file by file, and whom they need.
-- Paths are below the root directory and lead through no links, so that one file has one spelling.

ALTER TABLE package ADD COLUMN base TEXT;      -- the absolute path of the base, as scripts see it
ALTER TABLE package ADD COLUMN file_name TEXT; -- as externals know the package

CREATE TABLE placed (
    package INTEGER NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    path    TEXT    NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('file', 'directory', 'link', 'lines')),
    role    TEXT    NOT NULL CHECK (role IN ('own', 'config', 'beside', 'init', 'cron', 'unit')),
    owner   TEXT    NOT NULL,                  -- a name, or digits
    grp     TEXT    NOT NULL,
    mode    INTEGER NOT NULL,
    size    INTEGER,
    sha256  BLOB,
    target  TEXT,
    PRIMARY KEY (package, path)
) WITHOUT ROWID;
CREATE INDEX placed_path ON placed (path);

CREATE TABLE needed (
    package INTEGER NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    name    TEXT    NOT NULL,
    clash   INTEGER NOT NULL,                  -- whether it is in the way, not needed
    bounds  TEXT    NOT NULL                   -- JSON
);
CREATE INDEX needed_name ON needed (name, package);
CREATE INDEX needed_package ON needed (package);
