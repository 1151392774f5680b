-- +goose Up

-- missed says that the last whole sweep lacked a row that stays: when the next
-- lacks it, too, it is gone. Both may be made by processes of their own.
ALTER TABLE groups ADD COLUMN missed INTEGER NOT NULL DEFAULT 0 CHECK (missed IN (0, 1));
ALTER TABLE members ADD COLUMN missed INTEGER NOT NULL DEFAULT 0 CHECK (missed IN (0, 1));
CREATE INDEX groups_missed ON groups (id) WHERE missed = 1;
CREATE INDEX members_missed ON members (id) WHERE missed = 1;
