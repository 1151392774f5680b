package payload

import (
	"fmt"
	"time"

	"rollcall/internal/directory"
)

// DecodeGroup reads one group as Tallyfy sent it in a list or singly. The
// row's Payload is a copy of raw.
//
// Without an id or a name, or with `members` that are neither an array, null
// nor absent, there is no row but an error. Everything else that is strange
// is tolerated and named in Oddities.
func DecodeGroup(raw []byte, form directory.Form) (directory.GroupRow, error) {
	r, err := readRow("group", raw)
	if err != nil {
		return directory.GroupRow{}, err
	}
	g := directory.GroupRow{Payload: r.payload, Form: form}
	if g.ID, err = groupID(r.get("id")); err != nil {
		return directory.GroupRow{}, err
	}
	name, ok := text(r.get("name"))
	if !ok {
		return directory.GroupRow{}, missingKey(fmt.Sprintf("group %.64q", g.ID), "name is missing or no text")
	}
	g.Name = name
	if err := r.readMembers(&g); err != nil {
		return directory.GroupRow{}, err
	}
	r.readGuests(&g)
	g.Description = r.optional("description")
	g.Logo = r.optional("logo")
	g.CreatedAt = r.instant("created_at")
	g.UpdatedAt = r.instant("updated_at")
	g.Deleted = r.isSet("deleted_at")
	g.Fingerprint = fingerprint(r.object)
	g.Shape = shapeOf(r.object)
	g.Oddities = r.oddities
	return g, nil
}

// groupID accepts any text, and a number by its digits.
func groupID(value []byte) (string, error) {
	if s, ok := text(value); ok && s != "" {
		return s, nil
	}
	if n, ok := idOf(value); ok {
		return fmt.Sprint(n), nil
	}
	return "", missingKey("group", "id is missing, empty or neither text nor number")
}

// readMembers sets the member ids. Elements that are no id stay in the
// payload and make no edge.
func (r *row) readMembers(g *directory.GroupRow) error {
	value := r.get("members")
	switch {
	case value == nil:
		g.MembersAbsent = true
		return nil
	case !setLike(value):
		return missingKey(fmt.Sprintf("group %.64q", g.ID), "members are no array")
	}
	ids, other := idsOf(value)
	if len(other) > 0 {
		r.odd("members: not a number")
	}
	g.Members, g.MemberCount = ids, len(ids)
	return nil
}

func (r *row) readGuests(g *directory.GroupRow) {
	value := r.get("guests")
	if value == nil || !setLike(value) {
		g.GuestsAbsent = true
		if value != nil {
			r.odd("guests: not an array")
		}
		return
	}
	mails, other := mailsOf(value)
	if len(other) > 0 {
		r.odd("guests: not an e-mail")
	}
	g.Guests = make([]string, len(mails))
	for i, m := range mails {
		g.Guests[i] = m.spelling
	}
	g.GuestCount = len(mails)
}

// optional returns a text, or nil where upstream sent null, nothing or
// another kind.
func (r *row) optional(name string) *string {
	value := r.get(name)
	if value == nil || isNull(value) {
		return nil
	}
	s, ok := text(value)
	if !ok {
		r.odd(name + ": not a text")
		return nil
	}
	return &s
}

func (r *row) instant(name string) time.Time {
	value := r.get(name)
	if value == nil || isNull(value) {
		return time.Time{}
	}
	s, ok := stampOf(value)
	if !ok {
		r.odd(name + ": not a timestamp")
		return time.Time{}
	}
	return s.UTC()
}

// isSet reports whether a field that is null until something happens is set.
func (r *row) isSet(name string) bool {
	value := r.get(name)
	return value != nil && happened(value)
}

func happened(value []byte) bool {
	set, isFlag := truth(value)
	return set || !isFlag && !isNull(value)
}
