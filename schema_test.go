package intune_test

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-intune/intune"
)

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

func TestTypesMatchTheSchema(t *testing.T) {
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

func TestEnumsMatchTheSchema(t *testing.T) {
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
func TestCallsMatchTheSchema(t *testing.T) {
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
	for _, name := range []string{
		"requestRemoteAssistance(managedDevice)", "beginOnboarding(remoteAssistancePartner)", "disconnect(remoteAssistancePartner)",
	} {
		if parameters, ok := facts.Actions[name]; !ok || len(parameters) != 0 {
			t.Errorf("the action %s takes %v, and the client sends it without a body", name, parameters)
		}
	}
	changelog := readText(t, "CHANGELOG.md")
	for _, d := range facts.Deprecations {
		if !strings.Contains(changelog, d.Target) {
			t.Errorf("Microsoft calls %s deprecated since %s, and CHANGELOG.md does not name it", d.Target, d.Date)
		}
	}
}
