-- Version 2: `list` reads one index, one column of it, and no package's manifest. A name is found by
-- it as well. What is shown is put together once, when a package is installed; only the source may
-- hold a separator, and it comes last.

ALTER TABLE package ADD COLUMN listed TEXT GENERATED ALWAYS AS
    (vendor || '-' || name || '-' || version || char(31) || package_version || char(31) || format
     || char(31) || trust || char(31) || source) VIRTUAL;
DROP INDEX package_name;
CREATE INDEX package_listed ON package (removed_by, name, vendor, id, listed);
