package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The part of a CSDL file that can concern the library. Names of the namespace microsoft.graph stand without it.
type (
	model struct {
		types       map[string]csdlType // entities and complex types
		enums       map[string]csdlEnum
		actions     []csdlOperation
		functions   []csdlOperation
		entryPoints map[string]string // entity sets and singletons, with their types
		annotations map[string]deprecation
	}
	csdlType struct {
		Name        string           `xml:"Name,attr"`
		Base        string           `xml:"BaseType,attr"`
		Properties  []csdlProperty   `xml:"Property"`
		Navigations []csdlProperty   `xml:"NavigationProperty"`
		Annotations []csdlAnnotation `xml:"Annotation"`
	}
	csdlProperty struct {
		Name        string           `xml:"Name,attr"`
		Type        string           `xml:"Type,attr"`
		Nullable    string           `xml:"Nullable,attr"`
		Annotations []csdlAnnotation `xml:"Annotation"`
	}
	csdlEnum struct {
		Name        string           `xml:"Name,attr"`
		Members     []csdlProperty   `xml:"Member"`
		Annotations []csdlAnnotation `xml:"Annotation"`
	}
	csdlOperation struct {
		Name        string           `xml:"Name,attr"`
		Bound       bool             `xml:"IsBound,attr"`
		Parameters  []csdlProperty   `xml:"Parameter"`
		Annotations []csdlAnnotation `xml:"Annotation"`
	}
	csdlEntryPoint struct {
		Name        string           `xml:"Name,attr"`
		Type        string           `xml:"Type,attr"`
		EntityType  string           `xml:"EntityType,attr"`
		Annotations []csdlAnnotation `xml:"Annotation"`
	}
	csdlAnnotation struct {
		Term    string       `xml:"Term,attr"`
		Records []csdlRecord `xml:"Collection>Record"`
	}
	csdlRecord struct {
		Values []struct {
			Property string `xml:"Property,attr"`
			String   string `xml:"String,attr"`
			Date     string `xml:"Date,attr"`
			Enum     string `xml:"EnumMember,attr"`
			Texts    []struct {
				XMLName xml.Name
				Text    string `xml:",chardata"`
			} `xml:",any"`
		} `xml:"PropertyValue"`
	}
)

const namespace = "microsoft.graph"

// readCSDL reads Graph's metadata, which is some ten megabytes.
func readCSDL(r io.Reader) (*model, error) {
	var document struct {
		Schemas []struct {
			Namespace  string          `xml:"Namespace,attr"`
			Entities   []csdlType      `xml:"EntityType"`
			Complex    []csdlType      `xml:"ComplexType"`
			Enums      []csdlEnum      `xml:"EnumType"`
			Actions    []csdlOperation `xml:"Action"`
			Functions  []csdlOperation `xml:"Function"`
			Containers []struct {
				Name       string           `xml:"Name,attr"`
				Sets       []csdlEntryPoint `xml:"EntitySet"`
				Singletons []csdlEntryPoint `xml:"Singleton"`
			} `xml:"EntityContainer"`
			Annotations []struct {
				Target      string           `xml:"Target,attr"`
				Annotations []csdlAnnotation `xml:"Annotation"`
			} `xml:"Annotations"`
		} `xml:"DataServices>Schema"`
	}
	if err := xml.NewDecoder(r).Decode(&document); err != nil {
		return nil, fmt.Errorf("not a CSDL file: %w", err)
	}
	m := &model{
		types: map[string]csdlType{}, enums: map[string]csdlEnum{},
		entryPoints: map[string]string{}, annotations: map[string]deprecation{},
	}
	found := false
	for _, schema := range document.Schemas {
		if schema.Namespace != namespace {
			continue
		}
		found = true
		for _, t := range append(schema.Entities, schema.Complex...) {
			t.Base = local(t.Base)
			m.types[t.Name] = t
			m.annotate(t.Name, t.Annotations)
			for _, p := range append(t.Properties, t.Navigations...) {
				m.annotate(t.Name+"/"+p.Name, p.Annotations)
			}
		}
		for _, e := range schema.Enums {
			m.enums[e.Name] = e
			m.annotate(e.Name, e.Annotations)
			for _, member := range e.Members {
				m.annotate(e.Name+"/"+member.Name, member.Annotations)
			}
		}
		for _, a := range schema.Actions {
			m.annotate(a.key(), a.Annotations)
		}
		m.actions = append(m.actions, schema.Actions...)
		m.functions = append(m.functions, schema.Functions...)
		for _, container := range schema.Containers {
			for _, point := range append(container.Sets, container.Singletons...) {
				m.entryPoints[point.Name] = local(point.EntityType + point.Type) // a set has the one, a singleton the other
				m.annotate(container.Name+"/"+point.Name, point.Annotations)
			}
		}
		for _, a := range schema.Annotations {
			m.annotate(targetKey(a.Target), a.Annotations)
		}
	}
	if !found {
		return nil, errors.New("the file has no schema with the namespace " + namespace)
	}
	return m, nil
}

// local takes Graph's namespace or its alias off a type's name.
func local(name string) string {
	if inner, ok := strings.CutPrefix(name, "Collection("); ok {
		return "Collection(" + local(strings.TrimSuffix(inner, ")")) + ")"
	}
	for _, prefix := range []string{namespace + ".", "graph."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
	return name
}

// targetKey is the key of the target of an annotation that stands apart. What is bound to one type can have the name of
// what is bound to another, so that the first parameter is part of the key.
func targetKey(target string) string {
	name, parameters, isOperation := strings.Cut(target, "(")
	if !isOperation {
		return local(target)
	}
	binding, _, _ := strings.Cut(parameters, ",")
	binding = strings.TrimRight(binding, ")")
	if strings.HasPrefix(binding, "Collection(") {
		binding += ")"
	}
	return local(name) + "(" + local(binding) + ")"
}

// key names an operation and what it is bound to.
func (o csdlOperation) key() string {
	if !o.Bound || len(o.Parameters) == 0 {
		return o.Name + "()"
	}
	return o.Name + "(" + local(o.Parameters[0].Type) + ")"
}

// sent are the parameters of an operation without the one that it is bound to.
func (o csdlOperation) sent() []csdlProperty {
	if !o.Bound || len(o.Parameters) == 0 {
		return o.Parameters
	}
	return o.Parameters[1:]
}

// annotate keeps the annotations that say that a thing is going away.
func (m *model) annotate(key string, annotations []csdlAnnotation) {
	for _, a := range annotations {
		if a.Term != "Org.OData.Core.V1.Revisions" {
			continue
		}
		for _, record := range a.Records {
			values := map[string]string{}
			for _, v := range record.Values {
				values[v.Property] = v.String + v.Date + v.Enum
				for _, text := range v.Texts {
					values[v.Property] += strings.TrimSpace(text.Text)
				}
			}
			if strings.HasSuffix(values["Kind"], "/Deprecated") {
				m.annotations[key] = deprecation{
					Target: key, Date: values["Date"], Removal: values["RemovalDate"],
					Description: strings.Join(strings.Fields(values["Description"]), " "),
				}
			}
		}
	}
}

// lineage is a type with those it derives from, the root first.
func (m *model) lineage(name string) []csdlType {
	var list []csdlType
	for depth := 0; name != "" && depth < 20; depth++ { // a damaged file may have a circle
		t, ok := m.types[name]
		if !ok {
			break
		}
		list = append([]csdlType{t}, list...)
		name = t.Base
	}
	return list
}
