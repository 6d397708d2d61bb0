package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxReference is what the record takes, in bytes.
const maxReference = 256

// checkReference refuses a request without a reason, where one is demanded, and a reason that the record could not keep. It
// looks before a device is read, so that bulk does not find out device by device.
func (a *app) checkReference(reference string) error {
	switch {
	case reference == "" && a.settings().RequireReference:
		return failed(exitUsage, "say why, with --reference, such as --reference INC-4711: it is demanded here")
	case reference != "" && strings.TrimSpace(reference) == "":
		return failed(exitUsage, "--reference is blank; say why, such as --reference INC-4711, or leave it out")
	case len(reference) > maxReference:
		return failed(exitUsage, "--reference has %d bytes; use at most %d", len(reference), maxReference)
	case !utf8.ValidString(reference) || strings.ContainsFunc(reference, unicode.IsControl):
		return failed(exitUsage, "--reference holds a control character or is not UTF-8; use one line of text")
	}
	return nil
}

const referenceHelp = "`TEXT` that says why, such as a ticket; it goes into the record"
