package intunetest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// errorIDs identify an error in its body.
type errorIDs struct {
	request, client string
	date            time.Time
}

func (x *exchange) ids() errorIDs {
	return errorIDs{request: x.requestID, client: x.clientRequestID, date: x.request.Time}
}

// graphError is an error in Graph's own envelope.
func (x *exchange) graphError(status int, code, message string) *answer {
	return newAnswer(status, contentJSON, graphBody(code, message, x.ids()))
}

// intuneError is an error that Graph passes on from Intune: the message is JSON that holds the sentence. backend is
// the path at Intune's back end.
func (x *exchange) intuneError(status int, code, sentence, backend string) *answer {
	return x.graphError(status, code, singleMessage(sentence, backend, "{}", x.ids()))
}

// notFound is Intune's answer for an entity that does not exist, whatever the reason.
func (x *exchange) notFound(backend string) *answer {
	return x.intuneError(http.StatusNotFound, "ResourceNotFound", unspecific, backend)
}

// unspecific is the only sentence that Intune gives for most refusals.
const unspecific = "An error has occurred"

// graphBody is the envelope of https://learn.microsoft.com/graph/errors.
func graphBody(code, message string, ids errorIDs) []byte {
	return encode(map[string]any{"error": graphErrorBody{Code: code, Message: message, InnerError: innerError{
		Date: ids.date.UTC().Format("2006-01-02T15:04:05"), RequestID: ids.request, ClientRequestID: ids.client,
	}}})
}

type graphErrorBody struct {
	Code       string     `json:"code"`
	Message    string     `json:"message"`
	InnerError innerError `json:"innerError"`
}

type innerError struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// singleMessage is the object that Intune nests in the message, version 3, with the line ends that Intune writes.
func singleMessage(sentence, backend, httpHeaders string, ids errorIDs) string {
	text := sentence + " - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000" +
		" - Activity ID: " + ids.client + " - Url: https://fef.msud01.manage.microsoft.com/DeviceFE/StatelessDeviceFEService/" +
		backend + "?api-version=2025-07-09"
	return "{\r\n  \"_version\": 3,\r\n  \"Message\": " + string(encode(text)) +
		",\r\n  \"CustomApiErrorPhrase\": \"\",\r\n  \"RetryAfter\": null,\r\n  \"ErrorSourceService\": \"\",\r\n  \"HttpHeaders\": " +
		string(encode(httpHeaders)) + "\r\n}"
}

// doubleMessage wraps singleMessage once more, which Graph labels UnknownError.
func doubleMessage(status int, code, sentence, backend string, ids errorIDs) string {
	headers := "{}"
	if status == http.StatusUnauthorized {
		// Intune's own challenge, which is not meant for the caller of Graph.
		headers = string(encode(map[string]string{
			"WWW-Authenticate": `Bearer realm="urn:intune:service,4b109758-9c51-4d0d-b853-7f7f05cb40ac"`,
		}))
	}
	return string(encode(struct {
		ErrorCode           string
		Message             string
		Target              *string
		Details             *string
		InnerError          *string
		InstanceAnnotations []string
	}{ErrorCode: code, Message: singleMessage(sentence, backend, headers, ids), InstanceAnnotations: []string{}}))
}

// encode is JSON as the service writes it, without the escapes for HTML that [json.Marshal] adds.
func encode(value any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("intunetest: " + err.Error()) // the kit's own values always encode
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))
}

// lengthRequired is the HTML page of the front end, http.sys, which does not write Graph's JSON.
func lengthRequired() *answer {
	return newAnswer(http.StatusLengthRequired, contentHTML, []byte(strings.Join([]string{
		`<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">`,
		`<HTML><HEAD><TITLE>Length Required</TITLE>`,
		`<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>`,
		`<BODY><h2>Length Required</h2>`,
		`<hr><p>HTTP Error 411. The request must be chunked or have a content length.</p>`,
		`</BODY></HTML>`, "",
	}, "\r\n")))
}
