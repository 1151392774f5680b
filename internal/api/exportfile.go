package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rollcall/internal/directory"
)

// sending answers with a file. Once it has begun, what goes wrong cuts the
// connection, so that nobody takes a part for the whole.
func (s *server) sending(r *http.Request, q directory.ExportQuery) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		_, w := humago.Unwrap(ctx)
		out := &begun{ResponseWriter: w}
		if err := s.sendFile(out, r, q); err != nil && !out.hasBegun {
			for name := range fileHeaders() {
				w.Header().Del(name)
			}
			s.fail(w, r, err)
		} else if err != nil {
			_ = s.finish(r, err) // for the log
			panic(http.ErrAbortHandler)
		}
	}}
}

// A begun writer knows whether an answer has begun.
type begun struct {
	http.ResponseWriter
	hasBegun bool
}

func (w *begun) WriteHeader(status int) {
	w.hasBegun = true
	w.ResponseWriter.WriteHeader(status)
}

func (w *begun) Write(b []byte) (int, error) {
	w.hasBegun = true
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *begun) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// sendFile answers with a whole file that is kept, with one that is made for this
// caller, or with rows as they are read.
func (s *server) sendFile(w http.ResponseWriter, r *http.Request, q directory.ExportQuery) error {
	now, err := fresh(s, r, func() (directory.Freshness, error) { return s.Mirror.State(r.Context(), nil, q.AsOf) }, everything)
	if err != nil {
		return err
	}
	q.Pin = now.Pin()
	if isWhole(r) {
		return s.sendKept(w, r, q, now)
	}
	etag := s.fileETag(r, now)
	setFileHeaders(w, r, q.Export, now, etag)
	switch {
	case isRefused(r, etag):
		return otherFile()
	case isKnown(r, "W/"+etag):
		w.WriteHeader(http.StatusNotModified)
		return nil
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return nil
	case q.Table == snapshotTable:
		return s.sendOnce(w, r, q)
	}
	return s.logged(r, q, func() error { return s.Exports.Stream(r.Context(), patientWriter(w), q) })
}

// isWhole reports whether a file is asked for that is worth keeping: neither
// filtered nor of the past.
func isWhole(r *http.Request) bool {
	for name := range r.URL.Query() {
		if name != "excel" && name != "pseudonymize" {
			return false
		}
	}
	return true
}

// sendKept answers with the present file or, where the caller names it for
// the rest of it, with the one of the revision before. Nothing is made for
// who does not want the rows.
func (s *server) sendKept(w http.ResponseWriter, r *http.Request, q directory.ExportQuery, now directory.Freshness) error {
	file, isEarlier := s.earlier(r, q.Export, now)
	if !isEarlier {
		etag := s.fileETag(r, now)
		setFileHeaders(w, r, q.Export, now, etag)
		isUnmodified := s.isUnmodified(r, now)
		switch {
		case isRefused(r, etag):
			return otherFile()
		case isKnown(r, "W/"+etag), isUnmodified:
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		var err error
		if file, err = s.wholeFile(r, q.Export, now); err != nil {
			return err
		}
		if file == nil {
			w.WriteHeader(http.StatusOK)
			return nil
		}
	}
	defer func() { _ = file.Close() }()
	if file.Pin() == now.Pin() {
		file.ConfirmedAt = now.ConfirmedAt // later than when it was made
	}
	return s.serve(w, r, q, file)
}

// wholeFile is nil where HEAD would have to make it.
func (s *server) wholeFile(r *http.Request, x directory.Export, now directory.Freshness) (*directory.KeptFile, error) {
	if r.Method == http.MethodHead {
		file, _ := s.Exports.Kept(r.Context(), x, now.Revision)
		return file, nil
	}
	return s.Exports.Keep(r.Context(), x)
}

// serve sends a file, or the part of it that is wanted. The dates of requests
// were looked at before: two revisions may be of one second.
func (s *server) serve(w http.ResponseWriter, r *http.Request, q directory.ExportQuery, file *directory.KeptFile) error {
	r.Header.Del("If-Modified-Since")
	if given := r.Header.Get("If-Range"); given != "" && !strings.HasPrefix(given, `"`) {
		r.Header.Del("Range")
	}
	setFileHeaders(w, r, q.Export, file.Freshness, s.fileETag(r, file.Freshness))
	size, err := file.Content.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience + time.Duration(size/slowest)*time.Second))
	send := func() error {
		http.ServeContent(w, r, "", file.PublishedAt, file.Content)
		return nil
	}
	if r.Method == http.MethodHead {
		return send()
	}
	q.Pin = file.Pin()
	return s.logged(r, q, send)
}

func (s *server) sendOnce(w http.ResponseWriter, r *http.Request, q directory.ExportQuery) error {
	file, err := s.Exports.Once(r.Context(), q)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return s.logged(r, q, func() error {
		_, err := io.Copy(patientWriter(w), file.Content)
		return err
	})
}

// earlier finds the file that the caller names by If-Range or If-Match, where
// that is not the present one and is still kept.
func (s *server) earlier(r *http.Request, x directory.Export, now directory.Freshness) (*directory.KeptFile, bool) {
	for _, name := range []string{"If-Match", "If-Range"} {
		given := strings.TrimSpace(r.Header.Get(name))
		number, _, _ := strings.Cut(strings.TrimPrefix(given, `"`), "-")
		revision, err := strconv.ParseInt(number, 10, 64)
		if err != nil || revision == now.Revision {
			continue
		}
		file, isKept := s.Exports.Kept(r.Context(), x, revision)
		if isKept && s.fileETag(r, file.Freshness) == given {
			return file, true
		}
		if isKept {
			_ = file.Close()
		}
	}
	return nil, false
}

// isUnmodified reports whether the caller has the present file by its date.
// Where the revision before was published in the same second, that date tells
// nothing.
func (s *server) isUnmodified(r *http.Request, now directory.Freshness) bool {
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	published := now.PublishedAt.Truncate(time.Second)
	if err != nil || r.Header.Get("If-None-Match") != "" || !since.Equal(published) {
		return false
	}
	if now.Revision == 1 {
		return true
	}
	before, err := s.Mirror.State(r.Context(), nil, &directory.AsOf{Revision: now.Revision - 1})
	return err == nil && !before.PublishedAt.Truncate(time.Second).Equal(published)
}

// fileETag names a file: of which state it is, what was asked, and the program
// that wrote it. It begins with the revision.
func (s *server) fileETag(r *http.Request, f directory.Freshness) string {
	return fmt.Sprintf(`"%d-%s`, f.Revision, strings.TrimPrefix(s.etag(f, canonical(r.URL)), `W/"`))
}

// isRefused reports whether If-Match names other files alone.
func isRefused(r *http.Request, etag string) bool {
	lines := r.Header["If-Match"]
	for _, line := range lines {
		for candidate := range strings.SplitSeq(line, ",") {
			if candidate = strings.TrimSpace(candidate); candidate == etag || candidate == "*" {
				return false
			}
		}
	}
	return len(lines) > 0
}

func otherFile() *Problem {
	return newProblem(http.StatusPreconditionFailed, preconditionFailed,
		"If-Match names a file that is neither the present one nor kept any more: begin again without it.")
}

func setFileHeaders(w http.ResponseWriter, r *http.Request, x directory.Export, f directory.Freshness, etag string) {
	setReadHeaders(w, r, f, etag)
	h := w.Header()
	h.Set("Content-Type", contentTypes[x.Format])
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.%s"`, x.Table, x.Format))
	h.Set("Last-Modified", f.PublishedAt.UTC().Format(http.TimeFormat))
}

// logged has rows sent and tells who got them.
func (s *server) logged(r *http.Request, q directory.ExportQuery, send func() error) error {
	err := send()
	s.Logger.InfoContext(r.Context(), "export", "table", q.Table, "format", q.Format, "revision", q.Pin.Revision, "pseudonymized", q.Pseudonymize,
		"complete", err == nil && context.Cause(r.Context()) == nil, "actor", Actor(r.Context()), "request_id", RequestID(r.Context()))
	return err
}

// A client may take as long for a file as it would at slowest bytes a second;
// of rows that are written as they are read, patience for each piece.
const (
	patience = 5 * time.Minute
	slowest  = 32 << 10
)

// A patient writer gives the client time for each piece.
type patient struct {
	w       io.Writer
	control *http.ResponseController
}

func patientWriter(w http.ResponseWriter) io.Writer {
	return patient{w, http.NewResponseController(w)}
}

func (p patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience))
	return p.w.Write(b)
}
