package readiness_test

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/readiness"
)

func TestPossibleStatusValues(t *testing.T) {
	t.Parallel()
	if got := readiness.PossibleStatusValues(); !slices.Equal(got, []readiness.Status{"pass", "warn", "fail", "unknown"}) {
		t.Errorf("got %q", got)
	}
}

func TestReport_OK(t *testing.T) {
	t.Parallel()
	for statuses, want := range map[string]bool{
		"": false, "pass": true, "warn": true, "unknown": true, "fail": false,
		"pass fail": false, "fail unknown": false, "warn unknown pass": true,
	} {
		var found readiness.Report
		for status := range strings.FieldsSeq(statuses) {
			found.Results = append(found.Results, readiness.Result{Status: readiness.Status(status)})
		}
		if found.OK() != want {
			t.Errorf("%q: %v", statuses, found.OK())
		}
	}
}

// A web page reads the JSON; a log has a group for each result, whatever was found.
func TestReport_AsData(t *testing.T) {
	t.Parallel()
	found := readiness.Report{Device: intune.Device("1"), Results: []readiness.Result{
		{readiness.NameCloud, readiness.StatusPass, "good", ""},
		{readiness.NameUser, readiness.StatusFail, "none", "find one"},
		{readiness.NameSync, readiness.StatusWarn, "", "sync"},
	}}
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Device":"/deviceManagement/managedDevices/1","Results":[{"Name":"cloud","Status":"pass","Detail":"good"},` +
		`{"Name":"user","Status":"fail","Detail":"none","Remedy":"find one"},{"Name":"sync","Status":"warn","Detail":"","Remedy":"sync"}]}`
	if string(text) != want {
		t.Errorf("JSON %s", text)
	}
	var log strings.Builder
	drop := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}
	slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{ReplaceAttr: drop})).Info("checked", "readiness", found)
	const logged = `{"msg":"checked","readiness":{"device":"device 1","ok":false,"results":{"cloud":{"status":"pass","detail":"good"},` +
		`"user":{"status":"fail","detail":"none","remedy":"find one"},"sync":{"status":"warn","remedy":"sync"}}}}`
	if got := strings.TrimSpace(log.String()); got != logged {
		t.Errorf("logged %s", got)
	}
}
