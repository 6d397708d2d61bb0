package main

import (
	"maps"
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
	for _, n := range [][2]int{{0, 1}, {1, 0}} {
		if err := run(t.Context(), nil, n[0], n[1], ""); err == nil {
			t.Errorf("rounds %d, builds %d: no error, and a table of zeros", n[0], n[1])
		}
	}
}
