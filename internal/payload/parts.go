package payload

import (
	"strconv"

	"rollcall/internal/directory"
)

// Parts are the four fields of a group that a write carries, each as upstream
// spelled it, so that whoever sends them back sends nothing else; but ids are
// numbers, which is what upstream documents for writes. They share memory with
// the payload.
type Parts struct {
	Name        []byte
	Description []byte // nil unless a text
	Members     []Element
	Guests      []Element
}

// An Element is one of those whom a group lists. Elements with equal keys are
// the same, however they are spelled: ids by their number, e-mails under
// directory.FoldEmail. What is neither is the same as nothing but itself.
type Element struct {
	Key   string
	Value []byte // JSON
}

// PartsOf takes a group's payload apart. Lists that are absent, null or none
// are empty.
func PartsOf(raw []byte) (Parts, error) {
	o, err := parseObject(raw)
	if err != nil {
		return Parts{}, &directory.UpstreamError{Op: "take a group apart", Reason: directory.ReasonShape, Err: err}
	}
	p := Parts{Name: o.get("name"), Members: elementsOf(o.get("members"), MemberElement), Guests: elementsOf(o.get("guests"), GuestElement)}
	if description := o.get("description"); description != nil && description[0] == '"' {
		p.Description = description
	}
	return p, nil
}

func elementsOf(list []byte, element func([]byte) Element) []Element {
	found := []Element{}
	if list == nil {
		return found
	}
	for value := range elements(list) {
		found = append(found, element(value))
	}
	return found
}

// MemberElement is a member's id, as one JSON value.
func MemberElement(value []byte) Element {
	if id, ok := idOf(value); ok {
		return Element{string(appendNumber(nil, 'i', id)), strconv.AppendInt(nil, id, 10)}
	}
	return Element{oddKey(value), value}
}

// GuestElement is a guest's e-mail, as one JSON value.
func GuestElement(value []byte) Element {
	if mail, ok := text(value); ok {
		if key := directory.FoldEmail(mail); key != "" {
			return Element{string(appendText(nil, key)), value}
		}
	}
	return Element{oddKey(value), value}
}

// oddKey is no id's and no e-mail's.
func oddKey(value []byte) string { return "?" + string(appendPlain(nil, value)) }
