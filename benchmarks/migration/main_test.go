package main

import (
	"strings"
	"testing"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"

	"github.com/go-intune/intune/benchmarks/internal/peer"
	"github.com/go-intune/intune/benchmarks/internal/peer/viamsgraph"
)

const serial = "4F7K2"

// openOn runs open on a device of a new tenant, and says how often its user was asked.
func openOn(t *testing.T, device intune.ManagedDevice, script intunetest.SessionScript) (link string, prompts int) {
	t.Helper()
	tenant := intunetest.NewTenant(nil)
	device.SerialNumber = serial
	ref := tenant.AddDevice(device, script)
	client, err := viamsgraph.NewWith(tenant.Credential(), peer.Setup{Transport: tenant})
	if err != nil {
		t.Fatal(err)
	}
	link, err = open(t.Context(), client.Graph, serial)
	if err != nil {
		t.Fatal(err)
	}
	return link, tenant.Prompts(ref)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	link, prompts := openOn(t, intune.ManagedDevice{}, intunetest.SessionScript{AfterReads: 1})
	if !strings.HasPrefix(link, "https://") || prompts != 1 {
		t.Errorf("link %q, the user was asked %d times", link, prompts)
	}
}

// The page says that the program takes the link of an earlier session for the new one.
func TestOpenShowsAnOldLink(t *testing.T) {
	t.Parallel()
	const old = "https://get.teamviewer.com/v15/old"
	link, _ := openOn(t, intune.ManagedDevice{RemoteAssistanceSessionURL: intune.NewSessionURL(old)}, intunetest.SessionScript{Never: true})
	if link != old {
		t.Errorf("link %q", link)
	}
}
