package write

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
)

// A sent is what the body of a write asked for.
type sent struct {
	fields   directory.Sent // that the body carries
	readable bool           // they could all be understood
	row      directory.GroupRow
}

// parseSent reads the four fields of a group that a write may carry
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/groups/update-group/).
// Upstream drops all others.
func parseSent(body []byte) sent {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return sent{}
	}
	known := map[string]json.RawMessage{"id": json.RawMessage(`"-"`), "name": json.RawMessage(`"-"`)}
	for _, name := range []string{"name", "description", "members", "guests"} {
		if value, ok := fields[name]; ok {
			known[name] = value
		}
	}
	raw, err := json.Marshal(known)
	if err != nil {
		return sent{}
	}
	row, err := payload.DecodeGroup(raw, directory.SingleForm)
	_, name := fields["name"]
	_, description := fields["description"]
	_, members := fields["members"]
	_, guests := fields["guests"]
	return sent{
		fields:   directory.Sent{Name: name, Description: description, Members: members, Guests: guests},
		readable: err == nil && len(row.Oddities) == 0,
		row:      row,
	}
}

// isIn reports whether row shows all that was sent, and what was not sent,
// too: nobody knows whether upstream empties the lists that an update leaves
// out.
func (s sent) isIn(row *directory.GroupRow) bool {
	return s.readable && !row.MembersAbsent && !row.GuestsAbsent && s.shownBy(row) == s.fields
}

// shownBy returns the fields that were sent and that row shows as sent.
func (s sent) shownBy(row *directory.GroupRow) directory.Sent {
	if !s.readable {
		return directory.Sent{}
	}
	return directory.Sent{
		Name:        s.fields.Name && s.row.Name == row.Name,
		Description: s.fields.Description && text(s.row.Description) == text(row.Description),
		Members:     s.fields.Members && !row.MembersAbsent && slices.Equal(s.row.Members, row.Members),
		Guests:      s.fields.Guests && !row.GuestsAbsent && slices.EqualFunc(s.row.Guests, row.Guests, sameEmail),
	}
}

// text is a description's; none and an empty one are the same.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func sameEmail(a, b string) bool { return directory.FoldEmail(a) == directory.FoldEmail(b) }

// parseAnswer reads the group that a write's answer shows.
func parseAnswer(body []byte) (directory.GroupRow, error) {
	data, err := dataOf(body)
	if err != nil {
		return directory.GroupRow{}, err
	}
	return payload.DecodeGroup(data, directory.SingleForm)
}

// dataOf returns the object that a write's answer shows.
func dataOf(body []byte) (json.RawMessage, error) {
	var envelope struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(string(envelope.Data), "{") {
		return nil, errors.New("the answer shows no object")
	}
	return envelope.Data, nil
}

// saysDeleted reports whether the success of a deletion is upstream's own: it
// answers with nothing, or with an object
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/groups/delete-group/).
func saysDeleted(out *directory.Outcome) bool {
	body := bytes.TrimSpace(out.Body)
	return out.Status == http.StatusNoContent || bytes.HasPrefix(body, []byte("{")) && json.Valid(body)
}
