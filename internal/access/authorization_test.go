package access

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
)

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestCredentialsAreBearerOrThePasswordOfBasic(t *testing.T) {
	longest := strings.Repeat("x", maxCredential)
	for value, want := range map[string]string{
		"Bearer abc":           "abc",
		"bearer abc":           "abc",
		"BEARER   abc  ":       "abc",
		"Bearer a.b-c_d~e+/f=": "a.b-c_d~e+/f=",
		"Bearer " + longest:    longest,
		basic("anybody:abc"):   "abc",
		basic(":abc"):          "abc",
		basic("u:a:b"):         "a:b",
		basic("u:" + longest):  longest,
	} {
		if got, err := parseAuthorization(value); err != nil || got != want {
			t.Errorf("%.40q: %.40q, %v; want %.40q", value, got, err, want)
		}
	}
}

func TestWhatIsNoCredentialIsUnauthenticatedAndNotRepeated(t *testing.T) {
	for _, value := range []string{
		"", " ", "HIDDEN", "Bearer", "Bearer ", "BearerHIDDEN", "Token HIDDEN", "Digest HIDDEN",
		"Bearer HIDDEN HIDDEN", "Bearer HIDDEN\r\nX: y", "Bearer HIDDENé", "Bearer HIDDEN\x00", "Bearer HIDDEN\xff",
		"Bearer " + strings.Repeat("HIDDEN", maxCredential),
		"Basic HIDDEN!", basic("HIDDEN"), basic("HIDDEN:"), basic("u:HIDDEN HIDDEN"), basic("u:HIDDEN\n"),
		basic("u:" + strings.Repeat("HIDDEN", maxCredential)), basic("u:" + strings.Repeat("x", maxCredential+1)),
	} {
		got, err := parseAuthorization(value)
		if !errors.Is(err, ErrUnauthenticated) || got != "" {
			t.Errorf("%.40q gave %.40q, %v", value, got, err)
		} else if strings.Contains(err.Error(), "HIDDEN") {
			t.Errorf("the error repeats the header: %v", err)
		}
	}
}

func TestOneRequestHasOneCredential(t *testing.T) {
	if _, err := credentials(http.Header{}); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("without a header: %v", err)
	}
	if _, err := credentials(http.Header{"Authorization": {"Bearer a", "Bearer b"}}); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("with two headers: %v", err)
	}
}

func FuzzParseAuthorization(f *testing.F) {
	f.Add("Bearer ", "")
	f.Add("Basic dTpw", "=")
	f.Add("bAsIc ", "\t")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "UzNDUkVUUzNDUkVU" // also valid in base64
		got, err := parseAuthorization(before + secret + after)
		switch {
		case err == nil && (got == "" || len(got) > maxCredential || strings.ContainsFunc(got, notVisible)):
			t.Errorf("taken for a credential: %q", got)
		case err != nil && (got != "" || !errors.Is(err, ErrUnauthenticated)):
			t.Errorf("gave %q, %v", got, err)
		case err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "S3CRET")):
			t.Errorf("the error repeats the header: %v", err)
		}
	})
}
