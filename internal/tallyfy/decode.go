package tallyfy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"rollcall/internal/directory"
)

// decodeEnvelope reads `{"data": …}` as a stream. It hands the decoder to
// data, and the value of `meta`, which may come before or after, to meta;
// other keys are skipped. The whole body must be one JSON object.
func decodeEnvelope(body io.Reader, data func(*json.Decoder) error, meta func(json.RawMessage)) error {
	dec := json.NewDecoder(body)
	if err := expect(dec, '{', "the answer is no object"); err != nil {
		return err
	}
	found := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return bodyError(err)
		}
		if key == "data" && found {
			return shapeError("`data` comes twice")
		}
		if key == "data" {
			found = true
			if err := data(dec); err != nil {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return bodyError(err)
		}
		if key == "meta" {
			meta(value)
		}
	}
	return endEnvelope(dec, found)
}

func endEnvelope(dec *json.Decoder, found bool) error {
	if _, err := dec.Token(); err != nil { // the closing brace
		return bodyError(err)
	}
	if !found {
		return shapeError("`data` is missing")
	}
	switch _, err := dec.Token(); {
	case err == nil:
		return &directory.UpstreamError{Reason: directory.ReasonNotJSON, Err: errors.New("something follows the JSON")}
	case err != io.EOF:
		return bodyError(err)
	}
	return nil
}

// decodeList calls row with each element of `data`. The bytes are valid until
// row returns.
func decodeList(body io.Reader, row func(raw []byte) error) (*directory.Pagination, error) {
	var page *directory.Pagination
	err := decodeEnvelope(body, func(dec *json.Decoder) error {
		if err := expect(dec, '[', "`data` is no array"); err != nil {
			return err
		}
		var raw json.RawMessage
		for n := 1; dec.More(); n++ {
			if err := dec.Decode(&raw); err != nil {
				return bodyError(err)
			}
			if err := row(raw); err != nil {
				return rowError(n, err)
			}
		}
		_, err := dec.Token()
		return bodyError(err)
	}, func(meta json.RawMessage) { page = pagination(meta) })
	return page, err
}

// decodeOne calls row with `data`, an object.
func decodeOne(body io.Reader, row func(raw []byte) error) error {
	return decodeEnvelope(body, func(dec *json.Decoder) error {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return bodyError(err)
		}
		if raw[0] != '{' {
			return shapeError("`data` is no object")
		}
		return row(raw)
	}, func(json.RawMessage) {})
}

// expect reads an opening bracket. JSON of another kind has the wrong shape;
// what does not even begin as JSON is none.
func expect(dec *json.Decoder, bracket json.Delim, what string) error {
	switch token, err := dec.Token(); {
	case err == io.EOF:
		return &directory.UpstreamError{Reason: directory.ReasonNotJSON, Err: errors.New("the answer is empty")}
	case err != nil:
		return bodyError(err)
	case token != bracket:
		return shapeError(what)
	}
	return nil
}

func shapeError(what string) error {
	return &directory.UpstreamError{Reason: directory.ReasonShape, Err: errors.New(what)}
}

// bodyError classes a failure to read a body as JSON. Errors of the decoder
// may quote the body, so they are replaced.
func bodyError(err error) error {
	if err == nil {
		return nil
	}
	e := &directory.UpstreamError{Reason: directory.ReasonTransport, Err: err}
	_, syntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e.Err = errCut
	case errors.Is(err, errTooLarge):
		e.Reason = directory.ReasonTooLarge
	case errors.Is(err, errSlow):
		e.Reason = directory.ReasonTimeout
	case syntax:
		e.Reason, e.Err = directory.ReasonNotJSON, errors.New("the answer is not JSON")
	default:
		e.Err = fmt.Errorf("%w: %w", errCut, err)
	}
	return e
}

func rowError(n int, err error) error {
	if up, ok := errors.AsType[*directory.UpstreamError](err); ok {
		return &directory.UpstreamError{Reason: up.Reason, Err: fmt.Errorf("row %d: %s: %w", n, up.Op, up.Err)}
	}
	return err
}

// pagination reads `meta`: an object with `pagination`, whose numbers may be
// strings. Without a total that can be read there is none.
func pagination(meta json.RawMessage) *directory.Pagination {
	var outer, inner map[string]json.RawMessage
	if json.Unmarshal(meta, &outer) != nil || json.Unmarshal(outer["pagination"], &inner) != nil {
		return nil
	}
	total, ok := count(inner["total"])
	if !ok {
		return nil
	}
	current, _ := count(inner["current_page"])
	pages, _ := count(inner["total_pages"])
	return &directory.Pagination{Total: total, CurrentPage: current, TotalPages: pages}
}

func count(raw json.RawMessage) (int, bool) {
	digits := string(raw)
	if unquoted, err := strconv.Unquote(digits); err == nil {
		digits = unquoted
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	return int(n), err == nil
}

// A bounded reader fails with errTooLarge after its limit instead of ending,
// and goes on failing.
type bounded struct {
	body io.Reader
	left int64 // below zero once the limit was passed
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.body.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
