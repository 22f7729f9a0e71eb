-- Version 5: gears of one application, and the variables that cartridges publish for each other.

ALTER TABLE gear ADD COLUMN app TEXT;
UPDATE gear SET app = name;
CREATE INDEX gear_app ON gear (app) WHERE destroyed_by IS NULL;

ALTER TABLE told RENAME TO told_before_5;
CREATE TABLE told (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    scope        TEXT    NOT NULL CHECK (scope IN
                 ('domain', 'cart_data', 'cart_properties', 'attributes', 'app_info', 'event')),
    gear         TEXT,                  -- the publisher's identifier; NULL for the administrator
    dir          TEXT,                  -- the folder of the publishing cartridge
    name         TEXT    NOT NULL,
    value        TEXT,
    txn          INTEGER NOT NULL REFERENCES txn (id),
    withdrawn_by INTEGER REFERENCES txn (id)
);
INSERT INTO told (id, scope, gear, dir, name, value, txn, withdrawn_by)
    SELECT id, scope, gear, dir, name, value, txn, withdrawn_by FROM told_before_5;
DROP TABLE told_before_5;
CREATE INDEX told_living ON told (scope, gear, name) WHERE withdrawn_by IS NULL;
CREATE INDEX told_txn ON told (txn);
CREATE INDEX told_withdrawn ON told (withdrawn_by) WHERE withdrawn_by IS NOT NULL;
