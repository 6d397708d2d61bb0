package main

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const serial = "4F7K2"

func TestOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		device := tenant.AddDevice(intune.ManagedDevice{SerialNumber: serial})
		link, err := open(t.Context(), tenant.Client(), serial)
		if err != nil || !strings.HasPrefix(link, "https://") {
			t.Errorf("link %q, error %v", link, err)
		}
		if prompts := tenant.Prompts(device); prompts != 1 {
			t.Errorf("the user was asked %d times", prompts)
		}
	})
}

// Unlike the program before the change, this one does not take the link of an earlier session for the new one.
func TestOpenShowsNoOldLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tenant := intunetest.NewTenant(nil)
		old := intune.NewSessionURL("https://get.teamviewer.com/v15/old")
		tenant.AddDevice(intune.ManagedDevice{SerialNumber: serial, RemoteAssistanceSessionURL: old}, intunetest.SessionScript{Never: true})
		link, err := open(t.Context(), tenant.Client(), serial)
		if link != "" || !errors.Is(err, intune.ErrSessionPending) {
			t.Errorf("link %q, error %v", link, err)
		}
	})
}
