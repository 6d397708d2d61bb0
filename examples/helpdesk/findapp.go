package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-intune/intune"
)

// Bounds of a search by app.
const (
	maxReads   = 100 // devices read one by one without -all: one request each
	maxVersion = 10  // apps named on stderr
	quietReads = 20  // more reads than this are announced, since they take a while
)

// findByApp lists the devices that have an app, in any of its versions.
func (s *search) findByApp(ctx context.Context) error {
	apps, err := s.apps(ctx)
	if err != nil {
		return err
	}
	s.noApp = len(apps) == 0
	ids, err := s.idsWithApps(ctx, apps)
	if err != nil {
		return err
	}
	if len(ids) > quietReads {
		s.warn("reading %s, one by one", plural(len(ids), "device"))
	}
	for _, id := range ids {
		if err := s.readByID(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// apps are the detected apps that the technician means.
func (s *search) apps(ctx context.Context) ([]intune.DetectedApp, error) {
	named, similar, err := appsNamed(ctx, s.graph, s.appName)
	if err != nil {
		return nil, err
	}
	s.similar = similar
	if len(named) > 1 {
		s.noteVersions(named)
	}
	return named, nil
}

// noteVersions says which apps share the name: other versions mostly, but also apps of other makers and platforms.
func (s *search) noteVersions(apps []intune.DetectedApp) {
	s.warn("%d detected apps have this name; the devices of all of them are listed. For one of them pass its id:", len(apps))
	for i, app := range apps {
		if i == maxVersion {
			s.warn("and %d more", len(apps)-maxVersion)
			break
		}
		s.warn("%s version %s by %s for %s, %s: --app %s", app.DisplayName, orDash(app.Version), orDash(app.Publisher),
			orDash(string(app.Platform)), plural(int(app.DeviceCount), "device"), app.ID)
	}
}

// idsWithApps are the ids of the devices with any of the apps, each once. Without -all it stops as soon as there are more
// than may be read.
func (s *search) idsWithApps(ctx context.Context, apps []intune.DetectedApp) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	for _, app := range apps {
		for device, err := range s.graph.Devices(ctx, intune.DetectedAppDevices(app.ID), nil) {
			if errors.Is(err, intune.ErrNotFound) {
				// The app was there a moment ago, or is an id that was not looked up.
				s.noApp = len(apps) == 1
				break
			}
			if err != nil {
				return nil, fromService(err)
			}
			id := device.Ref().DeviceID()
			switch {
			case id == "":
				s.skipped++
			case !seen[id] && !s.all && len(ids) == maxReads:
				s.cutOff = true
				return ids, nil
			case !seen[id]:
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// readByID reads a device at its own address, because devices below an app come with few of their properties: what a
// technician must check would be blank there, and -os could not be compared.
func (s *search) readByID(ctx context.Context, id string) error {
	device, err := s.graph.GetDevice(ctx, intune.Device(id), &intune.GetDeviceOptions{Select: shownProperties()})
	switch {
	case errors.Is(err, intune.ErrNotFound):
		s.skipped++ // retired or enrolled again since it was listed
		return nil
	case err != nil:
		return fromService(err)
	}
	if s.system == "" || strings.EqualFold(device.OperatingSystem, s.system) {
		s.devices = append(s.devices, device.ManagedDevice)
	}
	return nil
}

// fromService keeps an id that the library refuses from being taken for wrong usage: the ids here are the service's own.
func fromService(err error) error {
	if errors.Is(err, intune.ErrInvalidArgument) {
		return fmt.Errorf("the service gave an id that cannot be used: %s", err.Error())
	}
	return err
}
