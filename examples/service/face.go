package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"
)

// maxLogo is the size of a logo in bytes, which every technician loads.
const maxLogo = 256 << 10

// maxLabel is how many characters a text of the help desk may have.
const maxLabel = 100

// face is whose service it is, as technicians see it, and what they have to say of a request.
type face struct {
	name        string
	contact     string
	contactLink template.URL // or ""
	logo        []byte       // nil for the service's own
	logoType    string

	references referenceRules
}

// read checks what operators say. contact is a text, or an address that begins with mailto: or https:. logo is a file.
func (f *face) read(name, contact, logo string) error {
	f.name, f.contact = name, contact
	for flag, text := range map[string]string{"-desk-name": name, "-desk-contact": contact, "-reference-label": f.references.Label} {
		if utf8.RuneCountInString(text) > maxLabel || strings.ContainsFunc(text, isUnseen) {
			return fmt.Errorf("%s should be a text of one line, of at most %d characters that can be seen", flag, maxLabel)
		}
	}
	if f.references.Label == "" {
		return errors.New(`-reference-label should be a word for what a request refers to, such as "Ticket"`)
	}
	if address, err := url.Parse(contact); err == nil && address.Scheme == "mailto" && address.Opaque != "" {
		f.contact, f.contactLink = address.Opaque, template.URL(contact)
	} else if err == nil && address.Scheme == "https" && address.Host != "" {
		f.contact, f.contactLink = address.Host+address.Path, template.URL(contact)
	}
	return f.readLogo(logo)
}

func (f *face) readLogo(name string) error {
	if name == "" {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("-desk-logo: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxLogo+1))
	if err != nil {
		return fmt.Errorf("-desk-logo: %w", err)
	}
	if len(data) > maxLogo {
		return fmt.Errorf("-desk-logo should be a file of at most %d bytes", maxLogo)
	}
	if _, err := png.DecodeConfig(bytes.NewReader(data)); err == nil {
		f.logo, f.logoType = data, "image/png"
		return nil
	}
	if !isSVG(data) {
		return errors.New("-desk-logo should be an SVG or PNG file")
	}
	f.logo, f.logoType = data, "image/svg+xml"
	return nil
}

// isSVG says that a file is XML, and that its first element is one of SVG.
func isSVG(data []byte) bool {
	for decoder := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := decoder.Token()
		if err != nil {
			return false
		}
		if start, ok := token.(xml.StartElement); ok {
			return start.Name.Local == "svg" && start.Name.Space == "http://www.w3.org/2000/svg"
		}
	}
}

// getLogo serves the operator's logo. An SVG file may hold scripts; the policy keeps them from running where somebody opens
// the file itself.
func (f *face) getLogo(w http.ResponseWriter, r *http.Request) {
	if f.logo == nil {
		getFile("icon.svg", "image/svg+xml")(w, r)
		return
	}
	w.Header().Set("Content-Type", f.logoType)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(f.logo) // the caller may be gone
}
