package promises_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"rollcall/internal/directory"
	"rollcall/internal/payload"
	"rollcall/internal/tallyfysim"
)

// A caller asks a program over HTTP, with a token of its own.
type caller struct {
	base, organization, token string
	http                      *http.Client
}

func newCaller(t *testing.T, p *program, sim *tallyfysim.Sim) *caller {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{p.url(), sim.Organization(), sim.Token(), &http.Client{Transport: transport}}
}

// An answer is one that came whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (c *caller) do(method, path string, body any) (answer, error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	request, err := http.NewRequest(method, c.base+path, bytes.NewReader(sent))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, got}, err
}

// groupsPath is Tallyfy's own for groups.
func (c *caller) groupsPath() string { return "/organizations/" + c.organization + "/groups" }

// groups reads all groups as Tallyfy's clients do.
func (c *caller) groups() (map[string]string, error) {
	shown := map[string]string{}
	for page := 1; ; page++ {
		got, err := c.do("GET", fmt.Sprintf("%s?per_page=100&page=%d", c.groupsPath(), page), nil)
		if err != nil {
			return nil, err
		}
		if got.status == http.StatusServiceUnavailable {
			return shown, nil // no data yet
		}
		var list struct{ Data []json.RawMessage }
		if err := json.Unmarshal(got.body, &list); err != nil || got.status != http.StatusOK {
			return nil, fmt.Errorf("%d %s: %w", got.status, got.body, err)
		}
		for _, raw := range list.Data {
			g, err := payload.DecodeGroup(raw, directory.ListForm)
			if err != nil {
				return nil, err
			}
			shown[g.ID] = wordsOfGroup(g.Name, text(g.Description), g.Members, g.Guests)
		}
		if len(list.Data) == 0 {
			return shown, nil
		}
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// waitFor waits for a state and the reason of the last error.
func (c *caller) waitFor(t *testing.T, p *program, state, reason string) {
	t.Helper()
	var now struct {
		Data struct {
			State     string
			LastError *struct{ Reason, Message string } `json:"last_error"`
		}
	}
	for range 1200 {
		got, err := c.do("GET", "/v1/status", nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, p.log)
		}
		now.Data.LastError = nil
		if err := json.Unmarshal(got.body, &now); err != nil {
			t.Fatalf("%v: %s", err, got.body)
		}
		if now.Data.State == state && (reason == "" || now.Data.LastError != nil && now.Data.LastError.Reason == reason) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("state %s, last error %+v; want %s %s\n%s", now.Data.State, now.Data.LastError, state, reason, p.log)
}
