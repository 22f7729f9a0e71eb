-- Version 6: packages that stay as they are, and why. A hold is of a name, for all its versions; it
-- is released by a transaction, so that undoing that one holds the package again.

CREATE TABLE hold (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    vendor      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    txn         INTEGER NOT NULL REFERENCES txn (id),
    released_by INTEGER REFERENCES txn (id)
);
CREATE UNIQUE INDEX hold_living ON hold (name, vendor) WHERE released_by IS NULL;
CREATE INDEX hold_txn ON hold (txn);
CREATE INDEX hold_released ON hold (released_by) WHERE released_by IS NOT NULL;
