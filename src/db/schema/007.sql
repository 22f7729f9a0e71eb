-- Version 7. What a transaction needs to go on after a crash, JSON: an upgrade is resumed, all others are put
-- back. And when a cartridge was set up last: what was changed in a gear later is its user's.

ALTER TABLE txn ADD COLUMN resume TEXT;
ALTER TABLE gear_cartridge ADD COLUMN configured INTEGER;
UPDATE gear_cartridge SET configured = (SELECT created FROM gear WHERE gear.id = gear);
