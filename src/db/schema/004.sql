-- The name under which a gear is asked for; two living gears never have the same.

ALTER TABLE gear ADD COLUMN dns TEXT;
CREATE UNIQUE INDEX gear_dns ON gear (dns) WHERE destroyed_by IS NULL AND dns IS NOT NULL;
