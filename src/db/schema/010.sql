-- Version 10: sites of UBOS apps: what was deployed, with which packages, and what they were given.

CREATE TABLE site (
    id       TEXT    NOT NULL PRIMARY KEY,     -- s and 40 hexadecimal digits
    hostname TEXT    UNIQUE,                   -- `*` for any; nothing for one that is known later
    json     TEXT    NOT NULL,                 -- the site as it was deployed, with its secrets
    at       INTEGER NOT NULL,                 -- seconds since 1970
    txn      INTEGER NOT NULL REFERENCES txn (id)
) WITHOUT ROWID;

CREATE TABLE site_package (
    site      TEXT    NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    appconfig TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    ordinal   INTEGER NOT NULL,                -- in the order of deploying, over the whole site
    package   INTEGER NOT NULL REFERENCES package (id),
    place     TEXT    NOT NULL,                -- its tree below the library
    manifest  TEXT    NOT NULL,                -- JSON: as it was deployed
    points    TEXT    NOT NULL,                -- JSON: the values of its customization points
    PRIMARY KEY (site, appconfig, name)
) WITHOUT ROWID;
CREATE INDEX site_package_package ON site_package (package);

CREATE TABLE site_resource (
    site      TEXT    NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    appconfig TEXT    NOT NULL,                -- empty for what belongs to the site itself
    package   TEXT    NOT NULL,
    kind      TEXT    NOT NULL,                -- mysql, postgresql, tcp, udp, folder
    name      TEXT    NOT NULL,
    value     TEXT    NOT NULL,                -- JSON
    PRIMARY KEY (site, appconfig, package, kind, name)
) WITHOUT ROWID;
