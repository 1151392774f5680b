package db

import (
	"context"
	"database/sql"
	"errors"

	"rollcall/internal/directory"
)

// setGroup makes the stored row what upstream showed.
func (w *writing) setGroup(ctx context.Context, u directory.GroupUpdate) error {
	if w.isFirst {
		return w.addGroup(ctx, u)
	}
	stored, err := w.q.StoredGroup(ctx, u.Row.ID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return w.addGroup(ctx, u)
	case err != nil:
		return err
	}
	if !u.Quiet {
		if err := w.changeGroup(ctx, stored, u); err != nil {
			return err
		}
	}
	return w.setGroupPayload(ctx, stored, u)
}

func (w *writing) addGroup(ctx context.Context, u directory.GroupUpdate) error {
	gid, err := w.q.KeyOfGroup(ctx, u.Row.ID)
	if err != nil {
		return err
	}
	edges, err := w.setEdges(ctx, gid, edges{}, u)
	if err != nil {
		return err
	}
	born, err := w.changeset(ctx, u.Attributes)
	if err != nil {
		return err
	}
	w.mirror.GroupCount++
	row := versionOf(u.Row, edges)
	if err := w.enter(ctx, groupTrigrams, gid, textOfGroup(row.Name, row.Description)); err != nil {
		return err
	}
	return w.q.InsertGroup(ctx, InsertGroupParams{
		Gid: gid, ID: u.Row.ID, Since: born, Churned: w.revision,
		Name: row.Name, NameKey: row.NameKey, Description: row.Description, Logo: row.Logo,
		Version: row.Version, MemberCount: row.MemberCount, GuestCount: row.GuestCount,
		CreatedMs: row.CreatedMs, UpdatedMs: row.UpdatedMs,
		ConfirmedMs: toMS(u.ConfirmedAt), RowHash: u.Row.Fingerprint.Row, ChurnHash: u.Row.Churn,
		Form: string(u.Row.Form), Payload: string(u.Row.Payload),
	})
}

// versionOf is what a version of a group holds.
func versionOf(row *directory.GroupRow, e edges) UpdateGroupParams {
	return UpdateGroupParams{
		Name: row.Name, NameKey: directory.Fold(row.Name),
		Description: toText(row.Description), Logo: toText(row.Logo),
		Version:     directory.VersionOf(row.Name, row.Description, e.members, e.guests),
		MemberCount: int64(len(e.members)), GuestCount: int64(len(e.guests)),
		CreatedMs: toNullMS(row.CreatedAt), UpdatedMs: toNullMS(row.UpdatedAt),
	}
}

// changeGroup ends the stored version and begins another, if they differ in
// anything that history keeps.
func (w *writing) changeGroup(ctx context.Context, stored Group, u directory.GroupUpdate) error {
	before, err := w.storedEdges(ctx, stored.Gid)
	if err != nil {
		return err
	}
	after, err := w.setEdges(ctx, stored.Gid, before, u)
	if err != nil {
		return err
	}
	next := versionOf(u.Row, after)
	origin, changed := originOfVersion(stored, next, u, before, after)
	if !changed {
		return nil
	}
	next.Gid = stored.Gid
	if text := textOfGroup(next.Name, next.Description); text != textOfGroup(stored.Name, stored.Description) {
		if err := w.enter(ctx, groupTrigrams, stored.Gid, text); err != nil {
			return err
		}
	}
	if next.Since, err = w.changeset(ctx, origin); err != nil {
		return err
	}
	if err := w.q.CloseGroup(ctx, CloseGroupParams{Until: next.Since, Gid: stored.Gid}); err != nil {
		return err
	}
	return w.q.UpdateGroup(ctx, next)
}

// originOfVersion tells whether a version of a group differs from the stored
// one, and where the difference comes from: an attribute, else the edges.
func originOfVersion(stored Group, next UpdateGroupParams, u directory.GroupUpdate, before, after edges) (directory.Origin, bool) {
	switch {
	case stored.Name != next.Name || stored.Description != next.Description || !sameLogo(stored.Logo, next.Logo) ||
		stored.CreatedMs != next.CreatedMs || stored.UpdatedMs != next.UpdatedMs:
		return u.Attributes, true
	case !equalSets(before.members, after.members):
		return u.Members, true
	case !equalSets(before.guests, after.guests):
		return u.Guests, true
	}
	return directory.Origin{}, false
}

// sameLogo compares without the part of a URL that moves by itself.
func sameLogo(a, b sql.NullString) bool {
	return a.Valid == b.Valid && withoutQuery(a.String) == withoutQuery(b.String)
}

// setGroupPayload stores the row as sent. That alone makes a revision, where
// it differs, as the payload is served; but no history.
func (w *writing) setGroupPayload(ctx context.Context, stored Group, u directory.GroupUpdate) error {
	next := UpdateGroupPayloadParams{
		Gid: stored.Gid, Logo: stored.Logo, Churned: stored.Churned, ConfirmedMs: toMS(u.ConfirmedAt),
		RowHash: u.Row.Fingerprint.Row, ChurnHash: u.Row.Churn, Form: string(u.Row.Form), Payload: string(u.Row.Payload),
	}
	if logo := toText(u.Row.Logo); logo != stored.Logo {
		next.Logo = logo
	}
	if next.Payload != stored.Payload || next.Logo != stored.Logo {
		if err := w.touch(ctx); err != nil {
			return err
		}
	}
	if next.Logo != stored.Logo {
		next.Churned = w.revision
	}
	return w.q.UpdateGroupPayload(ctx, next)
}

// removeGroup ends a group and every edge of it. One that is not stored is
// gone already.
func (w *writing) removeGroup(ctx context.Context, gone directory.Gone[string]) error {
	stored, err := w.q.StoredGroup(ctx, gone.ID)
	if err != nil {
		return orNone(err)
	}
	until, err := w.changeset(ctx, gone.Origin)
	if err != nil {
		return err
	}
	if err := w.removeEdges(ctx, stored.Gid, until); err != nil {
		return err
	}
	if err := w.q.CloseGroup(ctx, CloseGroupParams{Until: until, Deleted: true, Gid: stored.Gid}); err != nil {
		return err
	}
	if err := w.leave(ctx, groupTrigrams, stored.Gid); err != nil {
		return err
	}
	w.mirror.GroupCount--
	return w.q.DeleteGroup(ctx, stored.Gid)
}
