package tallyfy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"rollcall/internal/directory"
)

// A minter asks, with an application's token, for tokens of one user.
//
// https://tallyfy.com/products/pro/integrations/open-api/access-api-as-a-third-party-application-instead-of-a-user/
type minter struct {
	application *renewed
	http        *http.Client
	url         string
}

// ask tries once more when the application's token is refused and there is
// another.
func (m *minter) ask(ctx context.Context) (lease, error) {
	token, err := m.application.Token(ctx)
	if err != nil {
		return lease{}, err
	}
	got, err := m.mint(ctx, token)
	if err == nil || directory.ReasonOf(err) != directory.ReasonUnauthorized {
		return got, err
	}
	m.application.Refused(token)
	fresh, freshErr := m.application.Token(ctx)
	switch {
	case freshErr != nil:
		return lease{}, freshErr
	case fresh == token:
		return lease{}, err
	}
	return m.mint(ctx, fresh)
}

func (m *minter) mint(ctx context.Context, token string) (lease, error) {
	r, err := http.NewRequestWithContext(withLane(ctx, forwardLane), http.MethodPost, m.url, http.NoBody)
	if err != nil {
		return lease{}, &directory.UpstreamError{Op: opToken, Reason: directory.ReasonInternal, Err: err}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	began := time.Now()
	resp, err := m.http.Do(r)
	if err != nil {
		return lease{}, grantError(ctx, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return lease{}, mintRefusal(resp)
	}
	return readMinted(resp.Body, began)
}

// mintRefusal says what a status means of the user to act as.
func mintRefusal(resp *http.Response) *directory.UpstreamError {
	e := statusError(resp)
	e.Op = opToken
	switch e.Reason {
	case directory.ReasonUnauthorized:
		e.Err = errors.New("the application's token is refused when it asks for that of TALLYFY_ACT_AS")
	case directory.ReasonForbidden:
		e.Err = errors.New("the application may not act as TALLYFY_ACT_AS")
	case directory.ReasonNotFound:
		e.Err = errors.New("TALLYFY_ACT_AS names no user of the organisation")
	case directory.ReasonThrottled, directory.ReasonServer, directory.ReasonRefused:
		e.Err = errors.New("no token was minted for TALLYFY_ACT_AS")
	}
	return e
}

// A grant is a token as an answer holds it. The seconds may be a string.
type grant struct {
	AccessToken string          `json:"access_token"`
	ExpiresIn   json.RawMessage `json:"expires_in"`
}

// readMinted reads a grant, bare as documented or below data as upstream's
// other answers are.
func readMinted(body io.Reader, began time.Time) (lease, error) {
	var answer struct {
		grant
		Data *grant `json:"data"`
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return lease{}, bodyError(err)
	}
	if json.Unmarshal(raw, &answer) != nil {
		return lease{}, &directory.UpstreamError{Op: opToken, Reason: directory.ReasonShape, Status: http.StatusOK, Err: errors.New("the token minted for TALLYFY_ACT_AS cannot be read")}
	}
	got := answer.grant
	if got.AccessToken == "" && answer.Data != nil {
		got = *answer.Data
	}
	var told time.Time
	if seconds, ok := count(got.ExpiresIn); ok && seconds > 0 {
		told = began.Add(time.Duration(seconds) * time.Second)
	}
	return usable(got.AccessToken, began, told)
}
