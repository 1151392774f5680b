package tallyfysim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"rollcall/internal/tallyfysim"
)

// reply is an answer as a test looks at it.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any // nil unless raw is a JSON object
}

// data is the object under data.
func (r reply) data(t *testing.T) map[string]any {
	t.Helper()
	m, ok := r.body["data"].(map[string]any)
	if !ok {
		t.Fatalf("no object under data: %d %s", r.status, r.raw)
	}
	return m
}

// rows are the objects under data.
func (r reply) rows(t *testing.T) []map[string]any {
	t.Helper()
	list, ok := r.body["data"].([]any)
	if !ok {
		t.Fatalf("no list under data: %d %s", r.status, r.raw)
	}
	rows := make([]map[string]any, 0, len(list))
	for _, row := range list {
		rows = append(rows, row.(map[string]any))
	}
	return rows
}

// column is one field of every row.
func (r reply) column(t *testing.T, key string) []any {
	t.Helper()
	var out []any
	for _, row := range r.rows(t) {
		out = append(out, row[key])
	}
	return out
}

func (r reply) pagination(t *testing.T) map[string]any {
	t.Helper()
	meta, _ := r.body["meta"].(map[string]any)
	p, ok := meta["pagination"].(map[string]any)
	if !ok {
		t.Fatalf("no meta.pagination: %s", r.raw)
	}
	return p
}

// newRequest is complete: with token, client and content type. A path that
// begins with ./ is below the organisation.
func newRequest(t *testing.T, s *tallyfysim.Sim, method, path, body string) *http.Request {
	t.Helper()
	if below, ok := strings.CutPrefix(path, "./"); ok {
		path = "/organizations/" + s.Organization() + "/" + below
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://tallyfy.test"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Token())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Tallyfy-Client", "APIClient")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func send(t *testing.T, s *tallyfysim.Sim, req *http.Request) reply {
	t.Helper()
	res, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL.Path, err)
	}
	r := reply{status: res.StatusCode, header: res.Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &r.body)
	return r
}

func ask(t *testing.T, s *tallyfysim.Sim, method, path, body string) reply {
	t.Helper()
	return send(t, s, newRequest(t, s, method, path, body))
}

func get(t *testing.T, s *tallyfysim.Sim, path string) reply {
	t.Helper()
	return ask(t, s, http.MethodGet, path, "")
}

// want fails unless the answer has the status and, with a text, holds it.
func (r reply) want(t *testing.T, status int, text string) reply {
	t.Helper()
	if r.status != status || !strings.Contains(r.raw, text) {
		t.Fatalf("got %d %s, want %d with %q", r.status, r.raw, status, text)
	}
	return r
}

// person adds a standard user of that name and returns its id.
func person(s *tallyfysim.Sim, name string) int64 {
	return s.CreateUser(tallyfysim.User{Email: name + "@works.test", FirstName: name, LastName: "Brindlecot"})
}
