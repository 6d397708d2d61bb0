package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// facts are the files of testdata/schema.
type facts struct {
	source  string
	order   []string // of the types in their file
	types   map[string]objectType
	enums   map[string][]string
	service service
}

type objectType struct {
	Base       string     `json:"base"`
	Properties []property `json:"properties"`
}

type property struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
}

// service is what the library calls, and what Microsoft says about the end of it.
type service struct {
	Source       string                `json:"source"`
	EntryPoints  map[string]string     `json:"entryPoints"`  // entity sets and singletons, with their types
	Navigations  map[string]string     `json:"navigations"`  // "type/property", with its type
	Actions      map[string][]property `json:"actions"`      // "action(type)", with its parameters
	Related      []string              `json:"related"`      // everything else whose name speaks of remote assistance or Remote Help
	Deprecations []deprecation         `json:"deprecations"` // of any of these
}

// deprecation is an annotation Org.OData.Core.V1.Revisions of the kind Deprecated.
type deprecation struct {
	Target      string `json:"target"`
	Date        string `json:"date"`
	Removal     string `json:"removal"`
	Description string `json:"description"`
}

func readFacts(folder string) (facts, error) {
	var types struct {
		Source string          `json:"source"`
		Types  json.RawMessage `json:"types"`
	}
	var enums struct {
		Enums map[string][]string `json:"enums"`
	}
	f := facts{types: map[string]objectType{}}
	for _, file := range []struct {
		name string
		into any
	}{{"types.json", &types}, {"enums.json", &enums}, {"service.json", &f.service}} {
		data, err := os.ReadFile(filepath.Join(folder, file.name))
		if err != nil {
			return f, err
		}
		if err := json.Unmarshal(data, file.into); err != nil {
			return f, fmt.Errorf("%s: %w", file.name, err)
		}
	}
	f.source, f.enums = types.Source, enums.Enums
	d := json.NewDecoder(bytes.NewReader(types.Types))
	if _, err := d.Token(); err != nil {
		return f, fmt.Errorf("types.json: %w", err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return f, fmt.Errorf("types.json: %w", err)
		}
		var t objectType
		if err := d.Decode(&t); err != nil {
			return f, fmt.Errorf("types.json: %w", err)
		}
		f.order = append(f.order, fmt.Sprint(name))
		f.types[fmt.Sprint(name)] = t
	}
	return f, nil
}

// write puts one property and one enum on a line, so that a diff shows what changed.
func (f facts) write(folder string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "{\n  \"source\": %s,\n  \"types\": {\n", text(f.source))
	for i, name := range f.order {
		fmt.Fprintf(&b, "    %s: {\n      \"base\": %s,\n      \"properties\": [\n", text(name), text(f.types[name].Base))
		for j, p := range f.types[name].Properties {
			fmt.Fprintf(&b, "        {\"name\": %s, \"type\": %s, \"nullable\": %t}%s\n",
				text(p.Name), text(p.Type), p.Nullable, comma(j, len(f.types[name].Properties)))
		}
		fmt.Fprintf(&b, "      ]\n    }%s\n", comma(i, len(f.order)))
	}
	b.WriteString("  }\n}\n")
	types := b.String()

	b.Reset()
	fmt.Fprintf(&b, "{\n  \"source\": %s,\n  \"enums\": {\n", text(f.source))
	for i, name := range slices.Sorted(maps.Keys(f.enums)) {
		var members []string
		for _, member := range f.enums[name] {
			members = append(members, text(member))
		}
		fmt.Fprintf(&b, "    %s: [%s]%s\n", text(name), strings.Join(members, ", "), comma(i, len(f.enums)))
	}
	b.WriteString("  }\n}\n")
	enums := b.String()

	f.service.Source = f.source
	b.Reset()
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(f.service); err != nil {
		return err
	}
	for _, file := range []struct{ name, content string }{{"types.json", types}, {"enums.json", enums}, {"service.json", b.String()}} {
		if err := os.WriteFile(filepath.Join(folder, file.name), []byte(file.content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func text(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(quoted)
}

func comma(i, n int) string {
	if i < n-1 {
		return ","
	}
	return ""
}

// factsOf takes from the metadata what the facts hold: the same entities with all types that can come with them, the same
// entry points, navigations and actions. What is gone is left out.
func factsOf(m *model, old facts) facts {
	f := facts{
		types: map[string]objectType{}, enums: map[string][]string{},
		service: service{EntryPoints: map[string]string{}, Navigations: map[string]string{}, Actions: map[string][]property{}},
	}
	var queue []string
	for _, name := range old.order {
		if old.types[name].Base == "entity" {
			queue = append(queue, name)
		}
	}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if _, done := f.types[name]; done {
			continue
		}
		if enum, ok := m.enums[name]; ok {
			var members []string
			for _, member := range enum.Members {
				members = append(members, member.Name)
			}
			f.enums[name] = members
			continue
		}
		if _, ok := m.types[name]; !ok {
			continue
		}
		t := objectType{Base: m.types[name].Base}
		for _, ancestor := range m.lineage(name) {
			for _, p := range ancestor.Properties {
				t.Properties = append(t.Properties, fact(p))
				queue = append(queue, element(local(p.Type)))
			}
		}
		f.types[name] = t
		// The service may answer with a derived type wherever the metadata names its base.
		queue = append(queue, slices.Sorted(func(yield func(string) bool) {
			for derived, d := range m.types {
				if d.Base == name && !yield(derived) {
					return
				}
			}
		})...)
	}
	for _, name := range old.order {
		if _, ok := f.types[name]; ok {
			f.order = append(f.order, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.types)) {
		if !slices.Contains(f.order, name) {
			f.order = append(f.order, name)
		}
	}

	for name := range old.service.EntryPoints {
		if t, ok := m.entryPoints[name]; ok {
			f.service.EntryPoints[name] = t
		}
	}
	for path := range old.service.Navigations {
		name, navigation, _ := strings.Cut(path, "/")
		for _, t := range m.lineage(name) {
			for _, n := range t.Navigations {
				if n.Name == navigation {
					f.service.Navigations[path] = local(n.Type)
				}
			}
		}
	}
	for _, a := range m.actions {
		if _, ok := old.service.Actions[a.key()]; ok {
			parameters := []property{}
			for _, p := range a.sent() {
				parameters = append(parameters, fact(p))
			}
			f.service.Actions[a.key()] = parameters
		}
	}
	f.service.Related = related(m, f)
	f.service.Deprecations = deprecations(m, f)
	return f
}

func fact(p csdlProperty) property {
	return property{p.Name, local(p.Type), p.Nullable != "false"}
}

func element(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, "Collection("), ")")
}

// related lists what the library does not use and its maintainers want to know of: the replacement of the action may be
// among it one day.
func related(m *model, f facts) []string {
	names := []string{}
	add := func(key, name string) {
		name = strings.ToLower(name)
		if strings.Contains(name, "remoteassist") || strings.Contains(name, "remotehelp") || strings.Contains(name, "teamviewer") {
			names = append(names, key)
		}
	}
	for _, a := range m.actions {
		if _, known := f.service.Actions[a.key()]; !known {
			add(a.key(), a.Name)
		}
	}
	for _, o := range m.functions {
		add(o.key(), o.Name)
	}
	for name, t := range m.types {
		if _, known := f.types[name]; known {
			continue
		}
		add(name, name)
		for _, p := range append(t.Properties, t.Navigations...) {
			if _, known := f.service.Navigations[name+"/"+p.Name]; !known {
				add(name+"/"+p.Name, p.Name)
			}
		}
	}
	for name := range m.enums {
		if _, known := f.enums[name]; !known {
			add(name, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// deprecations are those of everything in the facts, of the properties of bases too.
func deprecations(m *model, f facts) []deprecation {
	targets := map[string]bool{}
	for name := range f.types {
		for _, t := range m.lineage(name) {
			targets[t.Name] = true
			for _, p := range t.Properties {
				targets[t.Name+"/"+p.Name] = true
			}
		}
	}
	for name, members := range f.enums {
		targets[name] = true
		for _, member := range members {
			targets[name+"/"+member] = true
		}
	}
	for name := range f.service.EntryPoints {
		targets["GraphService/"+name] = true
	}
	for path := range f.service.Navigations {
		name, navigation, _ := strings.Cut(path, "/")
		for _, t := range m.lineage(name) {
			targets[t.Name+"/"+navigation] = true
		}
	}
	for key := range f.service.Actions {
		targets[key] = true
	}
	list := []deprecation{}
	for _, target := range slices.Sorted(maps.Keys(targets)) {
		if d, ok := m.annotations[target]; ok {
			list = append(list, d)
		}
	}
	return list
}
