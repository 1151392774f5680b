package api

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"rollcall/internal/access"
	"rollcall/internal/directory"
)

// errBeyondMirror says that the mirror could only guess what Tallyfy would
// answer.
var errBeyondMirror = errors.New("the mirror cannot answer this exactly")

// maxIncluded bounds an answer in which groups are written out at each of
// their members.
const maxIncluded = 32 << 20

// orForwarded lets h answer from the mirror what it can answer exactly, from
// rows as fresh as the request wants them. Anything else goes upstream rather
// than being guessed.
func (s *server) orForwarded(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		switch {
		case errors.Is(err, errBeyondMirror):
			return s.forwardRead(w, r)
		case isTooStale(err) && s.permit(r, access.ForwardRead) == nil:
			return s.forward(w, r)
		}
		return err
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
	return s.payloadList(w, r, asked, func() (tallyfyPage, error) {
		return plainPage(s.Mirror.GroupPayloads(r.Context(), asked.PayloadQuery))
	})
}

func (s *server) memberList(w http.ResponseWriter, r *http.Request) error {
	asked, ok := tallyfyUsers.parse(r.URL.RawQuery)
	if !ok {
		return errBeyondMirror
	}
	return s.payloadList(w, r, asked, func() (tallyfyPage, error) {
		if asked.withGroups {
			return pageWithGroups(s.Mirror.MembersWithGroups(r.Context(), asked.PayloadQuery, maxIncluded))
		}
		return plainPage(s.Mirror.MemberPayloads(r.Context(), asked.PayloadQuery))
	})
}

func (s *server) groupPayload(w http.ResponseWriter, r *http.Request) error {
	if query, ok := parseSingles(r.URL.RawQuery); !ok || len(query) > 0 {
		return errBeyondMirror
	}
	id := r.PathValue("id")
	return s.payload(w, r, rows{group: id}, func() (tallyfyPage, error) {
		return plainRow(s.Mirror.GroupPayload(r.Context(), id))
	})
}

func (s *server) memberPayload(w http.ResponseWriter, r *http.Request) error {
	query, ok := parseSingles(r.URL.RawQuery)
	withGroups := len(query) == 1 && query.Get("with") == "groups"
	if !ok || len(query) > 0 && !withGroups {
		return errBeyondMirror
	}
	id, unreadable := strconv.ParseInt(r.PathValue("id"), 10, 64)
	of := rows{member: id}
	if withGroups {
		of = allRows
	}
	return s.payload(w, r, of, func() (tallyfyPage, error) {
		switch {
		case unreadable != nil:
			return tallyfyPage{}, directory.ErrUnknownPerson
		case withGroups:
			return pageWithGroups(s.Mirror.MemberWithGroups(r.Context(), id, maxIncluded))
		}
		return plainRow(s.Mirror.MemberPayload(r.Context(), id))
	})
}

// payload answers with the only row of a page, which is made of the rows of.
func (s *server) payload(w http.ResponseWriter, r *http.Request, of rows, read func() (tallyfyPage, error)) error {
	found, err := fresh(s, r, read, func(tallyfyPage) rows { return of })
	if err != nil {
		return err
	}
	if s.isNotModified(w, r, found.Freshness, scopeRow) {
		return nil
	}
	body := make([]byte, 0, found.bytes+len(`{"data":}`))
	body = append(found.append(append(body, `{"data":`...), 0), '}')
	writeBody(w, http.StatusOK, "application/json", body)
	return nil
}

func (s *server) payloadList(w http.ResponseWriter, r *http.Request, asked listAsked, read func() (tallyfyPage, error)) error {
	page, err := fresh(s, r, read, everything)
	if err != nil {
		return err
	}
	if s.isNotModified(w, r, page.Freshness, scopeList) {
		return nil
	}
	meta, err := encode(asked.meta(page.total, page.count, s.origin(r)+r.URL.EscapedPath(), asked.query))
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, "application/json", envelope(page.tallyfyRows, bytes.TrimSpace(meta)))
	return nil
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
