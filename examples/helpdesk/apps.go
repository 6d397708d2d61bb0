package main

import (
	"context"
	"slices"
	"strings"

	"github.com/go-intune/intune"
)

// maxSimilar is how many names are suggested for an app that does not exist.
const maxSimilar = 5

// appsNamed are the detected apps that a text means: the one with this id, or else all with this name. Every version of an
// app is a detected app of its own. If there is none, it gives names that are similar.
func appsNamed(ctx context.Context, client *intune.Client, wanted string) (apps []intune.DetectedApp, similar []string, err error) {
	if looksLikeAppID(wanted) {
		return []intune.DetectedApp{{ID: wanted}}, nil, nil
	}
	// There is no documented filter on apps, and the service ignores those it does not support: list, and compare here.
	for app, err := range client.DetectedApps(ctx, nil) {
		if err != nil {
			return nil, nil, err
		}
		name := strings.TrimSpace(app.DisplayName)
		switch {
		case strings.EqualFold(app.ID, wanted):
			return []intune.DetectedApp{app}, nil, nil
		case strings.EqualFold(name, wanted):
			apps = append(apps, app)
		case strings.Contains(strings.ToLower(name), strings.ToLower(wanted)) && len(similar) < maxSimilar && !slices.Contains(similar, name):
			similar = append(similar, name)
		}
	}
	return apps, similar, nil
}

// looksLikeAppID recognizes the ids that Intune gives to apps, 64 hexadecimal digits. It spares the list of all apps, which is
// long and soon throttled; an id of another form is found in that list.
func looksLikeAppID(text string) bool {
	return len(text) == 64 && strings.Trim(strings.ToLower(text), "0123456789abcdef") == ""
}
