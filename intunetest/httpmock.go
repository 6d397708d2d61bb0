package intunetest

import (
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jarcoal/httpmock"
)

// NoContent answers 204, as the action does when it accepts a request.
//
// Like all responders of this package it sets the headers of Graph (request-id, client-request-id as sent, Date), makes
// a new body for each call, sets Response.Request, and may be called from several goroutines at once, unlike httpmock's
// own Times and Once.
func NoContent() httpmock.Responder {
	return responder(func(*exchange) *answer { return noContent() })
}

// GraphError answers with an error in Graph's own envelope, such as
//
//	{"error":{"code":"BadRequest","message":"…","innerError":{"date":"…","request-id":"…","client-request-id":"…"}}}
//
// Source: https://learn.microsoft.com/graph/errors.
func GraphError(status int, code, message string) httpmock.Responder {
	return responder(func(x *exchange) *answer { return x.graphError(status, code, message) })
}

// IntuneError answers as Graph does when Intune refused: Graph's code is UnknownError, and the message is JSON that
// holds code as its ErrorCode and, nested in JSON once more, message followed by an operation id, an activity id and an
// address.
func IntuneError(status int, code, message string) httpmock.Responder {
	return responder(func(x *exchange) *answer {
		return (&Fault{Status: status, Code: code, Message: message, Double: true}).answer(x)
	})
}

// Throttled answers 429 as Intune does, with a Retry-After in seconds, which may be fractional. 0 or less means no
// header, which is what users often see. For a client that does not wait, use [Tenant.ClientOptions], or set
// Retry.MaxRetries below zero.
func Throttled(after time.Duration) httpmock.Responder {
	return responder(func(x *exchange) *answer {
		a := x.intuneError(http.StatusTooManyRequests, "TooManyRequests", unspecific, x.backend())
		if after > 0 {
			a.header.Set("Retry-After", seconds(after))
		}
		return a
	})
}

// Session answers a GET of one device with its id, as found in the path, the link, and an error text of "". A blank url
// means that there is no link yet.
func Session(url string) httpmock.Responder {
	return responder(func(x *exchange) *answer {
		id := ""
		if _, segments, ok := splitPath(x.request.Path); ok && len(segments) > 0 {
			id = segments[len(segments)-1]
			if _, key, quoted, ok := splitSegment(id); ok && quoted {
				id = key
			}
		}
		o := &object{}
		o.member("@odata.context", x.scheme+"://"+x.request.Host+"/v1.0/$metadata#deviceManagement/managedDevices(id,"+
			propertySessionURL+","+propertySessionError+")/$entity")
		o.member("id", id)
		o.member(propertySessionURL, url)
		o.member(propertySessionError, "")
		return newAnswer(http.StatusOK, contentOData, o.end())
	})
}

func responder(respond func(*exchange) *answer) httpmock.Responder {
	var serial atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		x := newExchange(req, nil)
		x.scheme = req.URL.Scheme
		x.request.Time = time.Now()
		x.requestID = guid("request", int(serial.Add(1)))
		x.clientRequestID = x.request.Header.Get("client-request-id")
		if x.clientRequestID == "" {
			x.clientRequestID = x.requestID
		}
		return x.finish(respond(x)).response(req), nil
	}
}

// anyHTTPS matches the requests that a tenant answers through httpmock.
var anyHTTPS = regexp.MustCompile(`^https://`)

// Register serves the whole tenant through an httpmock transport, for https requests to any host. httpmock prefers
// exact registrations to regular expressions, even if they are made later, and earlier expressions to later ones.
// Single answers can therefore be replaced:
//
//	tenant.Register(mock)
//	mock.RegisterResponder("POST", "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/1/requestRemoteAssistance",
//		intunetest.IntuneError(403, "Forbidden", "no"))
//
// A registration by path alone counts as exact too.
func (t *Tenant) Register(m *httpmock.MockTransport) {
	for method := range strings.FieldsSeq("GET POST PATCH PUT DELETE HEAD OPTIONS") {
		m.RegisterRegexpResponder(method, anyHTTPS, t.RoundTrip)
	}
}
