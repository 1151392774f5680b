-- +goose Up

-- kept is the first revision that as_of and the feed show, since kept_ms.
-- pinned is the first in which a walk that has begun may go on: what ended
-- before it may be gone. erased is the revision of the last erasure. unclean
-- tells that traces of the erased may be left in free pages.
ALTER TABLE mirror ADD COLUMN kept INTEGER NOT NULL DEFAULT 1;
ALTER TABLE mirror ADD COLUMN kept_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mirror ADD COLUMN pinned INTEGER NOT NULL DEFAULT 1;
ALTER TABLE mirror ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mirror ADD COLUMN unclean INTEGER NOT NULL DEFAULT 0 CHECK (unclean IN (0, 1));

-- Finds whether a revision still has changesets.
CREATE INDEX changesets_by_revision ON changesets (revision);

-- Finds the notes of sweeps that confirmed nothing.
CREATE INDEX sweeps_that_failed ON sweeps (number) WHERE result NOT IN ('published', 'unchanged');

-- Who was erased, and by which changeset: a member, or else a guest.
CREATE TABLE erasures (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    changeset INTEGER NOT NULL,
    member_id INTEGER,
    guest_id  INTEGER
) STRICT;
CREATE INDEX erasures_by_changeset ON erasures (changeset);
CREATE INDEX erasures_by_member ON erasures (member_id) WHERE member_id IS NOT NULL;
