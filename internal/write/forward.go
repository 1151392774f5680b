package write

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"rollcall/internal/directory"
)

// mostAnswer bounds the answer to a write: the largest group by far, and some.
const mostAnswer = 64 << 20

// groupID is the id in …/groups/{id}, empty for …/groups.
func groupID(u *url.URL) string {
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	before, last := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	if !strings.HasSuffix(before, "/groups/") {
		return ""
	}
	id, err := url.PathUnescape(last)
	if err != nil {
		return last
	}
	return id
}

// forward sends r with body and reads the whole answer. An answer that breaks
// off is lost.
func (w *Writer) forward(ctx context.Context, r *http.Request, body []byte) (*directory.Outcome, error) {
	out := r.Clone(ctx)
	out.Body, out.GetBody, out.ContentLength = http.NoBody, nil, int64(len(body))
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := w.upstream.Forward(ctx, out)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	if err == nil && len(answer) > mostAnswer {
		err = errors.New("it is over the size limit")
	}
	if err != nil {
		return nil, &directory.UpstreamError{
			Op: "read the answer to " + r.Method, Reason: directory.ReasonTransport, Err: err,
		}
	}
	return &directory.Outcome{Status: resp.StatusCode, Header: resp.Header, Body: answer}, nil
}
