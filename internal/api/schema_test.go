package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// openAPI is as much of a document as is needed to hold answers against it.
type openAPI struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	OperationID, Summary, Description string
	Parameters                        []struct{ Name, Description string }
	Responses                         map[string]struct {
		Headers map[string]struct{ Schema schema }
		Content map[string]struct{ Schema schema }
	}
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any    // a name or a list of names
	Format, Description  string
	Enum                 []any
	Items                *schema
	Properties           map[string]schema
	Required             []string
	AdditionalProperties any
	AnyOf                []schema
}

// check holds an answer against what the document says of its operation.
func (d openAPI) check(method, path string, got answer) error {
	op, ok := d.Paths[path][strings.ToLower(method)]
	if !ok {
		return fmt.Errorf("there is no %s %s", method, path)
	}
	response, ok := op.Responses[strconv.Itoa(got.status)]
	if !ok {
		response, ok = op.Responses[strconv.Itoa(got.status/100)+"XX"]
	}
	if !ok {
		return fmt.Errorf("status %d is not told", got.status)
	}
	for name := range response.Headers {
		if got.header.Get(name) == "" && name != "Link" {
			return fmt.Errorf("header %s is missing", name)
		}
	}
	content, ok := response.Content[got.header.Get("Content-Type")]
	if !ok {
		return fmt.Errorf("content type %s is not told", got.header.Get("Content-Type"))
	}
	var body any
	if err := json.Unmarshal([]byte(got.body), &body); err != nil {
		return err
	}
	return d.fits(content.Schema, body, "$")
}

// fits checks types, required and additional properties, enumerations and
// instants.
func (d openAPI) fits(s schema, v any, at string) error {
	if s.Ref != "" {
		return d.fits(d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")], v, at)
	}
	if len(s.AnyOf) > 0 {
		if !slices.ContainsFunc(s.AnyOf, func(one schema) bool { return d.fits(one, v, at) == nil }) {
			return fmt.Errorf("%s fits none of the alternatives", at)
		}
		return nil
	}
	if s.Type == nil {
		return nil // anything
	}
	if !slices.ContainsFunc(s.types(), func(name string) bool { return isA(name, v) }) {
		return fmt.Errorf("%s is %T, want %v", at, v, s.Type)
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return fmt.Errorf("%s is %v, want one of %v", at, v, s.Enum)
	}
	switch v := v.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339, v); s.Format == "date-time" && (err != nil || !strings.HasSuffix(v, "Z")) {
			return fmt.Errorf("%s is %q, no instant in UTC", at, v)
		}
	case []any:
		return d.rowsFit(s, v, at)
	case map[string]any:
		return d.fieldsFit(s, v, at)
	}
	return nil
}

func (d openAPI) rowsFit(s schema, rows []any, at string) error {
	for i, row := range rows {
		if err := d.fits(*s.Items, row, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	return nil
}

func (d openAPI) fieldsFit(s schema, object map[string]any, at string) error {
	for _, name := range s.Required {
		if _, ok := object[name]; !ok {
			return fmt.Errorf("%s lacks %s", at, name)
		}
	}
	for name, value := range object {
		property, ok := s.Properties[name]
		if !ok && s.AdditionalProperties == false {
			return fmt.Errorf("%s has %s, which is not told", at, name)
		}
		if ok {
			if err := d.fits(property, value, at+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s schema) types() []string {
	switch t := s.Type.(type) {
	case string:
		return []string{t}
	case []any:
		var names []string
		for _, name := range t {
			names = append(names, fmt.Sprint(name))
		}
		return names
	}
	return nil
}

func isA(name string, v any) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && v == math.Trunc(v)
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}

func mustParse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
