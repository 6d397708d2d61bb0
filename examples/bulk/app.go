package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

// maxSimilar is how many names are suggested for an app that does not exist.
const maxSimilar = 5

// devicesOfApp are the devices that have an app, in any of its versions. Each version is a detected app of its own.
func (j *job) devicesOfApp(ctx context.Context) ([]*row, error) {
	apps, err := j.apps(ctx)
	if err != nil {
		return nil, err
	}
	var rows []*row
	for _, app := range apps {
		for found, err := range j.client.Devices(ctx, intune.DetectedAppDevices(app.ID), nil) {
			if errors.Is(err, intune.ErrNotFound) {
				break // the app was there a moment ago, or is an id that was not looked up
			}
			if err != nil {
				return nil, err
			}
			m := matchOf(&found)
			if m.id == "" || j.fleet.byID[m.id] != nil {
				continue // in another version too
			}
			r := &row{line: len(rows) + 1, text: found.ID, kind: kindID}
			j.fleet.add(r, m)
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil, failed(exitNotFound, "no device has the app %q", j.app)
	}
	return rows, nil
}

// apps are the one with this id, or else all with this name.
func (j *job) apps(ctx context.Context) ([]intune.DetectedApp, error) {
	wanted := strings.TrimSpace(j.app)
	if len(wanted) == 64 && strings.Trim(strings.ToLower(wanted), "0123456789abcdef") == "" {
		// Intune's ids of apps look so. It spares the list of all apps, which is long and soon throttled.
		return []intune.DetectedApp{{ID: wanted}}, nil
	}
	var named []intune.DetectedApp
	var similar []string
	for app, err := range j.client.DetectedApps(ctx, nil) { // there is no documented filter on apps
		if err != nil {
			return nil, err
		}
		name := strings.TrimSpace(app.DisplayName)
		switch {
		case strings.EqualFold(app.ID, wanted):
			return []intune.DetectedApp{app}, nil
		case strings.EqualFold(name, wanted):
			named = append(named, app)
		case strings.Contains(strings.ToLower(name), strings.ToLower(wanted)) && len(similar) < maxSimilar && !slices.Contains(similar, name):
			similar = append(similar, name)
		}
	}
	switch {
	case len(named) == 0 && len(similar) > 0:
		return nil, failed(exitNotFound, "no detected app is called %q; similar: %s", wanted, strings.Join(similar, ", "))
	case len(named) == 0:
		return nil, failed(exitNotFound, "no detected app is called %q, or has it as its id", wanted)
	case len(named) > 1:
		j.say("%s have this name; the devices of all of them are taken.", plural(len(named), "detected app"))
	}
	return named, nil
}
