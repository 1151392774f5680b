-- +goose Up

-- What is asked for by name of a status, a role or a domain. A domain is all
-- that follows the last @ of an e-mail.
ALTER TABLE members ADD COLUMN domain TEXT GENERATED ALWAYS AS
    (CASE WHEN instr(email_key, '@') > 0 THEN substr(email_key, length(rtrim(email_key, replace(email_key, '@', ''))) + 1) ELSE '' END) VIRTUAL;
CREATE INDEX members_by_status ON members (status);
CREATE INDEX members_by_role ON members (role);
CREATE INDEX members_by_domain ON members (domain);
ALTER TABLE guests ADD COLUMN domain TEXT GENERATED ALWAYS AS
    (CASE WHEN instr(email_key, '@') > 0 THEN substr(email_key, length(rtrim(email_key, replace(email_key, '@', ''))) + 1) ELSE '' END) VIRTUAL;
CREATE INDEX guests_by_domain ON guests (domain);
CREATE INDEX groups_by_size ON groups (member_count, guest_count, id);

-- What a part of a name is looked for in: of each present row the texts that
-- are searched, folded, under the row's gid or id. They are kept as trigrams
-- alone, so that they tell which rows may have a part, and not where. Rows of
-- a file from before are added when it is opened.
CREATE VIRTUAL TABLE group_texts USING fts5 (text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE member_texts USING fts5 (text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
