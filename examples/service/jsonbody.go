package main

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/go-intune/intune"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// asked is what POST /sessions asks for.
type asked struct {
	device    intune.DeviceRef
	reference string
}

const askForm = `The body should be {"device": "INTUNE-DEVICE-ID", "reference": "TICKET"}, where the reference may be left out`

// readAsk reads the body of POST /sessions.
func readAsk(r *http.Request, rules referenceRules) (asked, *problem) {
	var body struct {
		Device    string `json:"device"`
		Reference string `json:"reference"`
	}
	if wrong := readJSON(r, &body); wrong != "" {
		return asked{}, kindMalformed.saying(wrong + " " + askForm + ".")
	}
	if body.Device == "" {
		return asked{}, kindMalformed.saying("The member device is missing. " + askForm + ".")
	}
	device, p := deviceOf(body.Device)
	if p != nil {
		return asked{}, p
	}
	reference, p := rules.check(body.Reference)
	return asked{device, reference}, p
}

// readJSON reads a body that is one JSON value and nothing else, with members that into knows, each once. Otherwise it says
// what is wrong, without what the body says. The type also keeps out forms of other sites, which cannot send it without
// asking first.
func readJSON(r *http.Request, into any) (wrong string) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return "The header Content-Type should be application/json."
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return "The body is too long, or did not arrive."
	}
	err = json.Unmarshal(text, into, json.RejectUnknownMembers(true))
	_, isMeaning := errors.AsType[*json.SemanticError](err)
	switch {
	case err == nil:
		return ""
	case errors.Is(err, json.ErrUnknownName):
		return "The body has a member that is not known."
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "The body has a member twice."
	case isMeaning:
		return "A member has the wrong type."
	default:
		return "The body is not one JSON value, or something comes after it."
	}
}
