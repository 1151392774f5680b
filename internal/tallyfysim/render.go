package tallyfysim

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// A form is one of the ways in which upstream shows the same row.
type form int

const (
	listed  form = iota // in a list
	single              // read by id
	written             // in the answer to a write
)

// A writer writes JSON objects, field by field, behind what buf holds.
type writer struct {
	buf   []byte
	extra map[string]json.RawMessage
	seen  map[string]bool // keys of extra that were written
}

// begin opens an object whose fields extra replaces and adds to.
func (o *writer) begin(extra map[string]json.RawMessage) {
	o.extra, o.seen = extra, nil
	o.buf = append(o.buf, '{')
}

// field opens a field and says whether its value is still to be written.
func (o *writer) field(key string) bool {
	if o.extra != nil {
		if raw, ok := o.extra[key]; ok {
			o.override(key, raw)
			return false
		}
	}
	o.open(key)
	return true
}

func (o *writer) override(key string, raw json.RawMessage) {
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[key] = true
	if raw != nil {
		o.open(key)
		o.buf = append(o.buf, raw...)
	}
}

func (o *writer) open(key string) {
	o.separate()
	o.buf = append(o.buf, '"')
	o.buf = append(o.buf, key...)
	o.buf = append(o.buf, '"', ':')
}

// end closes the object, with the fields of extra that had no place in it.
func (o *writer) end() {
	if o.extra != nil {
		for _, key := range slices.Sorted(maps.Keys(o.extra)) {
			if !o.seen[key] {
				o.override(key, o.extra[key])
			}
		}
	}
	o.buf = append(o.buf, '}')
}

// separate writes a comma unless a list or object has just begun.
func (o *writer) separate() {
	if last := o.buf[len(o.buf)-1]; last != '{' && last != '[' {
		o.buf = append(o.buf, ',')
	}
}

func (o *writer) text(key, value string) {
	if o.field(key) {
		o.buf = appendText(o.buf, value)
	}
}

// textOrNull writes an empty string as null.
func (o *writer) textOrNull(key, value string) {
	if value == "" {
		o.raw(key, "null")
		return
	}
	o.text(key, value)
}

func (o *writer) number(key string, value int64) {
	if o.field(key) {
		o.buf = strconv.AppendInt(o.buf, value, 10)
	}
}

// numberOrNull writes 0 as null.
func (o *writer) numberOrNull(key string, value int64) {
	if value == 0 {
		o.raw(key, "null")
		return
	}
	o.number(key, value)
}

func (o *writer) truth(key string, value bool) {
	if o.field(key) {
		o.buf = strconv.AppendBool(o.buf, value)
	}
}

func (o *writer) raw(key, value string) {
	if o.field(key) {
		o.buf = append(o.buf, value...)
	}
}

// id writes a user's id, as a string where asked.
func (o *writer) id(key string, value int64, asText bool) {
	if o.field(key) {
		o.buf = appendID(o.buf, value, asText)
	}
}

// ids writes user ids.
func (o *writer) ids(key string, values []int64, asText bool) {
	if !o.field(key) {
		return
	}
	o.buf = append(o.buf, '[')
	for _, v := range values {
		o.separate()
		o.buf = appendID(o.buf, v, asText)
	}
	o.buf = append(o.buf, ']')
}

func (o *writer) texts(key string, values []string) {
	if !o.field(key) {
		return
	}
	o.buf = append(o.buf, '[')
	for _, v := range values {
		o.separate()
		o.buf = appendText(o.buf, v)
	}
	o.buf = append(o.buf, ']')
}

// instant writes t with the digits of the form; the zero time is null.
func (o *writer) instant(key string, t time.Time, zone string) {
	if t.IsZero() {
		o.raw(key, "null")
		return
	}
	if o.field(key) {
		o.buf = append(appendSeconds(append(o.buf, '"'), t), zone...)
		o.buf = append(o.buf, '"')
	}
}

// What follows the seconds, by form.
const (
	zulu       = "Z"
	zuluMillis = ".000Z"
	zuluMicros = ".000000Z"
	plusZero   = "+00:00"
)
