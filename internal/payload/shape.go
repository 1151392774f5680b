package payload

import (
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// A Kind is what kind of JSON value a field holds.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Text
	Number
	Flag
	Array
	Object
)

// String names the kind for a person.
func (k Kind) String() string {
	return [...]string{"null", "text", "number", "flag", "array", "object"}[k]
}

// A Field is one field of a row, under the name of the newest generation.
type Field struct {
	Name  string
	Kind  Kind
	Known bool // documented
}

// longestName bounds what is kept of a name.
const longestName = 64

// Fields lists the fields of a row's payload. What is no object has none.
func Fields(raw []byte) []Field {
	o, err := parseObject(raw)
	if err != nil {
		return nil
	}
	fields := make([]Field, 0, len(o))
	for _, f := range o {
		_, known := specs[string(f.key[1:len(f.key)-1])]
		fields = append(fields, Field{clipped(f.name), kindOf(f.value), known})
	}
	return fields
}

func clipped(name string) string {
	if len(name) <= longestName {
		return name
	}
	return strings.ToValidUTF8(name[:longestName], string(utf8.RuneError)) + "…"
}

// Essential names the fields, documented in every generation, without which a
// kind of row would be served poorer than it was.
func Essential(kind string) []string {
	if kind == "groups" {
		return []string{"id", "name", "description", "logo", "members", "guests", "created_at", "updated_at"}
	}
	return []string{
		"id", "email", "first_name", "last_name", "role", "job_title", "team",
		"last_login_at", "created_at", "updated_at",
	}
}

var shapeSeed = maphash.MakeSeed()

// shapeOf is the same for rows whose fields have the same names and kinds of
// values, in any order, and hardly ever for others. It lives no longer than
// the process.
func shapeOf(o object) uint64 {
	var sum uint64
	for i := range o {
		sum += maphash.Bytes(shapeSeed, o[i].key) * (2*uint64(kindOf(o[i].value)) + 1)
	}
	return sum
}

func kindOf(value []byte) Kind {
	switch value[0] {
	case 'n':
		return Null
	case '"':
		return Text
	case 't', 'f':
		return Flag
	case '[':
		return Array
	case '{':
		return Object
	}
	return Number
}
