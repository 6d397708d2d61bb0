package intune_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

// ignoring serves three pages of a list whose filter the service ignores (C§3.1). On the last, nothing is dropped.
func ignoring(req *http.Request) (*http.Response, error) {
	const next = `"@odata.nextLink":"https://graph.microsoft.com/v1.0/deviceManagement/managedDevices?$skiptoken=2",`
	switch req.URL.Query().Get("$skiptoken") {
	case "3":
		return answer(req, http.StatusOK, nil, `{"value":[{"id":"4","deviceName":"pc"}]}`), nil // came before
	case "2":
		return answer(req, http.StatusOK, nil, `{`+strings.Replace(next, "=2", "=3", 1)+`"value":[{"id":"3","deviceName":"SRV"},{"id":"4","deviceName":"PC"}]}`), nil
	}
	return answer(req, http.StatusOK, nil, `{`+next+`"value":[{"id":"1","deviceName":"SRV"},{"id":"2","deviceName":"srv"}]}`), nil
}

// TestIgnoredFilterIsTold: rows that do not match are left out, and who wants to know is told how many.
func TestIgnoredFilterIsTold(t *testing.T) {
	t.Parallel()
	filter := intune.DeviceFilter{DeviceName: "PC"}
	calls := map[string]func(*intune.Client, func(intune.ListDevicesResponse)) ([]string, error){
		"Devices": func(client *intune.Client, onPage func(intune.ListDevicesResponse)) (ids []string, err error) {
			for device, err := range client.Devices(t.Context(), intune.AllDevices(), &intune.ListDevicesOptions{Filter: filter, OnPage: onPage}) {
				if err != nil {
					return nil, err
				}
				ids = append(ids, device.ID)
			}
			return ids, nil
		},
		"FindDevice": func(client *intune.Client, onPage func(intune.ListDevicesResponse)) ([]string, error) {
			device, err := client.FindDevice(t.Context(), filter, &intune.FindDeviceOptions{OnPage: onPage})
			return []string{device.ID}, err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collected := &spans{}
			client := newClient(t, transportFunc(ignoring), func(o *intune.ClientOptions) { o.TracingProvider = collected.provider() })
			var dropped, rows []int
			found, err := call(client, func(page intune.ListDevicesResponse) {
				dropped, rows = append(dropped, page.Dropped), append(rows, len(page.Value))
			})
			if err != nil || !slices.Equal(found, []string{"4"}) {
				t.Fatalf("found %v, error %v", found, err)
			}
			if !slices.Equal(dropped, []int{2, 1, 0}) || !slices.Equal(rows, []int{0, 1, 0}) {
				t.Errorf("OnPage saw %v rows, and %v dropped", rows, dropped)
			}
			var events []string
			for _, made := range collected.list {
				events = append(events, made.events...)
			}
			if want := []string{"rows that do not match the filter[{intune.dropped 2}]", "rows that do not match the filter[{intune.dropped 1}]"}; !slices.Equal(events, want) {
				t.Errorf("events %q", events)
			}
		})
	}
}

func TestOnPageIsNotCalledForAPageThatFailed(t *testing.T) {
	t.Parallel()
	client := newClient(t, always(http.StatusNotFound, ""))
	options := &intune.ListDevicesOptions{OnPage: func(intune.ListDevicesResponse) { t.Error("called") }}
	for _, err := range client.Devices(t.Context(), intune.AllDevices(), options) {
		if err == nil {
			t.Error("no error")
		}
	}
}
