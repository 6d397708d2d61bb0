// Package graphbatch writes JSON batches for Microsoft Graph and reads the answers to them.
//
// Source: https://learn.microsoft.com/graph/json-batching
package graphbatch

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/go-intune/intune/internal/graphjson"
)

// Most is how many requests a batch may hold.
const Most = 20

// Post is a POST without a body, as an item of a batch.
type Post struct {
	// Path is relative to the Graph version, with a leading slash, and escaped.
	Path string

	// ClientRequestID is sent with it.
	ClientRequestID string
}

// Answer is the answer to one item, as if it had come alone.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

type item struct {
	ID      string  `json:"id"`
	Method  string  `json:"method"`
	URL     string  `json:"url"`
	Headers headers `json:"headers"`
	// An item without a body and a Content-Type makes the service refuse the whole batch, even if it needs none.
	Body struct{} `json:"body"`
}

type headers struct {
	ContentType     string `json:"Content-Type"`
	ClientRequestID string `json:"client-request-id"`
}

// Encode writes a batch.
func Encode(posts []Post) []byte {
	var envelope struct {
		Requests []item `json:"requests"`
	}
	for i, post := range posts {
		envelope.Requests = append(envelope.Requests, item{
			ID: id(i), Method: http.MethodPost, URL: post.Path, Headers: headers{"application/json", post.ClientRequestID},
		})
	}
	data, _ := json.Marshal(envelope) //nolint:errchkjson // texts only
	return data
}

// id is the id of the item at an index.
func id(i int) string { return strconv.Itoa(i + 1) }

// Decode reads the answer to a batch of n items: an answer for each, in their order, which is nil for an item that has
// none, or more than one. If the whole cannot be read, Decode believes none of it and returns an error, which does not
// quote it.
func Decode(data []byte, n int) ([]*Answer, error) {
	var envelope struct {
		Responses []response `json:"responses"`
	}
	if err := graphjson.Unmarshal(data, &envelope); err != nil {
		return nil, err
	}
	found := map[string]*response{}
	for i := range envelope.Responses {
		r := &envelope.Responses[i]
		key := strings.ToLower(text(r.ID))
		if _, again := found[key]; again {
			r = nil // nobody knows which of them holds
		}
		found[key] = r
	}
	answers := make([]*Answer, n)
	for i := range answers {
		if r := found[id(i)]; r != nil {
			answers[i] = &Answer{Status: r.Status, Header: r.header(), Body: r.body()}
		}
	}
	return answers, nil
}

// response is an answer as it is sent. Ids may come as numbers.
type response struct {
	ID      jsontext.Value `json:"id"`
	Status  int            `json:"status"`
	Headers jsontext.Value `json:"headers"`
	Body    jsontext.Value `json:"body"`
}

// header takes names in any case, and numbers for values.
func (r *response) header() http.Header {
	var values map[string]jsontext.Value
	_ = json.Unmarshal(r.Headers, &values) // no headers if they are none
	header := http.Header{}
	for name, value := range values {
		if kind := value.Kind(); kind == jsontext.KindString || kind == jsontext.KindNumber {
			header.Set(name, text(value))
		}
	}
	return header
}

// body is JSON, or, of a JSON string, the bytes that it encodes as base64, or else its text.
func (r *response) body() []byte {
	s := text(r.Body)
	if decoded, err := base64.StdEncoding.DecodeString(s); err == nil { // which no object and no list is
		return decoded
	}
	return []byte(s)
}

// text is a JSON string without its quotes, and any other value as it is written.
func text(value jsontext.Value) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}
