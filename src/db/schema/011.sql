-- Version 11: scaled applications. Their first gear has the web proxy and the repository, the others
-- are copies of its web framework. A gear of neither kind has no part in this.

ALTER TABLE gear ADD COLUMN role TEXT CHECK (role IN ('head', 'web'));
