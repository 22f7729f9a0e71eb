-- Version 3: what cartridges and the administrator have said, one row each time. The newest living
-- row of a name wins; a row without a value says that the name is none any more. Undoing a
-- transaction withdraws its rows, so that what they had covered is seen again.

CREATE TABLE told (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    scope        TEXT    NOT NULL CHECK (scope IN
                 ('domain', 'cart_data', 'cart_properties', 'attributes', 'app_info')),
    gear         TEXT,                  -- the publisher's identifier; NULL for the administrator
    dir          TEXT,                  -- the folder of the publishing cartridge
    name         TEXT    NOT NULL,
    value        TEXT,
    txn          INTEGER NOT NULL REFERENCES txn (id),
    withdrawn_by INTEGER REFERENCES txn (id)
);
CREATE INDEX told_living ON told (scope, gear, name) WHERE withdrawn_by IS NULL;
CREATE INDEX told_txn ON told (txn);
CREATE INDEX told_withdrawn ON told (withdrawn_by) WHERE withdrawn_by IS NOT NULL;
