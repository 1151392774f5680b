package api

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rollcall/internal/access"
)

// setUpHuma makes huma say problems as the rest of the package does, in
// answers and in the document, and lists never null. It is a setting of the
// process; no other package uses huma.
var setUpHuma = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return fromHuma(status, message, errs)
	}
})

// fromHuma words what huma finds wrong with a request before a handler sees
// it.
func fromHuma(status int, message string, errs []error) *Problem {
	if status == http.StatusBadRequest {
		status = http.StatusUnprocessableEntity
	}
	p := newProblem(status, blank, "%s", message)
	switch status {
	case http.StatusUnprocessableEntity:
		p.Type = invalidParameter
	case http.StatusRequestEntityTooLarge:
		p.Type = tooLarge
	}
	var texts []string
	for _, err := range errs {
		detail := ProblemDetail{Message: err.Error()}
		if d, ok := err.(huma.ErrorDetailer); ok {
			detail = ProblemDetail{d.ErrorDetail().Location, d.ErrorDetail().Message}
		}
		p.Errors = append(p.Errors, detail)
		texts = append(texts, strings.TrimPrefix(detail.Location, "query.")+": "+detail.Message)
	}
	if len(texts) > 0 {
		p.Detail = strings.Join(texts, "; ")
	}
	return p
}

// newV1 is an empty surface for register to fill.
func (s *server) newV1() huma.API {
	setUpHuma()
	json := huma.Format{Marshal: marshal, Unmarshal: huma.DefaultJSONFormat.Unmarshal}
	v1 := huma.NewAPI(huma.Config{
		OpenAPI:       describe(s.Access.Mode(), s.Version, s.PublicURL),
		Formats:       map[string]huma.Format{"application/json": json, "json": json},
		DefaultFormat: "application/json",

		RejectUnknownQueryParameters: true,
	}, guardedMux{s})
	v1.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		if faults := faultsOf(ctx); len(faults) > 0 {
			_ = huma.WriteErr(v1, ctx, http.StatusUnprocessableEntity, "validation failed", faults...)
			return
		}
		next(ctx)
	})
	return v1
}

// marshal encodes to memory first, so that what cannot be encoded leaves no
// half answer.
func marshal(w io.Writer, v any) error {
	body, err := encode(v)
	if err == nil {
		_, err = w.Write(body)
	}
	return err
}

// faultsOf finds what huma lets pass: a query that cannot be read, a single
// parameter given twice, a parameter without value.
func faultsOf(ctx huma.Context) []error {
	u := ctx.URL()
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return []error{&huma.ErrorDetail{Location: "query", Message: "is not well formed"}}
	}
	var faults []error
	for _, p := range ctx.Operation().Parameters {
		given := values[p.Name]
		switch {
		case p.In != "query" || len(given) == 0:
		case len(given) > 1 && p.Schema.Type != huma.TypeArray:
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Message: "is given more than once"})
		case slices.Contains(given, ""):
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Message: "is empty: leave it out or give it a value"})
		}
	}
	return faults
}

// guardedMux puts huma's operations behind the same guard as every other
// route.
type guardedMux struct{ *server }

func (m guardedMux) Handle(op *huma.Operation, h func(huma.Context)) {
	action, ok := op.Metadata["action"].(access.Action)
	if !ok {
		panic(fmt.Sprintf("%s %s does not say what it does", op.Method, op.Path))
	}
	of, _ := op.Metadata["scope"].(scope)
	answer := func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", cacheControl)
		w.Header().Set("Vary", vary)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		h(humago.NewContext(op, r, w))
		return nil
	}
	isFile, _ := op.Metadata["file"].(bool)
	switch {
	case of != scopeNone:
		answer = m.kept(of, answer)
	case !isFile:
		answer = m.compressed(answer)
	}
	m.handle(action, op.Method+" "+op.Path, answer)
}

func (m guardedMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// A doc is what the document says of an operation.
type doc struct{ id, summary, text, tag string }

// get registers a read of the mirror, as the action that it is.
func get[I, O any](s *server, v1 huma.API, a access.Action, path string, d doc, h func(context.Context, *I) (*O, error)) {
	register(s, v1, huma.Operation{
		Method: http.MethodGet, Path: path,
		Responses: map[string]*huma.Response{
			"304": {Description: "Not Modified: If-None-Match names the present answer. The headers are those of a 200."},
		},
	}, a, d, h)
}

// register adds an operation whose errors go through explain.
func register[I, O any](s *server, v1 huma.API, op huma.Operation, a access.Action, d doc, h func(context.Context, *I) (*O, error)) {
	op.OperationID, op.Summary, op.Description, op.Tags = d.id, d.summary, d.text, []string{d.tag}
	_, isFile := any(new(O)).(*huma.StreamResponse)
	op.Metadata = map[string]any{"action": a, "file": isFile}
	if read, ok := any(new(O)).(interface{ scope() scope }); ok {
		op.Metadata["scope"] = read.scope()
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["4XX"], op.Responses["5XX"] = problemResponse(v1), problemResponse(v1)
	maps.Copy(op.Responses, refusals(v1))
	huma.Register(v1, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.finish(requestOf(ctx), err)
		}
		return out, nil
	})
}
