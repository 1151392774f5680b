package tallyfy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"

	"rollcall/internal/directory"
)

var (
	errSlow          = errors.New("no whole answer within the timeout")
	errOutOfPatience = errors.New("the request limits leave no room for it within ten seconds")
	errPaused        = errors.New("Tallyfy asked to be left alone for longer")
	errCut           = errors.New("the answer breaks off")
	errTooLarge      = errors.New("the answer is over the size limit")
	errRedirect      = errors.New("a redirect, which is not followed; check --base-url")
	errToken         = errors.New("the access token is refused; give a valid one")
	errForbidden     = errors.New("the token's user may not read this; an administrator's token is needed")
	errMissing       = errors.New("nothing there; check --org and --base-url")
)

// refusals say what to do about a token that is refused on a read.
var refusals = map[directory.TokenKind]error{
	directory.TokenPersonal:    errToken,
	directory.TokenApplication: errors.New("the application's token is refused; set TALLYFY_ACT_AS to an administrator's e-mail"),
	directory.TokenActAs:       errors.New("the token minted for TALLYFY_ACT_AS is refused"),
}

// knownCodes are the values of `code` that do not change with a message's
// wording.
var knownCodes = []string{"RATE_LIMIT_EXCEEDED", "ENDPOINT_NOT_FOUND", "RESOURCE_NOT_FOUND", "SEAT_POOL_EXHAUSTED"}

// mostErrorBody bounds what is read of a body that reports an error.
const mostErrorBody = 64 << 10

// statusError makes an error of an answer that is no success. It takes the
// status, Retry-After and a known code from it and no text.
func statusError(resp *http.Response) *directory.UpstreamError {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, mostErrorBody))
	e := &directory.UpstreamError{Status: resp.StatusCode, Code: codeOf(body)}
	e.Reason, e.Err = classify(resp.StatusCode)
	if resp.StatusCode >= http.StatusBadRequest {
		e.RetryAfter = min(retryAfter(resp), pauseMost)
	}
	return e
}

func classify(status int) (directory.Reason, error) {
	switch {
	case status < http.StatusBadRequest:
		return directory.ReasonShape, errRedirect
	case status == http.StatusUnauthorized:
		return directory.ReasonUnauthorized, errToken
	case status == http.StatusForbidden:
		return directory.ReasonForbidden, errForbidden
	case status == http.StatusNotFound:
		return directory.ReasonNotFound, nil
	case status == http.StatusTooManyRequests:
		return directory.ReasonThrottled, nil
	case status >= http.StatusInternalServerError:
		return directory.ReasonServer, nil
	}
	return directory.ReasonRefused, nil
}

// codeOf finds `code` in an error body: at the top, or inside `error`. Bodies
// may also be plain text, HTML, empty, or JSON of any other shape.
func codeOf(body []byte) string {
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		return ""
	}
	var code string
	if json.Unmarshal(top["code"], &code) != nil {
		var nested map[string]json.RawMessage
		_ = json.Unmarshal(top["error"], &nested)
		_ = json.Unmarshal(nested["code"], &code)
	}
	if !slices.Contains(knownCodes, code) {
		return ""
	}
	return code
}

// sendError makes an error of a request that got no answer.
func sendError(ctx context.Context, err error) *directory.UpstreamError {
	if ours, ok := errors.AsType[*directory.UpstreamError](err); ok {
		return new(*ours)
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the address
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	reason := directory.ReasonTransport
	if errors.Is(err, errSlow) || errors.Is(err, context.DeadlineExceeded) {
		reason = directory.ReasonTimeout
	}
	return &directory.UpstreamError{Reason: reason, Err: err}
}
