package intune_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/go-intune/intune"
)

// telling is a device whose every text tells, so that a leak is seen.
func telling(t *testing.T) intune.ManagedDevice {
	t.Helper()
	var fill func(value reflect.Value)
	fill = func(value reflect.Value) {
		switch value.Kind() { //nolint:exhaustive // the kinds that a device has
		case reflect.String:
			value.SetString("LEAK")
		case reflect.Bool:
			value.SetBool(true)
		case reflect.Int32, reflect.Int64:
			value.SetInt(987654321)
		case reflect.Float64:
			value.SetFloat(48.1371)
		case reflect.Pointer:
			value.Set(reflect.New(value.Type().Elem()))
			fill(value.Elem())
		case reflect.Slice:
			value.Set(reflect.MakeSlice(value.Type(), 1, 1))
			fill(value.Index(0))
		case reflect.Struct:
			switch value.Type() {
			case reflect.TypeFor[time.Time]():
				value.Set(reflect.ValueOf(time.Date(2026, 8, 20, 7, 8, 9, 123456700, time.UTC)))
			case reflect.TypeFor[intune.SessionURL]():
				value.Set(reflect.ValueOf(intune.NewSessionURL("https://LEAK.example")))
			case reflect.TypeFor[intune.Secret]():
				value.Set(reflect.ValueOf(intune.NewSecret("LEAK")))
			default:
				for _, field := range value.Fields() {
					fill(field)
				}
			}
		}
	}
	var device intune.ManagedDevice
	fill(reflect.ValueOf(&device).Elem())
	device.ID, device.OperatingSystem, device.Model = "id-1", "Windows", "Model\n1"
	device.DeviceActionResults[0].ActionName, device.DeviceActionResults[0].ActionState = "locateDevice", "done"
	return device
}

func TestManagedDevice_PrintingShowsNoPersonalData(t *testing.T) {
	t.Parallel()
	device := telling(t)
	result := device.DeviceActionResults[0]
	type embedding struct{ intune.ManagedDevice }
	for _, value := range []any{
		device, &device,
		[]intune.ManagedDevice{device},
		embedding{device},
		struct{ Device intune.ManagedDevice }{device},
		result, &result, *result.DeviceLocation, result.DeviceLocation,
	} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", value)
		if _, isSlice := value.([]intune.ManagedDevice); !isSlice && reflect.TypeOf(value).Name() != "" {
			slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "value", value)
		}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%.1f"} {
			fmt.Fprintf(&log, verb, value)
		}
		text := log.String()
		for _, secret := range []string{"LEAK", "987654321", "48.1"} {
			if strings.Contains(text, secret) {
				t.Errorf("%T shows %s: %s", value, secret, text)
			}
		}
	}
	if got, want := device.String(), `device id="id-1" os="Windows" model="Model\n1"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := result.String(), `action result action="locateDevice" state="done" updated="2026-08-20T07:08:09Z"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	zeros := fmt.Sprint(intune.ManagedDevice{}, intune.DeviceActionResult{}, intune.DeviceGeoLocation{})
	if zeros != "device action result location" {
		t.Errorf("zero values print %s", zeros)
	}
}

// A text of the service cannot forge a line of a log, and a time that is not set is not shown as the year 1.
func TestManagedDevice_PrintedModelsAreOneLine(t *testing.T) {
	t.Parallel()
	const forged = "a\nlevel=ERROR msg=\x1b[31mforged"
	for _, value := range []fmt.Stringer{
		intune.ManagedDevice{ID: forged, Model: forged},
		intune.DeviceActionResult{ActionName: forged, ActionState: forged},
		intune.DeviceGeoLocation{},
		intune.RemoteAssistancePartner{ID: forged, DisplayName: forged, OnboardingStatus: forged},
		intune.AuditEvent{ID: forged, ActivityType: forged, ActivityResult: forged, CorrelationID: forged},
		intune.AuditActor{AuditActorType: forged, ApplicationID: forged},
		intune.AuditResource{AuditResourceType: forged, ResourceID: forged},
		intune.AuditProperty{DisplayName: forged},
	} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		text := fmt.Sprintf("%v %+v %s", value, value, value) + strings.TrimSuffix(log.String(), "\n")
		if strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, "0001-01-01") {
			t.Errorf("%T: %q", value, text)
		}
		if shown := fmt.Sprint(value); shown == "" || shown != value.String() {
			t.Errorf("%T prints %q, and its String is %q", value, shown, value.String())
		}
	}
}

func TestManagedDevice_Ref(t *testing.T) {
	t.Parallel()
	if got := (intune.ManagedDevice{ID: "a"}).Ref(); got != intune.Device("a") {
		t.Errorf("got %v", got)
	}
	if got := (intune.ManagedDevice{}).Ref(); !got.IsZero() {
		t.Errorf("got %v", got)
	}
}

func TestManagedDevice_MarshalRoundTrip(t *testing.T) {
	t.Parallel()
	device := telling(t)
	device.DeviceActionResults[0].DeviceLocation.Altitude = math.Inf(1)
	device.DeviceActionResults[0].DeviceLocation.Speed = math.Inf(-1)
	data, err := json.Marshal(device)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"remoteAssistanceSessionUrl":"REDACTED"`, `"activationLockBypassCode":"REDACTED"`, `"speed":"-INF"`,
	} {
		if !bytes.Contains(data, []byte(want)) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	var again intune.ManagedDevice
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	device.RemoteAssistanceSessionURL, device.ActivationLockBypassCode = intune.SessionURL{}, intune.Secret{}
	device.DeviceActionResults[0].UnlockPIN, device.DeviceActionResults[0].Passcode = intune.Secret{}, intune.Secret{}
	if !reflect.DeepEqual(again, device) {
		t.Errorf("got %s\nwant %s", data, again)
	}

	for _, zero := range []any{
		intune.ManagedDevice{},
		intune.DeviceActionResult{},
		intune.DeviceGeoLocation{},
		intune.DetectedApp{},
		intune.ConfigurationManagerClientEnabledFeatures{},
		intune.DeviceHealthAttestationState{},
	} {
		if data, err := json.Marshal(zero); err != nil || string(data) != "{}" {
			t.Errorf("zero %T marshals as %s, %v", zero, data, err)
		}
	}
	no := false
	if data, err := json.Marshal(intune.ManagedDevice{AzureADRegistered: &no}); err != nil || string(data) != `{"azureADRegistered":false}` {
		t.Errorf("got %s, %v", data, err)
	}
	location := intune.DeviceGeoLocation{Heading: math.NaN()}
	if data, err := json.Marshal(location); err != nil || string(data) != `{"heading":"NaN"}` {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestManagedDevice_PartsUnmarshalByThemselves(t *testing.T) {
	t.Parallel()
	var result intune.DeviceActionResult
	if err := json.Unmarshal([]byte(`{"errorCode":"7","startDateTime":"0001-01-01T00:00:00Z","passcode":"p"}`), &result); err != nil ||
		!reflect.DeepEqual(result, intune.DeviceActionResult{ErrorCode: 7, Passcode: intune.NewSecret("p")}) {
		t.Errorf("got %v, %v", result, err)
	}
	var location intune.DeviceGeoLocation
	if err := json.Unmarshal([]byte(`{"latitude":"NaN","longitude":1.5}`), &location); err != nil {
		t.Error(err)
	}
	if !math.IsNaN(location.Latitude) || location.Longitude != 1.5 {
		t.Errorf("got %v and %v", location.Latitude, location.Longitude)
	}
	var state intune.DeviceHealthAttestationState
	if err := json.Unmarshal([]byte(`{"resetCount":"3","dataExcutionPolicy":"OptIn"}`), &state); err != nil {
		t.Error(err)
	}
	if state.ResetCount != 3 || state.DataExecutionPolicy != "OptIn" {
		t.Errorf("got %d and %q", state.ResetCount, state.DataExecutionPolicy)
	}
	var features intune.ConfigurationManagerClientEnabledFeatures
	if err := json.Unmarshal([]byte(`{"inventory":true,"modernApps":null}`), &features); err != nil || !features.Inventory {
		t.Errorf("got %v, %v", features, err)
	}
	var app intune.DetectedApp
	err := json.Unmarshal([]byte(`{"deviceCount":"x"}`), &app)
	checkSays(t, err, "deviceCount is not an integer of 32 bits")
}

// TestManagedDevice_EnumConstantsAreListed checks what reflection cannot: that each constant of an enum is among its possible values,
// begins with the name of its type, and has a comment.
func TestManagedDevice_EnumConstantsAreListed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	listed := map[string][]string{}
	for _, enum := range schemaEnums {
		goEnum, values := enum()
		listed[goEnum.Name()] = values
	}
	constants := 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for spec := range ast.Preorder(file) {
			value, ok := spec.(*ast.ValueSpec)
			if !ok || listed[fmt.Sprint(value.Type)] == nil {
				continue
			}
			constants++
			goEnum, constant := fmt.Sprint(value.Type), value.Names[0].Name
			member := strings.Trim(value.Values[0].(*ast.BasicLit).Value, `"`)
			if !strings.EqualFold(constant, goEnum+member) || value.Doc == nil {
				t.Errorf("%s: %s %s = %q is misnamed or has no comment", name, constant, goEnum, member)
			}
			if !strings.Contains("\n"+strings.Join(listed[goEnum], "\n")+"\n", "\n"+member+"\n") {
				t.Errorf("%s: %s is not among the possible values", name, constant)
			}
		}
	}
	if constants != 112 {
		t.Errorf("%d constants, want 112", constants)
	}
}

// schemaType is a type of testdata/schema/types.json: the facts of Graph's metadata, inherited properties included.
type schemaType struct {
	Base       string
	Properties []schemaProperty
}

type schemaProperty struct {
	Name, Type string
	Nullable   bool
}

// schemaObjects are the Go types of the schema's entities and complex types.
var schemaObjects = map[string]reflect.Type{
	"managedDevice":           reflect.TypeFor[intune.ManagedDevice](),
	"detectedApp":             reflect.TypeFor[intune.DetectedApp](),
	"remoteAssistancePartner": reflect.TypeFor[intune.RemoteAssistancePartner](),
	"auditEvent":              reflect.TypeFor[intune.AuditEvent](),
	"auditActor":              reflect.TypeFor[intune.AuditActor](),
	"auditResource":           reflect.TypeFor[intune.AuditResource](),
	"auditProperty":           reflect.TypeFor[intune.AuditProperty](),
	"configurationManagerClientEnabledFeatures": reflect.TypeFor[intune.ConfigurationManagerClientEnabledFeatures](),
	"deviceHealthAttestationState":              reflect.TypeFor[intune.DeviceHealthAttestationState](),
	"deviceGeoLocation":                         reflect.TypeFor[intune.DeviceGeoLocation](),
	"deviceActionResult":                        reflect.TypeFor[intune.DeviceActionResult](),
}

// schemaEnums are the Go types of the schema's enumerations and what their Possible functions list.
var schemaEnums = map[string]func() (reflect.Type, []string){
	"actionState":                               members(intune.PossibleActionStateValues),
	"complianceState":                           members(intune.PossibleComplianceStateValues),
	"detectedAppPlatformType":                   members(intune.PossibleDetectedAppPlatformTypeValues),
	"deviceEnrollmentType":                      members(intune.PossibleDeviceEnrollmentTypeValues),
	"deviceManagementExchangeAccessState":       members(intune.PossibleDeviceManagementExchangeAccessStateValues),
	"deviceManagementExchangeAccessStateReason": members(intune.PossibleDeviceManagementExchangeAccessStateReasonValues),
	"deviceRegistrationState":                   members(intune.PossibleDeviceRegistrationStateValues),
	"managedDeviceOwnerType":                    members(intune.PossibleManagedDeviceOwnerTypeValues),
	"managedDevicePartnerReportedHealthState":   members(intune.PossibleManagedDevicePartnerReportedHealthStateValues),
	"managementAgentType":                       members(intune.PossibleManagementAgentTypeValues),
	"managementState":                           members(intune.PossibleManagementStateValues),
	"remoteAssistanceOnboardingStatus":          members(intune.PossibleRemoteAssistanceOnboardingStatusValues),
}

func members[T ~string](possible func() []T) func() (reflect.Type, []string) {
	return func() (reflect.Type, []string) {
		var list []string
		for _, value := range possible() {
			list = append(list, string(value))
		}
		return reflect.TypeFor[T](), list
	}
}

func readFacts(t *testing.T, file string, facts any) {
	t.Helper()
	data, err := os.ReadFile("testdata/schema/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, facts); err != nil {
		t.Fatal(file, err)
	}
}

// goType is the Go type that a property has to have.
func goType(object string, property schemaProperty) reflect.Type {
	switch {
	case object == "managedDevice" && property.Name == "remoteAssistanceSessionUrl":
		return reflect.TypeFor[intune.SessionURL]()
	case object == "managedDevice" && property.Name == "activationLockBypassCode",
		property.Name == "unlockPin" || property.Name == "passcode", // of results of remote actions
		object == "remoteAssistancePartner" && property.Name == "onboardingUrl":
		return reflect.TypeFor[intune.Secret]()
	case property.Type == "deviceGeoLocation":
		return reflect.TypeFor[*intune.DeviceGeoLocation]()
	case strings.HasPrefix(property.Type, "Collection("):
		element := goType(object, schemaProperty{Type: strings.TrimSuffix(strings.TrimPrefix(property.Type, "Collection("), ")")})
		if element == nil {
			return nil
		}
		return reflect.SliceOf(element)
	case property.Type == "Edm.Boolean" && property.Nullable:
		return reflect.TypeFor[*bool]()
	}
	if enum, ok := schemaEnums[property.Type]; ok {
		goEnum, _ := enum()
		return goEnum
	}
	if complexType, ok := schemaObjects[property.Type]; ok {
		return complexType
	}
	return map[string]reflect.Type{
		"Edm.String":         reflect.TypeFor[string](),
		"Edm.Guid":           reflect.TypeFor[string](),
		"Edm.Boolean":        reflect.TypeFor[bool](),
		"Edm.Int32":          reflect.TypeFor[int32](),
		"Edm.Int64":          reflect.TypeFor[int64](),
		"Edm.Double":         reflect.TypeFor[float64](),
		"Edm.DateTimeOffset": reflect.TypeFor[time.Time](),
	}[property.Type]
}

func TestManagedDevice_TypesMatchTheSchema(t *testing.T) {
	t.Parallel()
	var facts struct{ Types map[string]schemaType }
	readFacts(t, "types.json", &facts)
	if got := len(facts.Types["managedDevice"].Properties); got != 56 {
		t.Errorf("the facts hold %d properties of managedDevice, want 56", got)
	}
	// One Go type stands for all action results, so its properties are those of all.
	results := facts.Types["deviceActionResult"]
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name, derived := range facts.Types {
			if derived.Base == "deviceActionResult" && !yield(name) {
				return
			}
		}
	}) {
		for _, property := range facts.Types[name].Properties {
			if !slices.Contains(results.Properties, property) {
				results.Properties = append(results.Properties, property)
			}
		}
	}
	facts.Types["deviceActionResult"] = results
	if len(results.Properties) != 10 {
		t.Errorf("action results have %d properties, want 10", len(results.Properties))
	}

	for name, facts := range facts.Types {
		if schemaObjects[name] == nil && facts.Base != "deviceActionResult" {
			t.Errorf("no Go type stands for %s", name)
		}
	}
	for name, object := range schemaObjects {
		if !strings.EqualFold(object.Name(), name) {
			t.Errorf("%s stands for %s", object, name)
		}
		fields := map[string]reflect.StructField{}
		for field := range object.Fields() {
			tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if tag == "" || options != "omitzero" {
				t.Errorf("%s.%s has the tag %q, want a name and omitzero", object, field.Name, field.Tag)
			}
			fields[tag] = field
		}
		for _, property := range facts.Types[name].Properties {
			field, ok := fields[property.Name]
			if !ok {
				t.Errorf("%s has no field for %s", object, property.Name)
				continue
			}
			delete(fields, property.Name)
			if want := goType(name, property); want == nil || field.Type != want {
				t.Errorf("%s.%s is %v, want %v for %s", object, field.Name, field.Type, want, property.Type)
			}
			if !strings.EqualFold(field.Name, property.Name) && property.Name != "dataExcutionPolicy" {
				t.Errorf("%s.%s does not have the name of %s", object, field.Name, property.Name)
			}
		}
		if name == "deviceActionResult" {
			delete(fields, "@odata.type")
		}
		for tag := range fields {
			t.Errorf("%s has a field for %s, which is not in the schema", object, tag)
		}
	}
}

func TestManagedDevice_EnumsMatchTheSchema(t *testing.T) {
	t.Parallel()
	var facts struct{ Enums map[string][]string }
	readFacts(t, "enums.json", &facts)
	for name, want := range facts.Enums {
		enum, ok := schemaEnums[name]
		if !ok {
			t.Errorf("no Go type stands for %s", name)
			continue
		}
		goEnum, got := enum()
		if !strings.EqualFold(goEnum.Name(), name) || goEnum.Kind() != reflect.String {
			t.Errorf("%s stands for %s", goEnum, name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the possible values of %s are %q, want %q", goEnum, got, want)
		}
	}
	if len(schemaEnums) != len(facts.Enums) {
		t.Errorf("%d enums in Go, %d in the schema", len(schemaEnums), len(facts.Enums))
	}
}

// What the client calls is in the schema as the client calls it, and its end is announced where users read it.
func TestClient_CallsMatchTheSchema(t *testing.T) {
	t.Parallel()
	var facts struct {
		EntryPoints, Navigations map[string]string
		Actions                  map[string][]schemaProperty
		Deprecations             []struct{ Target, Date, Removal string }
	}
	readFacts(t, "service.json", &facts)
	devices, partners := "Collection(managedDevice)", "Collection(remoteAssistancePartner)"
	if want := map[string]string{
		"deviceManagement/managedDevices": devices, "user/managedDevices": devices, "detectedApp/managedDevices": devices,
		"deviceManagement/detectedApps": "Collection(detectedApp)", "deviceManagement/auditEvents": "Collection(auditEvent)",
		"deviceManagement/remoteAssistancePartners": partners,
	}; !maps.Equal(facts.Navigations, want) {
		t.Errorf("the navigations are %v, want %v", facts.Navigations, want)
	}
	if want := map[string]string{"deviceManagement": "deviceManagement", "users": "user"}; !maps.Equal(facts.EntryPoints, want) {
		t.Errorf("the entry points are %v, want %v", facts.EntryPoints, want)
	}
	if parameters, ok := facts.Actions["requestRemoteAssistance(managedDevice)"]; !ok || len(parameters) != 0 {
		t.Errorf("the action takes %v, and the client sends it without a body", parameters)
	}
	if len(facts.Actions) != 1 {
		t.Errorf("the actions are %v, and the client has one", facts.Actions)
	}
	changelog := readText(t, "CHANGELOG.md")
	for _, d := range facts.Deprecations {
		if !strings.Contains(changelog, d.Target) {
			t.Errorf("Microsoft calls %s deprecated since %s, and CHANGELOG.md does not name it", d.Target, d.Date)
		}
	}
}
