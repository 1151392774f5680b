package write

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// A plan is a group as an edit would have it.
type plan struct {
	payload.Parts
	changed directory.Sent // what of it the edit changes
}

// newPlan changes in a group what an edit asks, and nothing else.
func newPlan(fresh *directory.GroupRow, e *directory.GroupEdit) (plan, error) {
	parts, err := payload.PartsOf(fresh.Payload)
	if err != nil {
		return plan{}, err
	}
	p := plan{Parts: parts}
	if text(fresh.Description) == "" {
		p.Description = nil
	}
	if e.Name != nil && *e.Name != fresh.Name {
		p.Name, p.changed.Name = encode(*e.Name), true
	}
	if e.Description != nil && *e.Description != text(fresh.Description) {
		p.Description, p.changed.Description = nil, true
		if *e.Description != "" {
			p.Description = encode(*e.Description)
		}
	}
	p.Members, p.changed.Members = changed(p.Members, memberElements(e.AddMembers), memberElements(e.RemoveMembers))
	p.Guests, p.changed.Guests = changed(p.Guests, guestElements(e.AddGuests), guestElements(e.RemoveGuests))
	return p, nil
}

// changed takes elements out of a list and puts those it lacks at its end.
func changed(list, add, remove []payload.Element) (after []payload.Element, isChanged bool) {
	unwanted := keysOf(remove)
	after = slices.Clone(list)
	after = slices.DeleteFunc(after, func(el payload.Element) bool { return unwanted[el.Key] })
	isChanged = len(after) != len(list)
	known := keysOf(after)
	for _, el := range add {
		if !known[el.Key] {
			after, isChanged = append(after, el), true
			known[el.Key] = true
		}
	}
	return after, isChanged
}

// isEmpty reports whether there is nothing to do.
func (p *plan) isEmpty() bool { return p.changed == directory.Sent{} }

// A groupBody is what an update of a group sends.
type groupBody struct {
	ID          string            `json:"id,omitempty"` // only to be read again
	Name        json.RawMessage   `json:"name"`
	Description json.RawMessage   `json:"description,omitempty"` // upstream refuses an empty one
	Members     []json.RawMessage `json:"members"`
	Guests      []json.RawMessage `json:"guests"`
}

// body is what is sent: all four fields, for upstream may empty those that an
// update leaves out
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/groups/update-group/).
func (p *plan) body() []byte { return encode(p.bodyOf("")) }

func (p *plan) bodyOf(id string) groupBody {
	return groupBody{id, p.Name, p.Description, valuesOf(p.Members), valuesOf(p.Guests)}
}

// row is the plan as a group that upstream shows.
func (p *plan) row(id string) (directory.GroupRow, error) {
	return payload.DecodeGroup(encode(p.bodyOf(id)), directory.SingleForm)
}

// isHeldBy reports whether a group that came back holds what was asked. Outer
// blanks of texts do not count: upstream trims them.
func isHeldBy(e *directory.GroupEdit, row *directory.GroupRow, came payload.Parts) bool {
	members, guests := keysOf(came.Members), keysOf(came.Guests)
	return (e.Name == nil || alike(*e.Name, row.Name)) &&
		(e.Description == nil || alike(*e.Description, text(row.Description))) &&
		hasAll(members, memberElements(e.AddMembers)) && hasNone(members, memberElements(e.RemoveMembers)) &&
		hasAll(guests, guestElements(e.AddGuests)) && hasNone(guests, guestElements(e.RemoveGuests))
}

func alike(a, b string) bool { return strings.TrimSpace(a) == strings.TrimSpace(b) }

// differences lists what came back otherwise than it was sent, or asked.
func (p *plan) differences(sent, row *directory.GroupRow, came payload.Parts) []directory.Difference {
	found := []directory.Difference{}
	if sent.Name != row.Name {
		found = append(found, directory.Difference{Field: "name", Sent: sent.Name, Came: row.Name})
	}
	if (p.Description != nil || p.changed.Description) && text(sent.Description) != text(row.Description) {
		found = append(found, directory.Difference{Field: "description", Sent: sent.Description, Came: row.Description})
	}
	found = appendDifference(found, "members", p.Members, came.Members)
	return appendDifference(found, "guests", p.Guests, came.Guests)
}

func appendDifference(found []directory.Difference, field string, sent, came []payload.Element) []directory.Difference {
	lost, gained := without(sent, came), without(came, sent)
	if len(lost)+len(gained) == 0 {
		return found
	}
	return append(found, directory.Difference{Field: field, Sent: valuesOf(lost), Came: valuesOf(gained)})
}

// without returns the elements of a that b lacks.
func without(a, b []payload.Element) []payload.Element {
	known := keysOf(b)
	return slices.DeleteFunc(slices.Clone(a), func(el payload.Element) bool { return known[el.Key] })
}

func keysOf(list []payload.Element) map[string]bool {
	keys := make(map[string]bool, len(list))
	for _, el := range list {
		keys[el.Key] = true
	}
	return keys
}

func hasAll(keys map[string]bool, list []payload.Element) bool {
	return !slices.ContainsFunc(list, func(el payload.Element) bool { return !keys[el.Key] })
}

func hasNone(keys map[string]bool, list []payload.Element) bool {
	return !slices.ContainsFunc(list, func(el payload.Element) bool { return keys[el.Key] })
}

func memberElements(ids []int64) []payload.Element {
	return elements(ids, payload.MemberElement)
}

func guestElements(mails []string) []payload.Element {
	return elements(mails, payload.GuestElement)
}

func elements[T any](values []T, element func([]byte) payload.Element) []payload.Element {
	list := make([]payload.Element, len(values))
	for i, value := range values {
		list[i] = element(encode(value))
	}
	return list
}

func valuesOf(list []payload.Element) []json.RawMessage {
	values := make([]json.RawMessage, len(list))
	for i, el := range list {
		values[i] = el.Value
	}
	return values
}

// encode is JSON of what always has some: texts, numbers and lists of values
// that were JSON before.
func encode(value any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}
