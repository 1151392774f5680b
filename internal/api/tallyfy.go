package api

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// orForwarded lets h answer from the mirror what it can answer exactly: a
// request with none but the known parameters. Anything else goes upstream
// rather than being guessed.
func (s *server) orForwarded(h handler, known ...string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if onlyKnown(r.URL.RawQuery, known) {
			return h(w, r)
		}
		return s.forwardRead(w, r)
	}
}

// forwardRead has Tallyfy answer a read, if the caller may ask there.
func (s *server) forwardRead(w http.ResponseWriter, r *http.Request) error {
	if err := s.permit(r, access.ForwardRead); err != nil {
		return err
	}
	return s.forward(w, r)
}

func (s *server) groupList(w http.ResponseWriter, r *http.Request) error {
	return s.payloadList(w, r, pageSize{10, 100}, s.Mirror.GroupPayloads)
}

func (s *server) memberList(w http.ResponseWriter, r *http.Request) error {
	return s.payloadList(w, r, pageSize{9999, 9999}, s.Mirror.MemberPayloads)
}

func (s *server) groupPayload(w http.ResponseWriter, r *http.Request) error {
	found, err := s.Mirror.GroupPayload(r.Context(), r.PathValue("id"))
	return s.payload(w, r, found, err)
}

func (s *server) memberPayload(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return directory.ErrUnknownPerson
	}
	found, err := s.Mirror.MemberPayload(r.Context(), id)
	return s.payload(w, r, found, err)
}

func (s *server) payload(w http.ResponseWriter, r *http.Request, found directory.Found[[]byte], err error) error {
	if err != nil {
		return err
	}
	if s.isNotModified(w, r, found.Freshness, canonical(r.URL)) {
		return nil
	}
	var body bytes.Buffer
	body.Grow(len(found.Row) + len(`{"data":}`))
	body.WriteString(`{"data":`)
	body.Write(found.Row)
	body.WriteByte('}')
	writeBody(w, http.StatusOK, "application/json", body.Bytes())
	return nil
}

// payloadList answers with rows as upstream sent them; they are joined, not
// encoded again.
func (s *server) payloadList(w http.ResponseWriter, r *http.Request, size pageSize, list func(context.Context, directory.PayloadQuery) (directory.PayloadPage, error)) error {
	query := r.URL.Query()
	asked := size.parse(query)
	page, err := list(r.Context(), directory.PayloadQuery{Offset: asked.offset(), Limit: asked.perPage})
	if err != nil {
		return err
	}
	origin := s.origin(r)
	if s.isNotModified(w, r, page.Freshness, origin+canonical(r.URL)) {
		return nil
	}
	meta, err := encode(asked.meta(page.Total, len(page.Rows), origin+r.URL.EscapedPath(), query))
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, "application/json", envelope(page.Rows, bytes.TrimSpace(meta)))
	return nil
}

func envelope(rows [][]byte, pagination []byte) []byte {
	const head, middle, tail = `{"data":[`, `],"meta":{"pagination":`, `}}`
	size := len(head) + len(middle) + len(tail) + len(pagination) + len(rows)
	for _, row := range rows {
		size += len(row)
	}
	body := append(make([]byte, 0, size), head...)
	for i, row := range rows {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, row...)
	}
	body = append(append(body, middle...), pagination...)
	return append(body, tail...)
}

// isNotModified sets the headers of a read and, if the caller has the answer
// already, sends 304 with them.
func (s *server) isNotModified(w http.ResponseWriter, r *http.Request, f directory.Freshness, query string) bool {
	etag := s.etag(f, query)
	freshnessOf(f, time.Now()).set(w.Header())
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", cacheControl)
	w.Header().Set("Vary", vary)
	if !isKnown(r, etag) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

// origin is scheme, host and base path under which the client reached us.
func (s *server) origin(r *http.Request) string {
	switch {
	case s.PublicURL != nil:
		return s.PublicURL.Scheme + "://" + s.PublicURL.Host + s.basePath()
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
