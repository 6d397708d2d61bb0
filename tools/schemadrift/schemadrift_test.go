package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// smallFacts are what a library knows that uses the metadata in testdata/before.csdl.
func smallFacts(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, content := range map[string]string{
		"types.json": `{"source": "nothing", "types": {"managedDevice": {"base": "entity", "properties": []}}}`,
		"enums.json": `{"enums": {}}`,
		"service.json": `{"entryPoints": {"users": "", "deviceManagement": ""},
			"navigations": {"user/managedDevices": "", "deviceManagement/managedDevices": ""},
			"actions": {"requestRemoteAssistance(managedDevice)": null}}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := settings{dir: ".", facts: relative(t, folder), file: "testdata/before.csdl", source: "commit 1", write: true}
	if _, err := run(s, io.Discard); err != nil {
		t.Fatal(err)
	}
	return folder
}

func relative(t *testing.T, folder string) string {
	t.Helper()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Rel(here, folder)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"types.json", "enums.json", "service.json"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Errorf("%s is no JSON", name)
		}
		files[name] = string(data)
	}
	return files
}

func TestDrift(t *testing.T) {
	t.Parallel()
	folder := smallFacts(t)
	var out strings.Builder
	s := settings{dir: ".", facts: relative(t, folder), file: "testdata/after.csdl"}
	changes, err := run(s, &out)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"deviceGeoLocation: new, with altitude (Edm.Double)",
		"locateDeviceActionResult: new, derived from deviceActionResult, with actionName (Edm.String), deviceLocation (deviceGeoLocation)",
		"managedDevice/autopilotEnrolled: new, Edm.Boolean",
		"managedDevice/azureADRegistered: nullable is false",
		"managedDevice/totalStorageSpaceInBytes: is Edm.Double, was Edm.Int64",
		"managedDevice/imei: gone",
		"managementState/wipePending: new",
		"managementState: is in another order, managed, discovered, retirePending, wipePending",
		"action requestRemoteAssistance(managedDevice): takes sessionType (Edm.String), took nothing",
		`managedDevice/notes: deprecated since 2026-09-01, removed 2028-09-01 at the earliest, "Notes move away."`,
		`requestRemoteAssistance(managedDevice): deprecated since 2026-10-01, removed 2027-04-30 at the earliest, "The connector is legacy."`,
		"createRemoteHelpSession(managedDevice): new, and the library does not use it",
	}
	var got []string
	for _, c := range changes {
		got = append(got, c.what)
		if c.todo == "" || c.missing {
			t.Errorf("%q: to do is %q, missing is %t", c.what, c.todo, c.missing)
		}
		if !strings.Contains(out.String(), "\n"+c.what+"\n    "+c.todo+"\n") {
			t.Errorf("%q is not in the report with what to do:\n%s", c.what, out.String())
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if before := contents(t, folder); strings.Contains(before["types.json"], "autopilotEnrolled") {
		t.Error("the facts changed without -w")
	}

	s.source, s.write = "commit 2", true
	if _, err := run(s, io.Discard); err != nil {
		t.Fatal(err)
	}
	written := contents(t, folder)
	for name, parts := range map[string][]string{
		"types.json": {`"source": "commit 2"`, `{"name": "autopilotEnrolled", "type": "Edm.Boolean", "nullable": false}`},
		"enums.json": {`"source": "commit 2"`, `"managementState": ["managed", "discovered", "retirePending", "wipePending"]`},
		"service.json": {
			`"source": "commit 2"`, `"target": "managedDevice/notes"`, `"removal": "2027-04-30"`, `"createRemoteHelpSession(managedDevice)"`,
		},
	} {
		for _, part := range parts {
			if !strings.Contains(written[name], part) {
				t.Errorf("%s lacks %s:\n%s", name, part, written[name])
			}
		}
	}
	if changes, err = run(s, io.Discard); err != nil || len(changes) != 0 {
		t.Errorf("after the refresh: %v, %v", changes, err)
	}
	if again := contents(t, folder); !reflect.DeepEqual(again, written) {
		t.Error("a second refresh wrote something else")
	}

	// Back again, a deprecation is withdrawn and what was new is gone.
	changes, err = run(settings{dir: ".", facts: relative(t, folder), file: "testdata/before.csdl"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{
		"managedDevice/notes: no longer deprecated", "managedDevice/autopilotEnrolled: gone", "managementState/wipePending: gone",
		"locateDeviceActionResult: gone", "managedDevice/imei: new, Edm.String",
	} {
		if !slices.ContainsFunc(changes, func(c change) bool { return c.what == what }) {
			t.Errorf("no %q in %v", what, changes)
		}
	}
}

// What the library calls is not in the file: the report says so, and a refresh changes nothing.
func TestDriftOfAnIncompleteFile(t *testing.T) {
	t.Parallel()
	folder := smallFacts(t)
	before := contents(t, folder)
	complete, err := os.ReadFile("testdata/before.csdl")
	if err != nil {
		t.Fatal(err)
	}
	for what, cut := range map[string]string{
		"action requestRemoteAssistance(managedDevice): gone": `Action Name="requestRemoteAssistance"`,
		"/users: gone":              `EntitySet Name="users"`,
		"user/managedDevices: gone": `EntityType Name="user"`,
		"managedDevice: gone":       `EntityType Name="managedDevice" BaseType`,
	} {
		file := filepath.Join(t.TempDir(), "part.csdl")
		text := strings.Replace(string(complete), cut, strings.Replace(cut, `Name="`, `Name="x`, 1), 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		changes, err := run(settings{dir: ".", facts: relative(t, folder), file: file, source: "commit 2", write: true}, io.Discard)
		if err == nil || !strings.Contains(err.Error(), "nothing was written") {
			t.Errorf("%s: error %v", what, err)
		}
		if !slices.ContainsFunc(changes, func(c change) bool { return c.what == what && c.missing }) {
			t.Errorf("no %q in %v", what, changes)
		}
	}
	if !reflect.DeepEqual(contents(t, folder), before) {
		t.Error("the facts changed")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	folder := relative(t, smallFacts(t))
	other := filepath.Join(t.TempDir(), "other.csdl")
	if err := os.WriteFile(other, []byte(`<Edmx><DataServices><Schema Namespace="contoso"/></DataServices></Edmx>`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, s := range map[string]settings{
		"-w needs -source":                     {dir: ".", facts: folder, file: "testdata/after.csdl", write: true},
		"no schema with the namespace":         {dir: ".", facts: folder, file: other},
		"not a CSDL file":                      {dir: ".", facts: folder, file: "main.go"},
		"types.json":                           {dir: ".", facts: "testdata", file: "testdata/after.csdl"},
		filepath.Join("testdata", "none.csdl"): {dir: ".", facts: folder, file: "testdata/none.csdl"},
	} {
		if _, err := run(s, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// The facts of the library are in the form that the command writes, so that a refresh shows no other difference.
func TestFormOfTheLibrarysFacts(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "testdata", "schema")
	f, err := readFacts(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.types) < 10 || len(f.enums) < 10 {
		t.Errorf("%d types, %d enums, want 10 of each", len(f.types), len(f.enums))
	}
	if n := len(f.service.Actions); n != 1 {
		t.Errorf("%d actions, want 1", n)
	}
	again := t.TempDir()
	if err := f.write(again); err != nil {
		t.Fatal(err)
	}
	want := contents(t, folder)
	for name, got := range contents(t, again) {
		if got != want[name] {
			t.Errorf("%s differs from what schemadrift would write", name)
		}
	}
}

// TestActionsThatAreNotBound follows two actions that are bound to no type, one of them without parameters.
func TestActionsThatAreNotBound(t *testing.T) {
	t.Parallel()
	m := &model{actions: []csdlOperation{{Name: "ping"}, {Name: "validate", Parameters: []csdlProperty{{Name: "code", Type: "Edm.String"}}}}}
	got := factsOf(m, facts{service: service{Actions: map[string][]property{"ping()": nil, "validate()": nil}}}).service.Actions
	want := map[string][]property{"ping()": {}, "validate()": {{"code", "Edm.String", true}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestTargetKeys(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"microsoft.graph.managedDevice":                                                    "managedDevice",
		"graph.managedDevice/notes":                                                        "managedDevice/notes",
		"microsoft.graph.GraphService/users":                                               "GraphService/users",
		"microsoft.graph.wipe(microsoft.graph.managedDevice,Edm.Boolean)":                  "wipe(managedDevice)",
		"microsoft.graph.retire(graph.managedDevice)":                                      "retire(managedDevice)",
		"microsoft.graph.getAuditCategories(Collection(microsoft.graph.auditEvent))":       "getAuditCategories(Collection(auditEvent))",
		"microsoft.graph.getAuditTypes(Collection(microsoft.graph.auditEvent),Edm.String)": "getAuditTypes(Collection(auditEvent))",
		"microsoft.graph.termStore.term":                                                   "termStore.term",
	} {
		if got := targetKey(target); got != want {
			t.Errorf("%s has the key %s, want %s", target, got, want)
		}
	}
}
