package payload

import (
	"fmt"

	"rollcall/internal/directory"
)

// DecodeMember reads one user as Tallyfy sent it in a list or singly, under
// the terms of DecodeGroup. Without an id or an e-mail there is no row.
func DecodeMember(raw []byte, form directory.Form) (directory.MemberRow, error) {
	r, err := readRow("user", raw)
	if err != nil {
		return directory.MemberRow{}, err
	}
	m := directory.MemberRow{Payload: r.payload, Form: form}
	n, ok := idOf(r.get("id"))
	if !ok {
		return directory.MemberRow{}, missingKey("user", "id is missing or no positive number")
	}
	m.ID = n
	if m.Email, ok = text(r.get("email")); !ok {
		return directory.MemberRow{}, missingKey(fmt.Sprintf("user %d", n), "email is missing or no text")
	}
	m.FirstName = r.optional("first_name")
	m.LastName = r.optional("last_name")
	m.FullName = r.optional("full_name")
	m.Role = r.word("role")
	m.Status = r.status()
	m.JobTitle = r.optional("job_title")
	m.Team = r.optional("team")
	m.Timezone = r.optional("timezone")
	m.LastLoginAt = r.instant("last_login_at")
	m.CreatedAt = r.instant("created_at")
	m.UpdatedAt = r.instant("updated_at")
	m.Deleted = r.isSet("deleted_at")
	m.Fingerprint = fingerprint(r.object)
	m.Shape = shapeOf(r.object)
	m.Oddities = r.oddities
	return m, nil
}

// word is optional, in lower case.
func (r *row) word(name string) *string {
	s := r.optional(name)
	if s == nil || *s == "" {
		return nil
	}
	return new(directory.Fold(*s))
}

// status reads `status`, or, where the older generation lacks it, the flags
// that say whether a person may act.
func (r *row) status() directory.Status {
	if s := r.word("status"); s != nil {
		switch status := directory.Status(*s); status {
		case directory.Active, directory.Invited, directory.Disabled:
			return status
		}
		r.odd("status: unknown word")
	}
	suspended, _ := truth(r.get("is_suspended"))
	active, told := truth(r.get("is_active"))
	if r.isSet("disabled_at") || suspended || told && !active {
		return directory.Disabled
	}
	return directory.Active
}
