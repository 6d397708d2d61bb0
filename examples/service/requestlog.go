package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-intune/intune"
	"go.opentelemetry.io/otel/trace"
)

// exchange is what the log says of one request. Handlers add to it.
type exchange struct {
	id string

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
func observed(log *slog.Logger, t *telemetry, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		x := &exchange{id: requestID(r)}
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
				slog.Int("status", seen.code()), slog.Duration("took", time.Since(begin)),
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
			log.LogAttrs(r.Context(), level, "request", attributes...)
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
	if known, ok := errors.AsType[plainError](err); ok {
		return []slog.Attr{slog.String("error", known.Error())}
	}
	return []slog.Attr{slog.String("error", "not shown, because it may hold a secret")}
}

// plainError is an error text of this program, which holds no secret.
type plainError string

func (e plainError) Error() string { return string(e) }
