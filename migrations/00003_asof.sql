-- +goose Up

-- Finds the revision of an instant.
CREATE INDEX revisions_by_time ON revisions (published_ms, revision);
