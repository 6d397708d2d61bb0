package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/go-intune/intune"
	"go.opentelemetry.io/otel/trace"
)

// newLog writes JSON lines. Durations are numbers of seconds, and their names say so.
func newLog(out io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindDuration {
			return slog.Float64(a.Key+"Seconds", a.Value.Duration().Seconds())
		}
		return a
	}}))
}

// exchange is what the log says of one request. Handlers add to it.
type exchange struct {
	id     string
	public *url.URL // of the service
	face   *face

	mu      sync.Mutex
	problem *problem
	who     string
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

func requestIDOf(ctx context.Context) string {
	if x := exchangeOf(ctx); x != nil {
		return x.id
	}
	return ""
}

// prefixOf is what comes before all addresses of the service in the browser: empty, or the path of -public.
func prefixOf(ctx context.Context) string {
	if x := exchangeOf(ctx); x != nil {
		return x.public.Path
	}
	return ""
}

// homeOf is the address of the service for pages that may stand at any path, and at other hosts too, and its face.
func homeOf(ctx context.Context) (string, *face) {
	if x := exchangeOf(ctx); x != nil {
		return x.public.String() + "/", x.face
	}
	return "", &face{}
}

func noteProblem(ctx context.Context, p *problem) {
	if x := exchangeOf(ctx); x != nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.problem = p
	}
}

func noteWho(ctx context.Context, who string) {
	if x := exchangeOf(ctx); x != nil {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.who = who
	}
}

// requestID is the caller's, if it is harmless, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) >= 8 && isPlain(id, 64) {
		return id
	}
	return rand.Text()
}

// isPlain says that a text is fit for a log and a header: letters, digits, and a few marks.
func isPlain(s string, longest int) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}

// observed writes one line, a span and measurements for each request. It names the route and not the address, since a query
// may hold the name of a person or the code of a sign-in.
func observed(o *settings, t *telemetry, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		x := &exchange{id: requestID(r), public: o.public, face: &o.face}
		ctx, ended := t.request(context.WithValue(r.Context(), exchangeKey{}, x), r)
		r = r.WithContext(ctx)
		w.Header().Set("X-Request-Id", x.id)
		seen := &statusWriter{ResponseWriter: w}
		defer func() { //nolint:contextcheck // the context is in the request
			ended(methodOf(r), routeOf(r), seen.code(), time.Since(begin))
			x.mu.Lock()
			defer x.mu.Unlock()
			attributes := []slog.Attr{
				slog.String("requestId", x.id), slog.String("route", routeOf(r)), slog.String("method", methodOf(r)),
				slog.Int("status", seen.code()), slog.Duration("took", time.Since(begin)), slog.String("client", o.proxies.client(r)),
			}
			if span := trace.SpanContextFromContext(r.Context()); span.IsValid() {
				attributes = append(attributes, slog.String("traceId", span.TraceID().String()))
			}
			if x.who != "" {
				attributes = append(attributes, slog.String("who", x.who))
			}
			level := slog.LevelInfo
			if x.problem != nil {
				attributes = append(attributes, slog.String("problem", x.problem.name))
				attributes = append(attributes, forOperator(x.problem.cause)...)
				level = slog.LevelWarn
			}
			o.log.LogAttrs(r.Context(), level, "request", attributes...)
		}()
		next.ServeHTTP(seen, r)
	})
}

// forOperator is the part of an error that technicians never see. The texts of the library's errors hold no link and no
// token; of other errors only the type is sure to hold none.
func forOperator(err error) []slog.Attr {
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*intune.Error](err); ok {
		return []slog.Attr{slog.Any("error", failed), slog.String("hint", failed.Hint)}
	}
	if failed, ok := errors.AsType[*intune.SessionError](err); ok {
		return []slog.Attr{slog.Any("error", failed), slog.String("hint", failed.Hint)}
	}
	if pending, ok := errors.AsType[*intune.PendingError](err); ok {
		return []slog.Attr{slog.Any("error", pending)}
	}
	if errors.Is(err, intune.ErrInvalidArgument) {
		return []slog.Attr{slog.String("error", err.Error())}
	}
	var attributes []slog.Attr
	if known, ok := errors.AsType[plainError](err); ok {
		attributes = append(attributes, slog.String("error", known.Error()))
	}
	if cause := storeCause(err); cause != "" {
		attributes = append(attributes, slog.String("cause", cause))
	}
	if len(attributes) > 0 {
		return attributes
	}
	return []slog.Attr{slog.String("error", "not shown, because it may hold a secret")}
}

// storeCause is what a disk or a database said, without names and values of rows: the operation and the error of the
// system, or the SQLSTATE, whose class says what an operator has to look at.
func storeCause(err error) string {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Op + ": " + failed.Err.Error()
	}
	if state := sqlState(err); state != "" {
		return "SQLSTATE " + state
	}
	if failed, ok := errors.AsType[*net.OpError](err); ok {
		return failed.Op + ": " + failed.Err.Error()
	}
	if failed, ok := errors.AsType[syscall.Errno](err); ok {
		return failed.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it took too long"
	}
	return ""
}

// plainError is an error text of this program, which holds no secret.
type plainError string

func (e plainError) Error() string { return string(e) }
