package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/go-intune/intune"
	"github.com/go-intune/intune/intunetest"
)

const demoDevices = 40

// addDemoFleet adds many devices to the demo's tenant, with what goes wrong among many: a name that two devices share, a
// device of which the service does not want to hear, an answer that gets lost, and a moment of throttling. Their ids are the
// same each time, so that a round of the demo can be continued.
func addDemoFleet(tenant *intunetest.Tenant) {
	var some []intune.DeviceRef
	for i := 1; i <= demoDevices; i++ {
		d := intune.ManagedDevice{
			ID: demoID(i), DeviceName: fmt.Sprintf("PC-%03d", i), SerialNumber: fmt.Sprintf("5CG%07d", 1000+i), OperatingSystem: "Windows",
		}
		if i == demoDevices {
			d.DeviceName = "PC-001" // set up anew; the old record is still there
		}
		ref := tenant.AddDevice(d, intunetest.SessionScript{AfterReads: 2 + i%4})
		if i%3 == 0 {
			some = append(some, ref)
		}
	}
	tenant.AddDetectedApp(intune.DetectedApp{DisplayName: "Fabrikam Agent", Version: "5.2.3"}, some...)
}

// troubleDemoFleet is for after the requests of the past, which had no trouble.
func troubleDemoFleet(tenant *intunetest.Tenant) {
	action := func(i int) string { return demoID(i) + "/requestRemoteAssistance" }
	tenant.Inject(intunetest.Fault{
		Method: http.MethodPost, PathSuffix: action(9), Status: http.StatusBadRequest, Nested: true, Code: "BadRequest",
		Message: "Remote assistance is not supported on this device.", Times: -1,
	})
	tenant.Inject(intunetest.Fault{Method: http.MethodPost, PathSuffix: action(14), Drop: intunetest.DropAfter})
	tenant.Inject(intunetest.Fault{
		Method: http.MethodPost, PathSuffix: action(20), Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"2"}},
	})
}

// demoRound is the round of the demo, which goes on as any other.
func demoRound() (string, error) {
	folder, err := stateFolder()
	if err != nil {
		return "", fmt.Errorf("there is no place for the round of the demo; name a file with --round: %w", err)
	}
	return filepath.Join(folder, "demo.round"), os.MkdirAll(folder, 0o700)
}

func demoID(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

// demoRows is a list with a name that does not exist, and one that two devices share.
func demoRows() []*row {
	var rows []*row
	for i := 1; i < demoDevices; i++ {
		rows = append(rows, &row{line: i, text: fmt.Sprintf("PC-%03d", i), kind: kindName})
	}
	return append(rows, &row{line: demoDevices, text: "PC-O40", kind: kindName})
}
