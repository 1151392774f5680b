package db

import (
	"database/sql"

	"rollcall/internal/directory"
)

// A version is a row of an interval.
type version interface{ lived() (since, until int64) }

func (v VersionsOfGroupsRow) lived() (since, until int64)  { return v.Since, v.Until }
func (v VersionsOfMembersRow) lived() (since, until int64) { return v.Since, v.Until }

// alive finds the version that a horizon shows, nil if there is none.
func alive[V version](versions []V, horizon int64) *V {
	for i, v := range versions {
		if since, until := v.lived(); since <= horizon && until > horizon {
			return &versions[i]
		}
	}
	return nil
}

// decisive is the changeset that made the last version of a revision, or
// ended the last there was.
func decisive[V version](versions []V, sp span, after *V) (changeset int64) {
	if after != nil {
		since, _ := (*after).lived()
		return since
	}
	for _, v := range versions {
		if _, until := v.lived(); sp.holds(until) {
			changeset = max(changeset, until)
		}
	}
	return changeset
}

// A field is an attribute that /v1 shows.
type field struct {
	name  string
	value any // nil, a string or a time.Time
}

func groupFields(v *VersionsOfGroupsRow) []field {
	if v == nil {
		return nil
	}
	logo := v.Logo
	logo.String = withoutQuery(logo.String)
	return []field{
		{"name", v.Name},
		{"description", textOrNil(v.Description)},
		{"logo", textOrNil(logo)},
		{"created_at", timeOrNil(v.CreatedMs)},
		{"updated_at", timeOrNil(v.UpdatedMs)},
	}
}

func memberFields(v *VersionsOfMembersRow) []field {
	if v == nil {
		return nil
	}
	return []field{
		{"email", textOrNil(sql.NullString{String: v.Email, Valid: v.Email != ""})},
		{"first_name", textOrNil(v.FirstName)},
		{"last_name", textOrNil(v.LastName)},
		{"full_name", textOrNil(v.FullName)},
		{"role", textOrNil(v.Role)},
		{"status", v.Status},
		{"job_title", textOrNil(v.JobTitle)},
		{"team", textOrNil(v.Team)},
		{"timezone", textOrNil(v.Timezone)},
		{"created_at", timeOrNil(v.CreatedMs)},
		{"updated_at", timeOrNil(v.UpdatedMs)},
	}
}

func textOrNil(s sql.NullString) any {
	if !s.Valid {
		return nil
	}
	return s.String
}

func timeOrNil(ms sql.NullInt64) any {
	if !ms.Valid {
		return nil
	}
	return fromNullMS(ms)
}

// fieldsThatDiffer compares two rows, the first of which may be missing.
func fieldsThatDiffer(before, after []field) (changed []directory.FieldChange) {
	for i, f := range after {
		var old any
		if before != nil {
			old = before[i].value
		}
		if old != f.value {
			changed = append(changed, directory.FieldChange{Field: f.name, Old: old, New: f.value})
		}
	}
	return changed
}
