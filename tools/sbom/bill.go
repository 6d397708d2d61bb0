package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"
)

// The parts of CycloneDX 1.6 that a bill needs: https://cyclonedx.org/docs/1.6/json/.
type (
	document struct {
		Schema       string       `json:"$schema"`
		BOMFormat    string       `json:"bomFormat"`
		SpecVersion  string       `json:"specVersion"`
		Version      int          `json:"version"`
		Metadata     metadata     `json:"metadata"`
		Components   []component  `json:"components"`
		Dependencies []dependency `json:"dependencies"`
	}
	metadata struct {
		Component component `json:"component"`
	}
	component struct {
		Type       string     `json:"type"`
		Ref        string     `json:"bom-ref"`
		Name       string     `json:"name"`
		Version    string     `json:"version,omitempty"`
		Hashes     []digest   `json:"hashes,omitempty"`
		Licenses   []license  `json:"licenses"`
		PURL       string     `json:"purl"`
		Properties []property `json:"properties,omitempty"`
	}
	digest struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	license struct {
		Expression string `json:"expression"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	dependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn"`
	}
)

// bill is the bill of materials of a program. It has no date and no number of its own, so that a program has one bill only.
// Go does not say which module needs which, so all are what the program depends on.
func bill(p program) ([]byte, error) {
	d := document{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: "CycloneDX", SpecVersion: "1.6", Version: 1,
	}
	own := p.modules[0]
	main := part("application", own)
	main.Name = path.Base(p.path)
	if sub := strings.TrimPrefix(strings.TrimPrefix(p.path, own.path), "/"); sub != "" {
		main.PURL += "#" + sub
		main.Ref = main.PURL
	}
	main.Hashes = []digest{{"SHA-256", p.hash}}
	for _, key := range slices.Sorted(maps.Keys(p.settings)) {
		main.Properties = append(main.Properties, property{"go:build:" + key, p.settings[key]})
	}
	d.Metadata.Component = main
	uses := dependency{Ref: main.Ref}
	for _, m := range p.modules[1:] {
		c := part("library", m)
		d.Components = append(d.Components, c)
		uses.DependsOn = append(uses.DependsOn, c.Ref)
	}
	d.Dependencies = []dependency{uses}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return text.Bytes(), err
}

// part is a module in a bill. A package URL of Go has small letters only.
func part(kind string, m module) component {
	purl := "pkg:golang/" + strings.ToLower(m.path)
	if m.version != "" {
		purl += "@" + url.QueryEscape(m.version)
	}
	c := component{Type: kind, Ref: purl, Name: m.path, Version: m.version, Licenses: []license{{m.license}}, PURL: purl}
	if m.sum != "" {
		c.Properties = []property{{"go:sum", m.sum}}
	}
	return c
}
