-- +goose Up

-- Times are unix milliseconds in UTC, in columns that end in _ms; NULL is
-- unknown. A flag is 0 or 1.

-- Indexes by since and until are partial: the planner may use one only for a
-- query that repeats its condition, and never takes it for a read that ought
-- to go by group or member. Those of present rows leave out changeset 1, the
-- first sweep's, which is most of a table and is read along its key.

-- The one row says whose mirror this is and which revision it shows.
CREATE TABLE mirror (
    id                     INTEGER PRIMARY KEY CHECK (id = 1),
    organization           TEXT    NOT NULL,
    epoch                  TEXT    NOT NULL,
    revision               INTEGER NOT NULL DEFAULT 0,
    published_ms           INTEGER NOT NULL DEFAULT 0,
    nonce                  INTEGER NOT NULL DEFAULT 0,
    confirmed_ms           INTEGER NOT NULL DEFAULT 0,
    group_count            INTEGER NOT NULL DEFAULT 0,
    member_count           INTEGER NOT NULL DEFAULT 0,
    membership_count       INTEGER NOT NULL DEFAULT 0,
    guest_membership_count INTEGER NOT NULL DEFAULT 0
) STRICT;

-- horizon is the highest changeset of this revision or any before: what
-- lived at a revision has since <= horizon < until. nonce is random: after a
-- restore it tells a revision from one of the lost life that had its number,
-- and its instant, too, if the clock was set back.
CREATE TABLE revisions (
    revision     INTEGER PRIMARY KEY,
    published_ms INTEGER NOT NULL,
    nonce        INTEGER NOT NULL,
    cause        TEXT    NOT NULL,
    horizon      INTEGER NOT NULL
) STRICT;

-- A changeset is the changes of one revision that share an origin. Ids grow
-- with revisions; since, until and born of every row name one.
CREATE TABLE changesets (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    revision      INTEGER NOT NULL REFERENCES revisions (revision),
    not_before_ms INTEGER,
    not_after_ms  INTEGER NOT NULL,
    cause         TEXT    NOT NULL,
    actor         TEXT
) STRICT;

-- A group keeps its gid over deletion and return.
CREATE TABLE group_keys (
    gid INTEGER PRIMARY KEY AUTOINCREMENT,
    id  TEXT NOT NULL UNIQUE
) STRICT;

-- The present groups. A row is one version: it begins when an attribute, a
-- count or the hash of its edges changed. churned is the revision in which
-- the fields that move by themselves moved last.
CREATE TABLE groups (
    gid          INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL,
    name_key     TEXT    NOT NULL,
    description  TEXT,
    logo         TEXT,
    version      TEXT    NOT NULL,
    member_count INTEGER NOT NULL,
    guest_count  INTEGER NOT NULL,
    created_ms   INTEGER,
    updated_ms   INTEGER,
    since        INTEGER NOT NULL,
    born         INTEGER NOT NULL,
    churned      INTEGER NOT NULL,
    confirmed_ms INTEGER NOT NULL,
    doubted      INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),
    row_hash     INTEGER NOT NULL,
    churn_hash   INTEGER NOT NULL,
    form         TEXT    NOT NULL,
    payload      TEXT    NOT NULL
) STRICT;
CREATE INDEX groups_by_name ON groups (name_key, id);
CREATE INDEX groups_by_created ON groups (created_ms, id);
CREATE INDEX groups_by_since ON groups (since) WHERE since > 1;
CREATE INDEX groups_doubted ON groups (confirmed_ms) WHERE doubted = 1;

-- Versions of groups that ended. deleted tells the last version of a life.
CREATE TABLE past_groups (
    gid          INTEGER NOT NULL,
    since        INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    born         INTEGER NOT NULL,
    deleted      INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    name_key     TEXT    NOT NULL,
    description  TEXT,
    logo         TEXT,
    version      TEXT    NOT NULL,
    member_count INTEGER NOT NULL,
    guest_count  INTEGER NOT NULL,
    created_ms   INTEGER,
    updated_ms   INTEGER,
    churned      INTEGER NOT NULL,
    PRIMARY KEY (gid, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_groups_by_id ON past_groups (id);
CREATE INDEX past_groups_by_name ON past_groups (name_key, id);
CREATE INDEX past_groups_by_since ON past_groups (since) WHERE since > 0;
CREATE INDEX past_groups_by_until ON past_groups (until) WHERE until > 0;

-- The present members, by upstream's id. name_key sorts them: the folded
-- full name, else first and last name, else e-mail.
CREATE TABLE members (
    id            INTEGER PRIMARY KEY,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL,
    first_name    TEXT,
    last_name     TEXT,
    full_name     TEXT,
    name_key      TEXT    NOT NULL,
    role          TEXT,
    status        TEXT    NOT NULL,
    job_title     TEXT,
    team          TEXT,
    timezone      TEXT,
    last_login_ms INTEGER,
    created_ms    INTEGER,
    updated_ms    INTEGER,
    group_count   INTEGER NOT NULL,
    since         INTEGER NOT NULL,
    born          INTEGER NOT NULL,
    churned       INTEGER NOT NULL,
    confirmed_ms  INTEGER NOT NULL,
    doubted       INTEGER NOT NULL DEFAULT 0 CHECK (doubted IN (0, 1)),
    row_hash      INTEGER NOT NULL,
    churn_hash    INTEGER NOT NULL,
    form          TEXT    NOT NULL,
    payload       TEXT    NOT NULL
) STRICT;
CREATE INDEX members_by_email ON members (email_key);
CREATE INDEX members_by_name ON members (name_key, id);
CREATE INDEX members_by_created ON members (created_ms, id);
CREATE INDEX members_by_since ON members (since) WHERE since > 1;
CREATE INDEX members_doubted ON members (confirmed_ms) WHERE doubted = 1;
CREATE INDEX members_in_no_group ON members (id) WHERE group_count = 0;

CREATE TABLE past_members (
    id         INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    born       INTEGER NOT NULL,
    deleted    INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    email      TEXT    NOT NULL,
    email_key  TEXT    NOT NULL,
    first_name TEXT,
    last_name  TEXT,
    full_name  TEXT,
    name_key   TEXT    NOT NULL,
    role       TEXT,
    status     TEXT    NOT NULL,
    job_title  TEXT,
    team       TEXT,
    timezone   TEXT,
    created_ms INTEGER,
    updated_ms INTEGER,
    PRIMARY KEY (id, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_members_by_email ON past_members (email_key);
CREATE INDEX past_members_by_name ON past_members (name_key, id);
CREATE INDEX past_members_by_since ON past_members (since) WHERE since > 0;
CREATE INDEX past_members_by_until ON past_members (until) WHERE until > 0;

-- Who is in which group. A member_id may name nobody in members: groups keep
-- ids of people whom the member list lacks. Those are the strangers.
CREATE TABLE memberships (
    gid       INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    PRIMARY KEY (gid, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_member ON memberships (member_id, gid, since);
CREATE INDEX memberships_by_since ON memberships (since, gid, member_id) WHERE since > 1;

CREATE TABLE past_memberships (
    gid       INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    PRIMARY KEY (gid, member_id, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_memberships_by_member ON past_memberships (member_id, gid, since, until);
CREATE INDEX past_memberships_by_since ON past_memberships (since) WHERE since > 0;
CREATE INDEX past_memberships_by_until ON past_memberships (until) WHERE until > 0;

CREATE TABLE strangers (
    member_id   INTEGER PRIMARY KEY,
    group_count INTEGER NOT NULL
) STRICT;

-- Guests are known as e-mails alone, spelled as they were first seen.
CREATE TABLE guests (
    guest_id  INTEGER PRIMARY KEY AUTOINCREMENT,
    email_key TEXT NOT NULL UNIQUE,
    email     TEXT NOT NULL
) STRICT;

CREATE TABLE guest_memberships (
    gid      INTEGER NOT NULL,
    guest_id INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    PRIMARY KEY (gid, guest_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX guest_memberships_by_guest ON guest_memberships (guest_id, gid, since);
CREATE INDEX guest_memberships_by_since ON guest_memberships (since, gid, guest_id) WHERE since > 1;

CREATE TABLE past_guest_memberships (
    gid      INTEGER NOT NULL,
    guest_id INTEGER NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    PRIMARY KEY (gid, guest_id, since)
) STRICT, WITHOUT ROWID;
CREATE INDEX past_guest_memberships_by_guest ON past_guest_memberships (guest_id, gid, since, until);
CREATE INDEX past_guest_memberships_by_since ON past_guest_memberships (since) WHERE since > 0;
CREATE INDEX past_guest_memberships_by_until ON past_guest_memberships (until) WHERE until > 0;

-- One row a sweep, whatever became of it. revision is the one it published
-- or found unchanged.
CREATE TABLE sweeps (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    began_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    result   TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    groups   INTEGER NOT NULL,
    members  INTEGER NOT NULL
) STRICT;
CREATE INDEX sweeps_that_succeeded ON sweeps (revision, began_ms) WHERE result IN ('published', 'unchanged');

-- Upstream requests, so that a restart remembers what it spent, and what of it
-- on sweeps.
CREATE TABLE spend (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms    INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    by_sweep INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX spend_by_time ON spend (at_ms);

-- What the service reads: the present, and every version with its interval.
-- 9223372036854775807 ends what has not ended. The casts give both halves of a
-- view the same types, without which SQLite would not look through it.

CREATE VIEW present_groups AS
SELECT gid, id, name, name_key, description, logo, version, member_count, guest_count,
       created_ms, updated_ms, churned, confirmed_ms, doubted, since, CAST(9223372036854775807 AS INTEGER) AS until
FROM groups;

CREATE VIEW group_versions AS
SELECT gid, id, name, name_key, description, logo, version, member_count, guest_count,
       created_ms, updated_ms, churned, confirmed_ms, doubted, since, CAST(9223372036854775807 AS INTEGER) AS until
FROM groups
UNION ALL
SELECT gid, id, name, name_key, description, logo, version, member_count, guest_count,
       created_ms, updated_ms, churned, CAST(0 AS INTEGER), CAST(0 AS INTEGER), since, until
FROM past_groups;

CREATE VIEW present_members AS
SELECT id, email, email_key, first_name, last_name, full_name, name_key, role, status,
       job_title, team, timezone, last_login_ms, created_ms, updated_ms, group_count, churned,
       confirmed_ms, doubted, since, CAST(9223372036854775807 AS INTEGER) AS until
FROM members;

CREATE VIEW member_versions AS
SELECT id, email, email_key, first_name, last_name, full_name, name_key, role, status,
       job_title, team, timezone, last_login_ms, created_ms, updated_ms, group_count, churned,
       confirmed_ms, doubted, since, CAST(9223372036854775807 AS INTEGER) AS until
FROM members
UNION ALL
SELECT id, email, email_key, first_name, last_name, full_name, name_key, role, status,
       job_title, team, timezone, CAST(NULL AS INTEGER), created_ms, updated_ms, CAST(0 AS INTEGER), CAST(0 AS INTEGER),
       CAST(0 AS INTEGER), CAST(0 AS INTEGER), since, until
FROM past_members;

CREATE VIEW membership_versions AS
SELECT gid, member_id, since, CAST(9223372036854775807 AS INTEGER) AS until FROM memberships
UNION ALL
SELECT gid, member_id, since, until FROM past_memberships;

CREATE VIEW guest_membership_versions AS
SELECT gid, guest_id, since, CAST(9223372036854775807 AS INTEGER) AS until FROM guest_memberships
UNION ALL
SELECT gid, guest_id, since, until FROM past_guest_memberships;

-- For people who open the file with their own tool: the present revision,
-- with plain names and ISO times.

CREATE VIEW v_groups AS
SELECT g.id, g.name, g.description, g.logo, g.member_count, g.guest_count, g.version,
       strftime('%Y-%m-%dT%H:%M:%S', g.created_ms / 1000, 'unixepoch') || printf('.%03dZ', g.created_ms % 1000) AS created_at,
       strftime('%Y-%m-%dT%H:%M:%S', g.updated_ms / 1000, 'unixepoch') || printf('.%03dZ', g.updated_ms % 1000) AS updated_at
FROM groups g;

CREATE VIEW v_members AS
SELECT m.id, m.email, m.first_name, m.last_name, m.full_name, m.role, m.status, m.job_title,
       m.team, m.timezone, m.group_count,
       strftime('%Y-%m-%dT%H:%M:%S', m.last_login_ms / 1000, 'unixepoch') || printf('.%03dZ', m.last_login_ms % 1000) AS last_login_at,
       strftime('%Y-%m-%dT%H:%M:%S', m.created_ms / 1000, 'unixepoch') || printf('.%03dZ', m.created_ms % 1000) AS created_at,
       strftime('%Y-%m-%dT%H:%M:%S', m.updated_ms / 1000, 'unixepoch') || printf('.%03dZ', m.updated_ms % 1000) AS updated_at
FROM members m;

CREATE VIEW v_memberships AS
SELECT g.id AS group_id, g.name AS group_name, 'member' AS kind, e.member_id AS member_id,
       m.email, m.full_name, m.role, m.status,
       strftime('%Y-%m-%dT%H:%M:%S', c.not_before_ms / 1000, 'unixepoch') || printf('.%03dZ', c.not_before_ms % 1000) AS since_not_before,
       strftime('%Y-%m-%dT%H:%M:%S', c.not_after_ms / 1000, 'unixepoch') || printf('.%03dZ', c.not_after_ms % 1000) AS since_not_after
FROM memberships e
JOIN groups g ON g.gid = e.gid
JOIN changesets c ON c.id = e.since
LEFT JOIN members m ON m.id = e.member_id
UNION ALL
SELECT g.id, g.name, 'guest', NULL, p.email, NULL, NULL, NULL,
       strftime('%Y-%m-%dT%H:%M:%S', c.not_before_ms / 1000, 'unixepoch') || printf('.%03dZ', c.not_before_ms % 1000),
       strftime('%Y-%m-%dT%H:%M:%S', c.not_after_ms / 1000, 'unixepoch') || printf('.%03dZ', c.not_after_ms % 1000)
FROM guest_memberships e
JOIN groups g ON g.gid = e.gid
JOIN changesets c ON c.id = e.since
JOIN guests p ON p.guest_id = e.guest_id;
