package promises_test

import (
	"database/sql"
	"fmt"
	"slices"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// broken names rows that are not what their payloads say.
func (all rows) broken() (broken []string) {
	for _, g := range all.groups {
		if complaint := g.broken(); complaint != "" {
			broken = append(broken, fmt.Sprintf("group %s is what its payload says: %s\n%s", g.id, complaint, g.payload))
		}
	}
	for _, m := range all.members {
		if complaint := m.broken(); complaint != "" {
			broken = append(broken, fmt.Sprintf("member %d is what its payload says: %s\n%s", m.id, complaint, m.payload))
		}
	}
	return broken
}

func (g groupRow) broken() string {
	row, err := payload.DecodeGroup(g.payload, directory.Form(g.form))
	switch {
	case err != nil:
		return err.Error()
	case row.ID != g.id || row.Name != g.name || nullText(row.Description) != g.description || nullText(row.Logo) != g.logo:
		return fmt.Sprintf("attributes %+v", g)
	case nullMS(row.CreatedAt) != g.created || nullMS(row.UpdatedAt) != g.updated:
		return fmt.Sprintf("instants %v %v", g.created, g.updated)
	case row.Fingerprint.Row != g.rowHash || row.Churn != g.churnHash:
		return fmt.Sprintf("fingerprint %d %d, stored %d %d", row.Fingerprint.Row, row.Churn, g.rowHash, g.churnHash)
	case !row.MembersAbsent && !slices.Equal(distinct(row.Members), distinct(g.members)):
		return fmt.Sprintf("members %d, stored %d", row.Members, g.members)
	case !row.GuestsAbsent && !slices.Equal(folded(row.Guests), distinct(g.guests)):
		return fmt.Sprintf("guests %q, stored %q", row.Guests, g.guests)
	}
	return ""
}

func folded(emails []string) []string {
	keys := make([]string, 0, len(emails))
	for _, email := range emails {
		keys = append(keys, directory.FoldEmail(email))
	}
	return distinct(keys)
}

func (m memberRow) broken() string {
	row, err := payload.DecodeMember(m.payload, directory.Form(m.form))
	if err != nil {
		return err.Error()
	}
	said := []any{
		row.ID, row.Email, string(row.Status), nullText(row.FirstName), nullText(row.LastName), nullText(row.FullName),
		nullText(row.Role), nullText(row.JobTitle), nullText(row.Team), nullText(row.Timezone),
		nullMS(row.LastLoginAt), nullMS(row.CreatedAt), nullMS(row.UpdatedAt), row.Fingerprint.Row, row.Churn,
	}
	stored := []any{
		m.id, m.email, m.status, m.first, m.last, m.full, m.role, m.title, m.team, m.zone,
		m.lastLogin, m.created, m.updated, m.rowHash, m.churnHash,
	}
	if !slices.Equal(said, stored) {
		return fmt.Sprintf("says  %v\nstored %v", said, stored)
	}
	return ""
}

func nullText(s *string) sql.NullString {
	if s == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: *s, Valid: true}
}

func nullMS(at time.Time) sql.NullInt64 {
	if at.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: at.UnixMilli(), Valid: true}
}
