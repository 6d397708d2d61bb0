package main

import (
	"context"
	"errors"
	"strings"

	"github.com/go-intune/intune"
)

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
		return nil, failed(exitNothing, "no device has the app %q", j.appName)
	}
	return rows, nil
}

// apps are those that are meant.
func (j *job) apps(ctx context.Context) ([]intune.DetectedApp, error) {
	wanted := strings.TrimSpace(j.appName)
	named, similar, err := appsNamed(ctx, j.client, wanted)
	switch {
	case err != nil:
		return nil, err
	case len(named) == 0 && len(similar) > 0:
		return nil, failed(exitNothing, "no detected app is called %q; similar: %s", wanted, strings.Join(similar, ", "))
	case len(named) == 0:
		return nil, failed(exitNothing, "no detected app is called %q, or has it as its id", wanted)
	case len(named) > 1:
		j.say("%s have this name; the devices of all of them are taken.", plural(len(named), "detected app"))
	}
	return named, nil
}
