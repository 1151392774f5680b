package tallyfy

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/internal/directory"
)

// The bodies in which Tallyfy reports errors, and what stands in front of it.
var errorBodies = map[string]string{
	"error, message, code":     `{"error":true,"message":"API endpoint not found SECRET","code":"ENDPOINT_NOT_FOUND"}`,
	"message alone":            `{"message":"Unauthenticated. SECRET"}`,
	"message and other code":   `{"message":"SECRET","code":"UNAUTHENTICATED_SECRET"}`,
	"errors without message":   `{"error":true,"errors":{"name":["SECRET"]}}`,
	"message and errors":       `{"message":"The given data was invalid.","errors":{"name":"SECRET","members":{"0":["SECRET"]}}}`,
	"error object":             `{"error":{"code":"SEAT_POOL_EXHAUSTED","message":"SECRET","details":{"pool_type":"full"}}}`,
	"error word":               `{"error":"invalid_client","error_description":"SECRET"}`,
	"edge":                     `{"error":"SECRET","message":"Permission denied. Error code: apsh213."}`,
	"text":                     `Unauthorized. SECRET`,
	"html":                     `<html><body>SECRET</body></html>`,
	"empty":                    ``,
	"array":                    `["SECRET"]`,
	"null":                     `null`,
	"code of another kind":     `{"code":404,"error":[]}`,
	"code of a third kind":     `{"code":{"code":"RESOURCE_NOT_FOUND"},"error":null}`,
	"broken":                   `{"code":"RESOURCE_NOT_FOUND"`,
	"larger than anyone reads": `{"message":"` + strings.Repeat("SECRET", 100_000) + `"}`,
}

var codesOfBodies = map[string]string{"error, message, code": "ENDPOINT_NOT_FOUND", "error object": "SEAT_POOL_EXHAUSTED"}

func TestEveryErrorBodyIsUnderstood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, want := range map[int]directory.Reason{
			400: directory.ReasonRefused,
			401: directory.ReasonUnauthorized,
			402: directory.ReasonRefused,
			403: directory.ReasonForbidden,
			404: directory.ReasonNotFound,
			409: directory.ReasonRefused,
			422: directory.ReasonRefused,
			429: directory.ReasonThrottled,
			500: directory.ReasonServer,
			503: directory.ReasonServer,
			521: directory.ReasonServer,
		} {
			for name, body := range errorBodies {
				_, err := newClient(t, always(status, body)).GroupPage(t.Context(), 1)
				up := wantReason(t, err, want)
				if up.Status != status || up.Code != codesOfBodies[name] {
					t.Errorf("%d %s: %+v", status, name, up)
				}
				if strings.Contains(err.Error(), "SECRET") {
					t.Errorf("%d %s: error %v quotes the body", status, name, err)
				}
			}
		}
	})
}

func TestResourceNotFoundIsToldFromAnyOther404(t *testing.T) {
	for body, code := range map[string]string{
		`{"error":true,"message":"Resource not found","code":"RESOURCE_NOT_FOUND"}`:     "RESOURCE_NOT_FOUND",
		`{"error":true,"message":"API endpoint not found","code":"ENDPOINT_NOT_FOUND"}`: "ENDPOINT_NOT_FOUND",
		`{"message":"Not here"}`: "",
	} {
		_, err := newClient(t, always(404, body)).Group(t.Context(), "aa")
		if up := wantReason(t, err, directory.ReasonNotFound); up.Code != code {
			t.Errorf("%s: code %q", body, up.Code)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for status, want := range map[int]string{
		301: "list users, page 1: Tallyfy answered 301: a redirect, which is not followed; check --base-url",
		401: "list users, page 1: Tallyfy answered 401: the access token is refused; give a valid one",
		403: "list users, page 1: Tallyfy answered 403: the token's user may not read this; an administrator's token is needed",
		404: "list users, page 1: Tallyfy answered 404: nothing there; check --org and --base-url",
		500: "list users, page 1: Tallyfy answered 500",
	} {
		if err := mePage(t, status, ""); err == nil || err.Error() != want {
			t.Errorf("error %v\nwant  %s", err, want)
		}
	}
}

func TestRetryAfterIsReadInBothForms(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"120":                           2 * time.Minute,
		" 120 ":                         2 * time.Minute,
		"in 120":                        2 * time.Minute,
		"in -3600":                      time.Second,
		"0":                             time.Second,
		"":                              5 * time.Second,
		"soon":                          5 * time.Second,
		"-5":                            5 * time.Second,
		"86400":                         15 * time.Minute,
		"99999999999999999999":          5 * time.Second,
		"2147483647":                    15 * time.Minute,
		"Fri, 31 Dec 9999 23:59:59 GMT": 15 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			if seconds, ok := strings.CutPrefix(header, "in "); ok {
				d, _ := time.ParseDuration(seconds + "s")
				header = began.Add(d).UTC().Format(http.TimeFormat)
			}
			_, err := newClient(t, always(429, "", "Retry-After", header)).GroupPage(t.Context(), 1)
			up := wantReason(t, err, directory.ReasonThrottled)
			if up.RetryAfter != want {
				t.Errorf("%q: retry after %v, want %v", header, up.RetryAfter, want)
			}
		})
	}
}
