package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

// sample is what the tenant holds without -data, and an example of the file's format.
//
//go:embed sample.json
var sample []byte

// content is a file of -data.
type content struct {
	// Devices are as Graph writes them. A saved answer to GET …/managedDevices will do: its "value" are devices too.
	Devices []device `json:"devices"`
	Value   []device `json:"value"`

	// Sessions are, by device id, what becomes of the requests for remote assistance, one after the other.
	Sessions map[string][]script `json:"sessions"`

	DetectedApps []detectedApp `json:"detectedApps"`

	// Users are accounts that have no device.
	Users []struct {
		ID                string `json:"id"`
		UserPrincipalName string `json:"userPrincipalName"`
	} `json:"users"`

	// Connector is the state of the connector: "onboarded" by default, "onboarding", "notOnboarded", "none" for a tenant
	// without one, or "hidden" for one that callers may not look at.
	Connector string `json:"connector"`

	// Context, Count and NextLink are what a saved answer of Graph has besides.
	Context  string `json:"@odata.context"`
	Count    int    `json:"@odata.count"`
	NextLink string `json:"@odata.nextLink"`
}

// script is intunetest.SessionScript.
type script struct {
	URL          string   `json:"url"`
	ErrorDetails string   `json:"errorDetails"`
	AfterReads   int      `json:"afterReads"`
	After        duration `json:"after"`
	Never        bool     `json:"never"`
	KeepOld      bool     `json:"keepOld"`
	ClearOld     bool     `json:"clearOld"`
}

// detectedApp is an app as Graph writes it and the ids of its devices.
type detectedApp struct {
	intune.DetectedApp

	devices []string
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *detectedApp) UnmarshalJSON(data []byte) error {
	var more struct {
		Devices []string `json:"devices"`
	}
	if err := json.Unmarshal(data, &more); err != nil {
		return err
	}
	a.devices = more.Devices
	return json.Unmarshal(data, &a.DetectedApp)
}

// duration is text such as "1m30s", or a number of seconds.
type duration time.Duration

// UnmarshalJSON implements [json.Unmarshaler].
func (d *duration) UnmarshalJSON(data []byte) error {
	text := string(data)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		*d = duration(seconds * float64(time.Second))
		return nil
	}
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("a duration is text such as \"1m30s\", or a number of seconds")
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no duration; it should be like \"1m30s\", or a number of seconds", text)
	}
	*d = duration(parsed)
	return nil
}

// readData reads the file, or the sample if there is none.
func readData(name string) (*content, error) {
	data, from := sample, "the sample"
	if name != "" {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			return nil, err
		}
		from = name
	}
	c := &content{}
	if err := unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return c, nil
}

// unmarshal reads one JSON value and refuses members that nothing reads, which are misspelled more often than not.
func unmarshal(data []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	decoder.DisallowUnknownFields()
	switch err := decoder.Decode(to); {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty; it should be a JSON object")
	case err != nil:
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return fmt.Errorf("no JSON: %w, at byte %d", err, syntax.Offset)
		}
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON")
	}
	return nil
}

// check finds what would only show in a puzzling answer later.
func (c *content) check() error {
	if _, ok := connectors[c.Connector]; !ok {
		return fmt.Errorf("connector %q is no state; it should be onboarded, onboarding, notOnboarded, none or hidden", c.Connector)
	}
	known := map[string]bool{}
	for i, d := range c.devices() {
		if d.ID == "" {
			return fmt.Errorf("device %d has no id", i+1)
		}
		if known[d.ID] {
			return fmt.Errorf("two devices have the id %s", d.ID)
		}
		known[d.ID] = true
	}
	for id := range c.Sessions {
		if !known[id] {
			return fmt.Errorf("sessions are for %s, which is the id of no device", id)
		}
	}
	for _, a := range c.DetectedApps {
		for _, id := range a.devices {
			if !known[id] {
				return fmt.Errorf("the app %q is on %s, which is the id of no device", a.DisplayName, id)
			}
		}
	}
	return nil
}

// nameToPaste is what finds a device of the content on a command line, in any shell and without quotes.
func (c *content) nameToPaste() string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
	for _, d := range c.devices() {
		for _, name := range []string{d.DeviceName, d.ID} {
			if name != "" && name[0] != '-' && strings.Trim(name, plain) == "" {
				return name
			}
		}
	}
	return "WHO"
}

func (c *content) devices() []device {
	return slices.Concat(c.Devices, c.Value)
}

var connectors = map[string]intune.ConnectorState{
	"":             intune.ConnectorStateOnboarded,
	"onboarded":    intune.ConnectorStateOnboarded,
	"onboarding":   intune.ConnectorStateOnboarding,
	"notOnboarded": intune.ConnectorStateNotOnboarded,
	"none":         "",
	"hidden":       intune.ConnectorStateUnknown,
}

// tenant makes a tenant of the content.
func (c *content) tenant(options *intunetest.TenantOptions) *intunetest.Tenant {
	tenant := intunetest.NewTenant(options)
	tenant.SetConnector(connectors[c.Connector])
	for _, u := range c.Users {
		tenant.AddUser(u.ID, u.UserPrincipalName)
	}
	for _, d := range c.devices() {
		var scripts []intunetest.SessionScript
		for _, s := range c.Sessions[d.ID] {
			scripts = append(scripts, intunetest.SessionScript{
				URL: s.URL, ErrorDetails: s.ErrorDetails, AfterReads: s.AfterReads, After: time.Duration(s.After),
				Never: s.Never, KeepOld: s.KeepOld, ClearOld: s.ClearOld,
			})
		}
		tenant.AddDevice(d.ManagedDevice, scripts...)
	}
	for _, a := range c.DetectedApps {
		var devices []intune.DeviceRef
		for _, id := range a.devices {
			devices = append(devices, intune.Device(id))
		}
		tenant.AddDetectedApp(a.DetectedApp, devices...)
	}
	return tenant
}
