-- Version 1. A migration is never edited after a release: the next one goes to 002.sql.

-- What was done, is being done, or was cut off.
CREATE TABLE txn (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    title    TEXT    NOT NULL,
    command  TEXT    NOT NULL,
    state    TEXT    NOT NULL CHECK (state IN
             ('running', 'committed', 'finished', 'unwinding', 'undone', 'stuck', 'held')),
    started  INTEGER NOT NULL,
    ended    INTEGER,
    user     INTEGER NOT NULL,
    process  INTEGER NOT NULL,
    boot     TEXT    NOT NULL,
    undoes   INTEGER REFERENCES txn (id),
    view     TEXT    NOT NULL,          -- the plan as the user saw it, JSON
    inverse  TEXT    NOT NULL,          -- what `undo` would ask for, JSON
    after    TEXT    NOT NULL,          -- the steps that only run forward, JSON
    failure  TEXT,                      -- why it was unwound, JSON
    keeps    INTEGER                    -- bytes in its stash, while that is kept for `undo`
);
CREATE INDEX txn_unfinished ON txn (state)
    WHERE state IN ('running', 'committed', 'unwinding', 'stuck', 'held');
CREATE INDEX txn_keeping ON txn (id) WHERE keeps IS NOT NULL;

-- What a transaction locks; while it is stuck, nobody else may touch it.
CREATE TABLE txn_resource (
    txn      INTEGER NOT NULL REFERENCES txn (id) ON DELETE CASCADE,
    resource TEXT    NOT NULL,
    PRIMARY KEY (txn, resource)
) WITHOUT ROWID;

CREATE TABLE step (
    txn      INTEGER NOT NULL REFERENCES txn (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,          -- the order in which steps began
    number   TEXT    NOT NULL,          -- 7, 7.1, 7.2: stable over attempts
    title    TEXT    NOT NULL,
    step     TEXT    NOT NULL,          -- JSON
    undo     TEXT,                      -- JSON, durable before the step acts
    said     TEXT,                      -- JSON: what it learned
    state    TEXT    NOT NULL CHECK (state IN ('planned', 'prepared', 'done', 'undone', 'stuck')),
    attempt  INTEGER NOT NULL DEFAULT 0,
    began    INTEGER,
    ended    INTEGER,
    PRIMARY KEY (txn, position)
) WITHOUT ROWID;

-- Scarce things: slots, addresses, ports, accounts. The primary key is the guard.
CREATE TABLE reservation (
    kind  TEXT    NOT NULL,
    value TEXT    NOT NULL,
    gear  TEXT    NOT NULL,
    txn   INTEGER NOT NULL REFERENCES txn (id),
    PRIMARY KEY (kind, value)
) WITHOUT ROWID;
CREATE INDEX reservation_txn ON reservation (txn);

CREATE TABLE package (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    format          TEXT    NOT NULL,
    vendor          TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    version         TEXT    NOT NULL,   -- the default software version
    package_version TEXT    NOT NULL,
    tree            TEXT    NOT NULL,   -- digest of the tree, 64 hexadecimal digits
    place           TEXT    NOT NULL,   -- its directory below library/
    size            INTEGER NOT NULL,
    files           INTEGER NOT NULL,
    source          TEXT    NOT NULL,
    source_kind     TEXT    NOT NULL,
    md5             TEXT,
    sha256          TEXT,
    commit_id       TEXT,
    trust           TEXT    NOT NULL,
    installed       INTEGER NOT NULL,
    txn             INTEGER NOT NULL REFERENCES txn (id),
    removed_by      INTEGER REFERENCES txn (id), -- its tree waits in that transaction's stash
    manifest        TEXT    NOT NULL,            -- the package model, JSON
    notes           TEXT    NOT NULL             -- what the reader had to say, JSON
);
CREATE UNIQUE INDEX package_place ON package (place) WHERE removed_by IS NULL;
CREATE INDEX package_name ON package (name, vendor) WHERE removed_by IS NULL;
CREATE INDEX package_removed ON package (removed_by) WHERE removed_by IS NOT NULL;
CREATE INDEX package_txn ON package (txn);

CREATE TABLE file (
    package INTEGER NOT NULL REFERENCES package (id) ON DELETE CASCADE,
    path    TEXT    NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('file', 'directory', 'link')),
    mode    INTEGER NOT NULL,
    size    INTEGER,
    sha256  BLOB,
    target  TEXT,
    PRIMARY KEY (package, path)
) WITHOUT ROWID;

CREATE TABLE gear (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    uuid         TEXT    NOT NULL UNIQUE,
    slot         INTEGER NOT NULL,
    uid          INTEGER,               -- its own user; NULL where it runs as the caller
    gid          INTEGER,
    account      INTEGER NOT NULL,      -- whether the host has an account of that name
    sandbox      TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    txn          INTEGER NOT NULL REFERENCES txn (id),
    destroyed_by INTEGER REFERENCES txn (id)
);
CREATE UNIQUE INDEX gear_name ON gear (name) WHERE destroyed_by IS NULL;
CREATE INDEX gear_destroyed ON gear (destroyed_by) WHERE destroyed_by IS NOT NULL;

CREATE TABLE gear_cartridge (
    gear      INTEGER NOT NULL REFERENCES gear (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,         -- the order of configuring
    package   INTEGER NOT NULL REFERENCES package (id),
    software  TEXT    NOT NULL,
    dir       TEXT    NOT NULL,
    is_primary INTEGER NOT NULL,
    PRIMARY KEY (gear, dir)
) WITHOUT ROWID;
CREATE INDEX gear_cartridge_package ON gear_cartridge (package);

CREATE TABLE endpoint (
    gear        INTEGER NOT NULL REFERENCES gear (id) ON DELETE CASCADE,
    dir         TEXT    NOT NULL,
    name        TEXT    NOT NULL,       -- the variable that holds the port
    address     TEXT    NOT NULL,
    port        INTEGER NOT NULL,
    public_port INTEGER,
    protocols   TEXT    NOT NULL,       -- JSON list
    PRIMARY KEY (gear, name)
) WITHOUT ROWID;
