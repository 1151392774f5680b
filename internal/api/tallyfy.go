package api

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"time"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// errBeyondMirror says that the mirror could only guess what Tallyfy would
// answer.
var errBeyondMirror = errors.New("the mirror cannot answer this exactly")

// maxIncluded bounds an answer in which groups are written out at each of
// their members.
const maxIncluded = 32 << 20

// orForwarded lets h answer from the mirror what it can answer exactly.
// Anything else goes upstream rather than being guessed.
func (s *server) orForwarded(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := h(w, r); !errors.Is(err, errBeyondMirror) {
			return err
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
	asked, ok := tallyfyGroups.parse(r.URL.RawQuery)
	if !ok {
		return errBeyondMirror
	}
	page, err := s.Mirror.GroupPayloads(r.Context(), asked.PayloadQuery)
	if err != nil {
		return err
	}
	return s.payloadList(w, r, asked, page, plainRows(page.Rows))
}

func (s *server) memberList(w http.ResponseWriter, r *http.Request) error {
	asked, ok := tallyfyUsers.parse(r.URL.RawQuery)
	switch {
	case !ok:
		return errBeyondMirror
	case asked.withGroups:
		found, err := s.Mirror.MembersWithGroups(r.Context(), asked.PayloadQuery, maxIncluded)
		if err != nil {
			return orBeyond(err)
		}
		return s.payloadList(w, r, asked, found.PayloadPage, rowsWithGroups(found))
	}
	page, err := s.Mirror.MemberPayloads(r.Context(), asked.PayloadQuery)
	if err != nil {
		return err
	}
	return s.payloadList(w, r, asked, page, plainRows(page.Rows))
}

func orBeyond(err error) error {
	if errors.Is(err, directory.ErrTooLarge) {
		return errBeyondMirror
	}
	return err
}

func (s *server) groupPayload(w http.ResponseWriter, r *http.Request) error {
	if query, ok := parseSingles(r.URL.RawQuery); !ok || len(query) > 0 {
		return errBeyondMirror
	}
	found, err := s.Mirror.GroupPayload(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.payload(w, r, found.Freshness, plainRows([][]byte{found.Row}))
}

func (s *server) memberPayload(w http.ResponseWriter, r *http.Request) error {
	query, ok := parseSingles(r.URL.RawQuery)
	withGroups := len(query) == 1 && query.Get("with") == "groups"
	if !ok || len(query) > 0 && !withGroups {
		return errBeyondMirror
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return directory.ErrUnknownPerson
	}
	if withGroups {
		found, err := s.Mirror.MemberWithGroups(r.Context(), id, maxIncluded)
		if err != nil {
			return orBeyond(err)
		}
		return s.payload(w, r, found.Freshness, rowsWithGroups(found))
	}
	found, err := s.Mirror.MemberPayload(r.Context(), id)
	if err != nil {
		return err
	}
	return s.payload(w, r, found.Freshness, plainRows([][]byte{found.Row}))
}

// payload answers with the only one of rows.
func (s *server) payload(w http.ResponseWriter, r *http.Request, f directory.Freshness, rows tallyfyRows) error {
	if s.isNotModified(w, r, f, canonical(r.URL)) {
		return nil
	}
	body := make([]byte, 0, rows.bytes+len(`{"data":}`))
	body = append(rows.append(append(body, `{"data":`...), 0), '}')
	writeBody(w, http.StatusOK, "application/json", body)
	return nil
}

func (s *server) payloadList(w http.ResponseWriter, r *http.Request, asked listAsked, page directory.PayloadPage, rows tallyfyRows) error {
	origin := s.origin(r)
	if s.isNotModified(w, r, page.Freshness, origin+canonical(r.URL)) {
		return nil
	}
	meta, err := encode(asked.meta(page.Total, rows.count, origin+r.URL.EscapedPath(), asked.query))
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, "application/json", envelope(rows, bytes.TrimSpace(meta)))
	return nil
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
