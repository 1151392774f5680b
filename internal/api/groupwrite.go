package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"rollcall/internal/directory"
)

// writeGroup sends a write on groups upstream as it came. Its answer goes
// back as it came, after the mirror's copy was seen to.
func (s *server) writeGroup(w http.ResponseWriter, r *http.Request) error {
	return s.writeRow(w, r, s.Writer.Group)
}

// userWrites are the documented writes on users
// (https://tallyfy.com/products/pro/integrations/open-api/code-samples/members/).
// All others are forwarded.
var userWrites = []string{
	"POST /users/invite",
	"PUT /users/{id}",
	"PUT /users/{id}/role",
	"PUT /users/{id}/enable",
	"DELETE /users/{id}/disable",
	"DELETE /users/{id}",
	"DELETE /users/{id}/delete",
	"PUT /users/{id}/to/guest",
}

// otherWrites are those on the caller's own user and on guests.
var otherWrites = []string{
	"PUT /me",
	"PUT /guests/{email}/enable",
	"DELETE /guests/{email}/disable",
	"DELETE /guests/{email}",
	"POST /guests/{email}/to/member",
}

// writePerson is writeGroup for users and guests.
func (s *server) writePerson(w http.ResponseWriter, r *http.Request) error {
	return s.writeRow(w, r, s.Writer.Person)
}

func (s *server) writeRow(w http.ResponseWriter, r *http.Request, send func(context.Context, *http.Request, []byte) (*directory.Outcome, error)) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	out := r.Clone(r.Context())
	out.URL = below(r.URL)
	outcome, err := send(r.Context(), out, body)
	infoOf(r.Context()).told = true
	if _, sent := errors.AsType[*directory.UpstreamError](err); sent && mayHaveActed(err) {
		return unknownOutcome(err)
	}
	if err == nil {
		err = s.heed(r, outcome.Status)
	}
	if err != nil {
		return err
	}
	return writeOutcome(w, outcome)
}

// writeOutcome passes upstream's answer on, and says whether reads show the
// write already.
func writeOutcome(w http.ResponseWriter, outcome *directory.Outcome) error {
	body := outcome.Body
	header := w.Header()
	dropPrivate(outcome.Header)
	takeOver(header, outcome.Header)
	if mustBeDull(outcome.Status) {
		var err error
		if body, err = dullBody(outcome.Status); err != nil {
			return err
		}
		header.Set("Content-Type", "application/json")
		header.Del("Content-Encoding")
	}
	header.Del("Content-Length")
	header.Add("Cache-Status", "rollcall; fwd=method")
	if outcome.Refresh == directory.RefreshPending {
		header.Set("Rollcall-Refresh", string(outcome.Refresh))
	}
	if outcome.Refresh == directory.RefreshApplied && outcome.Revision > 0 {
		header.Set("Rollcall-Revision", strconv.FormatInt(outcome.Revision, 10))
		header.Set("Rollcall-Epoch", outcome.Epoch)
	}
	w.WriteHeader(outcome.Status)
	_, _ = w.Write(body) // the client may have gone
	return nil
}

// readBody reads a whole body of at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); err != nil && !tooLong {
		p := newProblem(http.StatusBadRequest, blank, "The body could not be read to its end.")
		p.cause = err
		return nil, p
	}
	return body, err
}
