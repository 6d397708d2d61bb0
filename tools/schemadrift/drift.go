package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// change is one difference that concerns the library.
type change struct {
	what    string // what is different
	todo    string // what that means for the library
	missing bool   // something that the library calls is not in the file
}

// drift compares the facts of the library with those of newer metadata.
func drift(before, after facts) []change {
	var list []change
	add := func(missing bool, todo, format string, args ...any) {
		list = append(list, change{fmt.Sprintf(format, args...), todo, missing})
	}
	for _, name := range union(before.types, after.types) {
		old, was := before.types[name]
		now, is := after.types[name]
		switch {
		case !is:
			add(old.Base == "entity", "remove its Go type, which breaks the API, or use a complete CSDL file", "%s: gone", name)
		case !was && now.Base != "" && now.Base != "entity":
			add(false, "read its properties with those of "+goName(before, now.Base),
				"%s: new, derived from %s, with %s", name, now.Base, names(now.Properties))
		case !was:
			add(false, "add a Go type, and to schemaObjects in manageddevice_test.go", "%s: new, with %s", name, names(now.Properties))
		default:
			properties(add, before, name, old, now)
		}
	}
	for _, name := range union(before.enums, after.enums) {
		old, was := before.enums[name]
		now, is := after.enums[name]
		switch {
		case !is:
			add(false, "remove its Go type, which breaks the API, or keep it and say so", "%s: gone", name)
		case !was:
			add(false, "add a Go type, and to schemaEnums in manageddevice_test.go", "%s: new, %s", name, strings.Join(now, ", "))
		default:
			members(add, name, old, now)
		}
	}
	calls(add, before.service, after.service)
	ends(add, before, before.service.Deprecations, after.service.Deprecations)
	for _, name := range after.service.Related {
		if !slices.Contains(before.service.Related, name) {
			add(false, "see whether it replaces the action, or is worth a method", "%s: new, and the library does not use it", name)
		}
	}
	return list
}

type adder func(missing bool, todo, format string, args ...any)

func properties(add adder, before facts, name string, old, now objectType) {
	goType := goName(before, name)
	find := func(list []property, name string) (property, bool) {
		i := slices.IndexFunc(list, func(p property) bool { return p.Name == name })
		if i < 0 {
			return property{}, false
		}
		return list[i], true
	}
	if old.Base != now.Base {
		add(false, "see what it inherits", "%s: derives from %q, no longer from %q", name, now.Base, old.Base)
	}
	for _, p := range now.Properties {
		q, was := find(old.Properties, p.Name)
		switch {
		case !was:
			add(false, "add a field to "+goType, "%s/%s: new, %s", name, p.Name, p.Type)
		case p.Type != q.Type:
			add(false, "change the field of "+goType+", which breaks the API", "%s/%s: is %s, was %s", name, p.Name, p.Type, q.Type)
		case p.Nullable != q.Nullable && p.Type == "Edm.Boolean":
			add(false, "change the field of "+goType+": a Boolean that can be null is a *bool", "%s/%s: nullable is %t", name, p.Name, p.Nullable)
		case p.Nullable != q.Nullable:
			add(false, "nothing: null is the zero value of the field", "%s/%s: nullable is %t", name, p.Name, p.Nullable)
		}
	}
	for _, q := range old.Properties {
		if _, is := find(now.Properties, q.Name); !is {
			add(false, "remove the field of "+goType+", which breaks the API, and every $select that names it", "%s/%s: gone", name, q.Name)
		}
	}
}

func members(add adder, name string, old, now []string) {
	goType := upper(name)
	for _, member := range now {
		if !slices.Contains(old, member) {
			add(false, "add a constant, and to Possible"+goType+"Values", "%s/%s: new", name, member)
		}
	}
	for _, member := range old {
		if !slices.Contains(now, member) {
			add(false, "remove the constant of "+goType+", which breaks the API, or keep it and say so", "%s/%s: gone", name, member)
		}
	}
	if kept := common(old, now); !slices.Equal(kept, common(now, old)) {
		add(false, "put the values of Possible"+goType+"Values in this order", "%s: is in another order, %s", name, strings.Join(now, ", "))
	}
}

func calls(add adder, before, after service) {
	for _, name := range slices.Sorted(maps.Keys(before.EntryPoints)) {
		if now, is := after.EntryPoints[name]; !is {
			add(true, "every address below it answers 404, or the file is not complete", "/%s: gone", name)
		} else if now != before.EntryPoints[name] {
			add(false, "see whether the addresses still lead to devices", "/%s: is %s, was %s", name, now, before.EntryPoints[name])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(before.Navigations)) {
		if now, is := after.Navigations[path]; !is {
			add(true, "addresses with it answer 400, or the file is not complete", "%s: gone", path)
		} else if now != before.Navigations[path] {
			add(false, "see what the addresses with it lead to", "%s: is %s, was %s", path, now, before.Navigations[path])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(before.Actions)) {
		if now, is := after.Actions[key]; !is {
			add(true, "its method cannot work any more, or the file is not complete", "action %s: gone", key)
		} else if !slices.Equal(now, before.Actions[key]) {
			add(false, "the library sends no body: see whether the action still works without them",
				"action %s: takes %s, took %s", key, names(now), names(before.Actions[key]))
		}
	}
}

func ends(add adder, before facts, old, now []deprecation) {
	find := func(list []deprecation, target string) (deprecation, bool) {
		i := slices.IndexFunc(list, func(d deprecation) bool { return d.Target == target })
		if i < 0 {
			return deprecation{}, false
		}
		return list[i], true
	}
	for _, d := range now {
		name, _, _ := strings.Cut(d.Target, "/")
		todo := "say so in the doc comment (Deprecated:), in README.md and CHANGELOG.md"
		if _, ok := before.types[name]; ok {
			todo = "say so in the doc comment of " + goName(before, name) + " (Deprecated:) and in CHANGELOG.md"
		}
		if was, ok := find(old, d.Target); !ok {
			add(false, todo, "%s: deprecated %s", d.Target, d.text())
		} else if was != d {
			add(false, todo, "%s: deprecated %s; was %s", d.Target, d.text(), was.text())
		}
	}
	for _, d := range old {
		if _, ok := find(now, d.Target); !ok {
			add(false, "take it out of the doc comment, unless the thing itself is gone", "%s: no longer deprecated", d.Target)
		}
	}
}

func (d deprecation) text() string {
	text := "since " + d.Date
	if d.Removal != "" {
		text += ", removed " + d.Removal + " at the earliest"
	}
	return fmt.Sprintf("%s, %q", text, d.Description)
}

// goName is the Go type that stands for a type: one for all that derive from the same complex type.
func goName(f facts, name string) string {
	for base := f.types[name].Base; base != "" && base != "entity"; base = f.types[name].Base {
		name = base
	}
	return upper(name)
}

func upper(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func names(list []property) string {
	if len(list) == 0 {
		return "nothing"
	}
	var b strings.Builder
	for i, p := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.Name + " (" + p.Type + ")")
	}
	return b.String()
}

func union[V any](a, b map[string]V) []string {
	return slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, m := range []map[string]V{a, b} {
			for name := range m {
				if !yield(name) {
					return
				}
			}
		}
	}))
}

// common is what of a list is also in the other, in the order of the first.
func common(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}
