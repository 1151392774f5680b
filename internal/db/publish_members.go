package db

import (
	"context"
	"database/sql"
	"errors"

	"rollcall/internal/directory"
)

// setMember makes the stored row what upstream showed.
func (w *writing) setMember(ctx context.Context, u directory.MemberUpdate) error {
	if w.isFirst {
		return w.addMember(ctx, u)
	}
	stored, err := w.q.StoredMember(ctx, u.Row.ID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return w.addMember(ctx, u)
	case err != nil:
		return err
	}
	if !u.Quiet {
		if err := w.changeMember(ctx, stored, u); err != nil {
			return err
		}
	}
	return w.setMemberPayload(ctx, stored, u)
}

// addMember counts the groups that named the member before they were listed.
func (w *writing) addMember(ctx context.Context, u directory.MemberUpdate) error {
	born, err := w.changeset(ctx, u.Origin)
	if err != nil {
		return err
	}
	id := u.Row.ID
	groups := w.strangers[id] + w.entered[id]
	delete(w.entered, id)
	if _, wasStranger := w.strangers[id]; wasStranger {
		if err := w.q.RemoveStranger(ctx, id); err != nil {
			return err
		}
	}
	w.mirror.MemberCount++
	row := memberVersionOf(u.Row.Member)
	if err := w.enter(ctx, memberTrigrams, id, textOfMember(row)); err != nil {
		return err
	}
	return w.q.InsertMember(ctx, InsertMemberParams{
		ID: id, Since: born, Churned: w.revision, GroupCount: groups,
		Email: row.Email, EmailKey: row.EmailKey, FirstName: row.FirstName, LastName: row.LastName,
		FullName: row.FullName, NameKey: row.NameKey, Role: row.Role, Status: row.Status,
		JobTitle: row.JobTitle, Team: row.Team, Timezone: row.Timezone,
		LastLoginMs: toNullMS(u.Row.LastLoginAt), CreatedMs: row.CreatedMs, UpdatedMs: row.UpdatedMs,
		ConfirmedMs: toMS(u.ConfirmedAt), RowHash: u.Row.Fingerprint.Row, ChurnHash: u.Row.Churn,
		Form: string(u.Row.Form), Payload: string(u.Row.Payload),
	})
}

// memberVersionOf is what a version of a member holds.
func memberVersionOf(m directory.Member) UpdateMemberParams {
	return UpdateMemberParams{
		Email: m.Email, EmailKey: directory.FoldEmail(m.Email),
		FirstName: toText(m.FirstName), LastName: toText(m.LastName), FullName: toText(m.FullName), NameKey: nameKey(m),
		Role: toText(m.Role), Status: string(m.Status),
		JobTitle: toText(m.JobTitle), Team: toText(m.Team), Timezone: toText(m.Timezone),
		CreatedMs: toNullMS(m.CreatedAt), UpdatedMs: toNullMS(m.UpdatedAt),
	}
}

// changeMember ends the stored version and begins another, if they differ in
// anything that history keeps.
func (w *writing) changeMember(ctx context.Context, stored Member, u directory.MemberUpdate) error {
	next := memberVersionOf(u.Row.Member)
	if next == storedVersion(stored) {
		return nil
	}
	var err error
	if next.Since, err = w.changeset(ctx, u.Origin); err != nil {
		return err
	}
	next.ID = stored.ID
	if text := textOfMember(next); text != textOfMember(storedVersion(stored)) {
		if err := w.enter(ctx, memberTrigrams, stored.ID, text); err != nil {
			return err
		}
	}
	if err := w.q.CloseMember(ctx, CloseMemberParams{Until: next.Since, ID: stored.ID}); err != nil {
		return err
	}
	return w.q.UpdateMember(ctx, next)
}

func storedVersion(m Member) UpdateMemberParams {
	return UpdateMemberParams{
		Email: m.Email, EmailKey: m.EmailKey,
		FirstName: m.FirstName, LastName: m.LastName, FullName: m.FullName, NameKey: m.NameKey,
		Role: m.Role, Status: m.Status, JobTitle: m.JobTitle, Team: m.Team, Timezone: m.Timezone,
		CreatedMs: m.CreatedMs, UpdatedMs: m.UpdatedMs,
	}
}

// setMemberPayload stores the row as sent; see setGroupPayload.
func (w *writing) setMemberPayload(ctx context.Context, stored Member, u directory.MemberUpdate) error {
	next := UpdateMemberPayloadParams{
		ID: stored.ID, LastLoginMs: toNullMS(u.Row.LastLoginAt), Churned: stored.Churned, ConfirmedMs: toMS(u.ConfirmedAt),
		RowHash: u.Row.Fingerprint.Row, ChurnHash: u.Row.Churn, Form: string(u.Row.Form), Payload: string(u.Row.Payload),
	}
	if next.Payload != stored.Payload || next.LastLoginMs != stored.LastLoginMs {
		if err := w.touch(ctx); err != nil {
			return err
		}
	}
	if next.LastLoginMs != stored.LastLoginMs {
		next.Churned = w.revision
	}
	return w.q.UpdateMemberPayload(ctx, next)
}

// removeMember ends a member. Their edges stay as long as groups name the id.
func (w *writing) removeMember(ctx context.Context, gone directory.Gone[int64]) error {
	stored, err := w.q.StoredMember(ctx, gone.ID)
	if err != nil {
		return orNone(err)
	}
	until, err := w.changeset(ctx, gone.Origin)
	if err != nil {
		return err
	}
	if err := w.q.CloseMember(ctx, CloseMemberParams{Until: until, Deleted: true, ID: gone.ID}); err != nil {
		return err
	}
	if stored.GroupCount > 0 {
		w.strangers[gone.ID] = stored.GroupCount
		if err := w.q.AddStranger(ctx, gone.ID, stored.GroupCount); err != nil {
			return err
		}
	}
	if err := w.leave(ctx, memberTrigrams, gone.ID); err != nil {
		return err
	}
	w.mirror.MemberCount--
	return w.q.DeleteMember(ctx, gone.ID)
}

func (w *writing) loadStrangers(ctx context.Context) (map[int64]int64, error) {
	rows, err := w.q.Strangers(ctx)
	strangers := make(map[int64]int64, len(rows))
	for _, row := range rows {
		strangers[row.MemberID] = row.GroupCount
	}
	return strangers, err
}

// settleCounts adds the groups that members and strangers entered to their
// counts.
func (w *writing) settleCounts(ctx context.Context) error {
	for id, groups := range w.entered {
		if groups == 0 {
			continue
		}
		found, err := w.q.AddToGroupCount(ctx, groups, id)
		if err == nil && found == 0 {
			err = w.q.AddStranger(ctx, id, groups)
		}
		if err != nil {
			return err
		}
	}
	return w.q.ForgetStrangers(ctx)
}
