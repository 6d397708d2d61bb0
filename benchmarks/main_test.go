package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got := parse("goos: linux\n" +
		"=== ATTR  TestWaiting waiting/azcore/requests 4.8\n" +
		"BenchmarkAction/intune-2         \t   30000\t     41326 ns/op\t     18099 cpu-ns/op\t    6177 B/op\t      65 allocs/op\n" +
		"PASS\n")
	want := figures{
		"waiting/azcore/requests": 4.8, "Action/intune ns/op": 41326, "Action/intune cpu-ns/op": 18099, "Action/intune B/op": 6177,
		"Action/intune allocs/op": 65,
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		times(0):                              "–",
		times(0.78):                           "× 0.8",
		times(9.96):                           "× 10",
		times(2164):                           "× 2160",
		unit(65, ""):                          "65 ",
		unit(6177, "B", "kB"):                 "6.2 kB",
		unit(25_000_000, "ns", ""):            "25000 ",
		times(median([]float64{3, 1, 2, 10})): "× 2.5",
		times(median(nil)):                    "–",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWithoutRounds(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), nil, 0); err == nil {
		t.Error("no rounds: no error, and a table of zeros")
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	printed, err := outputs(`go: downloading
{"Action":"run","Test":"TestA"}
{"Action":"output","Test":"TestA","Output":"late by 1.022574401s on average (median 1.04s), 8m14.3s at"}
{"Action":"output","Test":"TestA","Output":" the 95th percentile\n"}
`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := find(printed, "TestA", "late by "+long+" on average.*, "+long+" at the 95th percentile")
	if err != nil {
		t.Fatal(err)
	}
	if mean, late := short(got[0]), short(got[1]); mean != "1.02 s" || late != "8 min 14 s" {
		t.Errorf("mean %s, 95th percentile %s", mean, late)
	}
	if _, err := find(printed, "TestA", "no such line"); err == nil {
		t.Error("no error, and a table without the figure")
	}
}

func TestShares(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "actions")
	graph := `[{"Package":"net/http","CmdUser":5,"CmdSys":1},{"Package":"github.com/Azure/azure-sdk-for-go/sdk/azcore","CmdUser":3},` +
		`{"Package":"github.com/go-intune/intune","CmdUser":1},{"Mode":"build check cache"}]`
	if err := os.WriteFile(file, []byte(graph), 0o600); err != nil {
		t.Fatal(err)
	}
	standard, azure, rest, err := shares(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := []float64{standard, azure, rest}; !slices.Equal(got, []float64{60, 30, 10}) {
		t.Errorf("got %v", got)
	}
}

// The releases are those that the library is tested with.
func TestReleases(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	if want := "releases=(" + strings.Join(releases, " ") + ")"; !strings.Contains(string(script), want) {
		t.Errorf(".ci/run has no %q", want)
	}
}
