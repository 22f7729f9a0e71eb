-- Version 8: what packages have asked externals for, one row each time `install` was called. A row is
-- found again by who asks (format, vendor, package, home), not by the file name of a version; `file`
-- is the name that the external knows it by, `holder` the version that asks for it now.

CREATE TABLE external (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT    NOT NULL UNIQUE,   -- the transaction and the step that asked
    format       TEXT    NOT NULL,
    vendor       TEXT    NOT NULL,
    package      TEXT    NOT NULL,
    gear         TEXT,                      -- the gear's identifier; NULL for the host itself
    home         TEXT    NOT NULL,          -- TPKG_HOME
    file         TEXT    NOT NULL,          -- $1
    holder       TEXT    NOT NULL,
    ordinal      INTEGER NOT NULL,          -- its place in the package's list
    name         TEXT    NOT NULL,
    data         BLOB    NOT NULL,
    mode         TEXT    NOT NULL CHECK (mode IN ('exec', 'request', 'missing')),
    strict       INTEGER NOT NULL,
    asked        INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('done', 'failed', 'waiting', 'missing')),
    detail       TEXT,
    answered     INTEGER,
    txn          INTEGER NOT NULL REFERENCES txn (id),
    withdrawn_by INTEGER REFERENCES txn (id)
);
CREATE INDEX external_living ON external (gear, format, package) WHERE withdrawn_by IS NULL;
CREATE INDEX external_txn ON external (txn);
CREATE INDEX external_withdrawn ON external (withdrawn_by) WHERE withdrawn_by IS NOT NULL;
