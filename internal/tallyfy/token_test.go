package tallyfy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall/internal/directory"
)

// onlyToken answers 401 to every token but one.
func onlyToken(token *string) *upstream {
	return &upstream{answer: func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+*token {
			answer(401, `{"message":"Unauthenticated."}`)(w, r)
			return
		}
		answer(200, emptyList)(w, r)
	}}
}

func tokenFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	writeToken(t, path, content)
	return path
}

func writeToken(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheTokenFileIsReadAgainAfterA401(t *testing.T) {
	valid := "first"
	path := tokenFile(t, "first\n")
	up := onlyToken(&valid)
	c := newClient(t, up, func(o *Options) { o.Token = FileToken(path) })
	if _, err := c.GroupPage(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	valid = "second"
	writeToken(t, path, " second \r\n")
	if _, err := c.GroupPage(t.Context(), 1); err != nil || up.count() != 3 {
		t.Errorf("%v after %d requests", err, up.count())
	}
}

func TestARefusedTokenIsTriedOnce(t *testing.T) {
	valid := "other"
	up := onlyToken(&valid)
	c := newClient(t, up, func(o *Options) { o.Token = FileToken(tokenFile(t, testToken)) })
	_, err := c.GroupPage(t.Context(), 1)
	if wantReason(t, err, directory.ReasonUnauthorized); up.count() != 1 {
		t.Errorf("%d requests", up.count())
	}
	up = onlyToken(&valid)
	_, err = newClient(t, up).GroupPage(t.Context(), 1)
	if wantReason(t, err, directory.ReasonUnauthorized); up.count() != 1 {
		t.Errorf("%d requests", up.count())
	}
}

func TestAnUnusableTokenSendsNothing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	for name, source := range map[string]TokenSource{
		"empty":        StaticToken(" "),
		"two words":    StaticToken("very.secret-token two"),
		"line break":   StaticToken("very.secret-token\nX-Evil: 1"),
		"not ASCII":    StaticToken("very.secret-tokenß"),
		"empty file":   FileToken(tokenFile(t, "\n")),
		"two lines":    FileToken(tokenFile(t, "very.secret-token\nvery.secret-token\n")),
		"missing file": FileToken(missing),
		"a folder":     FileToken(t.TempDir()),
	} {
		up := always(200, emptyList)
		_, err := newClient(t, up, func(o *Options) { o.Token = source }).GroupPage(t.Context(), 1)
		if wantReason(t, err, directory.ReasonUnauthorized); up.count() != 0 {
			t.Errorf("%s: sent a request", name)
		}
	}
}

func TestAForwardedRequestWithOurTokenTellsThatItIsRefused(t *testing.T) {
	valid := "second"
	path := tokenFile(t, "first")
	c := newClient(t, onlyToken(&valid), func(o *Options) { o.Token = FileToken(path) })
	writeLater := func(token string) int {
		r := post(t)
		if token == "" {
			if err := c.Authorize(t.Context(), r.Header); err != nil {
				t.Fatal(err)
			}
		} else {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := c.Forward(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	if got := writeLater(""); got != 401 {
		t.Errorf("first: %d", got)
	}
	writeToken(t, path, "second")
	if got := writeLater("a caller's"); got != 401 {
		t.Errorf("a caller's token: %d", got)
	}
	if got := writeLater(""); got != 200 {
		t.Errorf("after the file changed: %d", got)
	}
}

func TestTheTokenIsNeverPrinted(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	synctest.Test(t, func(t *testing.T) {
		for _, source := range []TokenSource{StaticToken(testToken), FileToken(tokenFile(t, testToken))} {
			for _, up := range []http.RoundTripper{always(401, testToken), always(429, testToken), always(500, testToken), &failing{err: context.DeadlineExceeded}} {
				o := Options{BaseURL: "https://tallyfy.test", Organization: testOrg, Token: source, Transport: up, Logger: logger}
				c, err := New(o)
				if err != nil {
					t.Fatal(err)
				}
				_, pageErr := c.GroupPage(t.Context(), 1)
				_, rowErr := c.Member(t.Context(), 7)
				encoded, _ := json.Marshal([]any{source, pageErr})
				logger.Info("all", "options", o, "source", source, "client", c, "error", pageErr, "row", rowErr, "encoded", string(encoded))
				fmt.Fprintf(&logged, "%v %+v %#v %s %v %+v %v %+v %#v", source, source, source, source, o, o, c, c, pageErr)
			}
		}
	})
	if !strings.Contains(logged.String(), redacted) || strings.Contains(logged.String(), testToken) {
		t.Errorf("printed %s", logged.String())
	}
}
