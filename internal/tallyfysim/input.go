package tallyfysim

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/mail"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An input is the JSON body of a write and what validation finds wrong in it.
// Fields that no rule asks for are dropped, as upstream does.
type input struct {
	fields map[string]json.RawMessage
	errors map[string][]string
	trim   bool
}

// readInput decodes the body. A body of another content type counts as empty,
// as in a PHP program; broken JSON is refused.
func (s *Sim) readInput(c *call) (*input, bool) {
	in := &input{fields: map[string]json.RawMessage{}, errors: map[string][]string{}, trim: s.opts.NamesTrim}
	kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if !strings.Contains(kind, "json") || len(bytes.TrimSpace(c.body)) == 0 {
		return in, true
	}
	return in, json.Unmarshal(c.body, &in.fields) == nil
}

func malformed() answer { return badRequest("The request body is not valid JSON.") }

func (in *input) fail(field, message string) {
	in.errors[field] = append(in.errors[field], message)
}

func (in *input) ok() bool { return len(in.errors) == 0 }

// has says whether a field was sent, be it null.
func (in *input) has(field string) bool {
	_, ok := in.fields[field]
	return ok
}

// text reads a string of at most limit characters. A required one may be
// neither absent nor null nor blank; an optional null or blank is "".
func (in *input) text(field string, required bool, limit int) string {
	words := strings.ReplaceAll(field, "_", " ")
	var value *string
	if raw, sent := in.fields[field]; sent && json.Unmarshal(raw, &value) != nil {
		in.fail(field, "The "+words+" must be a string.")
		return ""
	}
	if value == nil || strings.TrimSpace(*value) == "" {
		if required {
			in.fail(field, "The "+words+" field is required.")
		}
		return ""
	}
	if utf8.RuneCountInString(*value) > limit {
		in.fail(field, "The "+words+" may not be greater than "+strconv.Itoa(limit)+" characters.")
	}
	if in.trim {
		return strings.TrimSpace(*value)
	}
	return *value
}

// email reads a required address and nothing around it.
func (in *input) email(field string) string {
	value := in.text(field, true, 255)
	if value != "" && !isEmail(value) {
		in.fail(field, "The "+field+" must be a valid email address.")
	}
	return value
}

// list reads an array, each element as its raw JSON.
func (in *input) list(field string) []json.RawMessage {
	raw, sent := in.fields[field]
	if !sent {
		return nil
	}
	var values []json.RawMessage
	if json.Unmarshal(raw, &values) != nil || values == nil {
		in.fail(field, "The "+field+" must be an array.")
	}
	return values
}

// id reads a number or numeric string.
func id(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	return n, err == nil && n > 0
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}
