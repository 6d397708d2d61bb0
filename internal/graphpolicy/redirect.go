package graphpolicy

import (
	"cmp"
	"net/http"
)

// do sends the request. It uses a copy of an [http.Client], as the client is at that moment. The copy follows no
// redirects, unless the caller's CheckRedirect allows them.
func (t *Transport) do(req *http.Request) (*http.Response, error) {
	client, ok := t.inner.(*http.Client)
	if !ok {
		return t.inner.Do(req)
	}
	own := *client
	if own.CheckRedirect != nil {
		return followWithoutToken(&own, req)
	}
	own.CheckRedirect = followNone
	return own.Do(req)
}

// followWithoutToken follows the redirects that the client's CheckRedirect allows without the token, because net/http
// sends it to another port or scheme of the same host, and without the Referer that net/http adds, which is our whole URL,
// filter and skip token included. If the place that a redirect leads to gives no answer, it returns the redirect together
// with the error, for it is the answer to our request.
func followWithoutToken(client *http.Client, req *http.Request) (*http.Response, error) {
	var redirect *http.Response
	allow := client.CheckRedirect
	client.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		redirect = next.Response
		private := func() {
			next.Header.Del("Authorization")
			next.Header.Del("Referer")
		}
		private()
		err := allow(next, via)
		private()
		return err
	}
	resp, err := client.Do(req)
	return cmp.Or(resp, redirect), err
}

func followNone(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ForeignError means that the answer is not our host's answer to our request, because a transport followed a redirect.
type ForeignError struct {
	// StatusCode is the status of the redirect, 0 if the transport does not tell.
	StatusCode int

	openOutcome bool
}

// Error implements error.
func (*ForeignError) Error() string {
	return "the transport followed a redirect, and the answer came from elsewhere; it does not count"
}

// NonRetriable keeps azcore from repeating the request.
func (*ForeignError) NonRetriable() {}

func (e *ForeignError) verdict() Verdict {
	if e.openOutcome {
		return Open
	}
	return Refused
}

// foreignAnswer compares the request that was finally answered with ours.
func foreignAnswer(req *http.Request, resp *http.Response) *ForeignError {
	final := resp.Request
	if final.Response == nil && (final.URL == nil || final.Method == req.Method && checkRequest(req.URL, final) == nil) {
		return nil
	}
	foreign := &ForeignError{}
	if final.Response == nil {
		foreign.openOutcome = true
		return foreign
	}
	for hop := final.Response; hop != nil; {
		foreign.StatusCode = hop.StatusCode
		foreign.openOutcome = foreign.openOutcome || verdictOf(hop, nil, false) == Open
		if hop.Request == nil {
			break
		}
		hop = hop.Request.Response
	}
	// If the token was sent along, the repeated request may have been carried out elsewhere.
	foreign.openOutcome = foreign.openOutcome || final.Header.Get("Authorization") != ""
	return foreign
}
