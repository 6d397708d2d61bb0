package intune

import (
	"log/slog"
	"strconv"
	"strings"

	"github.com/go-intune/intune/internal/odata"
	"github.com/go-intune/intune/internal/redact"
)

// DeviceRef is the address of a managed device in one of the three forms in which Microsoft Graph documents, or once
// documented, the requestRemoteAssistance action. Make one with [Device], [UserDevice], [DetectedAppDevice] or
// [ParseDeviceRef]. It is comparable, so it can be a map key, and reads and writes itself as text.
//
// The service compares ids without regard to case. So that == means the same device, the three constructors, and with
// them whatever reads an address, write a GUID in its 36-character form in lower case, in every part. Any other text, such
// as a user principal name, stays as given. The forms are different addresses, even of one device; what they share is
// [DeviceRef.DeviceID].
//
// The zero value addresses nothing, and is "" as text and in JSON. Every method of [Client] returns
// [ErrInvalidArgument] for it before anything is sent. The same holds for an address with a part that is blank, ".",
// "..", not UTF-8, or that holds a slash, a backslash or a control character, because such a part would change the path
// and with it the device. It also holds for white space around a part and for invisible characters, such as the
// byte-order mark that spreadsheets leave, because the service would not find the device. The error quotes such a part,
// but never a user.
type DeviceRef struct {
	form   addressForm
	parent Secret // user or detected app; secret, because fmt prints unexported fields and a user is a person's name
	id     string
}

const (
	devicesPath      = "/deviceManagement/managedDevices"
	detectedAppsPath = "/deviceManagement/detectedApps"
)

type addressForm uint8

const (
	formNone addressForm = iota
	formDevice
	formUser
	formDetectedApp
)

// Device addresses /deviceManagement/managedDevices/{id}. Prefer this form: it is documented for every operation of
// this package, with a published permission. The id is Intune's (ManagedDevice.ID), not the Entra device id and not the
// Entra object id of the device, which look alike.
func Device(id string) DeviceRef {
	return DeviceRef{form: formDevice, id: odata.LowerGUID(id)}
}

// UserDevice addresses /users/{user}/managedDevices/{id}, where user is an Entra object id or a user principal name.
// Graph's reference page named this form until about 2021 and no longer does; the schema of every cloud still has it,
// but no permission for it is published. Prefer [Device]; with UserDevice, prefer the object id to the name. The
// library keeps the user out of its errors, but the user appears in the path in azcore's own log of requests and in its
// HTTP spans, and in the address itself as text and JSON.
func UserDevice(user, id string) DeviceRef {
	return DeviceRef{form: formUser, parent: newKey(user), id: odata.LowerGUID(id)}
}

// DetectedAppDevice addresses /deviceManagement/detectedApps/{app}/managedDevices/{id}. The form is documented, but
// users reported that the service answers 400 to reads at it, and the action may fail the same way: use detected apps
// to find devices, and [Device] to act on them. An app id is opaque, not a GUID.
func DetectedAppDevice(app, id string) DeviceRef {
	return DeviceRef{form: formDetectedApp, parent: newKey(app), id: odata.LowerGUID(id)}
}

// ParseDeviceRef reads what [DeviceRef.String] writes, with or without the leading slash, and GUIDs in upper case too. It
// returns [ErrInvalidArgument] for anything else: a blank text, a URL, a path with a query or a fragment, or an address
// with a part that a DeviceRef may not have. A number sign within a key, as in the name of a guest, is written %23.
func ParseDeviceRef(path string) (DeviceRef, error) {
	refuse := func(why string) (DeviceRef, error) {
		return DeviceRef{}, invalidArgument("path", why+"; want /deviceManagement/managedDevices/{id}, "+
			"/users/{user}/managedDevices/{id} or /deviceManagement/detectedApps/{app}/managedDevices/{id}")
	}
	if why := notAPath(path); why != "" {
		return refuse(why)
	}
	steps, err := odata.Split(path, "deviceManagement")
	if err != nil {
		return refuse(err.Error())
	}
	device := func(i int) bool { return steps[i].Name == "managedDevices" && steps[i].HasKey }
	root := func() bool { return steps[0].Name == "deviceManagement" && !steps[0].HasKey }
	var ref DeviceRef
	switch {
	case len(steps) == 2 && root() && device(1):
		ref = Device(steps[1].Key)
	case len(steps) == 2 && steps[0].Name == "users" && steps[0].HasKey && device(1):
		ref = UserDevice(steps[0].Key, steps[1].Key)
	case len(steps) == 3 && root() && steps[1].Name == "detectedApps" && steps[1].HasKey && device(2):
		ref = DetectedAppDevice(steps[1].Key, steps[2].Key)
	default:
		return refuse("is not the address of a managed device")
	}
	if err := ref.check(); err != nil {
		return DeviceRef{}, err
	}
	return ref, nil
}

// notAPath recognizes what people pass by mistake instead of a path, and says what is wrong with it; "" if it finds
// nothing.
func notAPath(text string) string {
	lower := strings.ToLower(text)
	switch {
	case strings.ContainsFunc(text, redact.Invisible) || strings.TrimSpace(text) != text:
		return "has white space around it or holds an invisible character, such as a byte-order mark"
	case strings.Contains(lower, "://"):
		return "is a URL; pass only the path behind the version"
	case strings.HasPrefix(strings.TrimPrefix(lower, "/"), graphAPIVersion+"/"), strings.HasPrefix(strings.TrimPrefix(lower, "/"), "beta/"):
		return "begins with a version; pass only the path behind it"
	case strings.ContainsAny(text, "?#"):
		return "holds a query or a fragment; leave it out, and write ? and # within a key as %3F and %23"
	}
	return ""
}

// String is the escaped path of the device below the Graph version, such as
// /deviceManagement/managedDevices/705c034c-034c-705c-4c03-5c704c035c70. A key that begins with a dollar sign is
// written in parentheses, as Graph asks. The zero value gives "". The text holds the user of a [UserDevice];
// errors, %#v and slog leave the user out.
func (r DeviceRef) String() string {
	switch r.form {
	case formDevice:
		return odata.Keyed(devicesPath, r.id)
	case formUser:
		return odata.Keyed(UserDevices(r.parent.Reveal()).path(), r.id)
	case formDetectedApp:
		return odata.Keyed(DetectedAppDevices(r.parent.Reveal()).path(), r.id)
	default:
		return ""
	}
}

// DeviceID is the Intune device id within the address, unescaped, and in lower case if it is a GUID.
func (r DeviceRef) DeviceID() string { return r.id }

// IsZero reports whether the address was never set.
func (r DeviceRef) IsZero() bool { return r == DeviceRef{} }

// MarshalText writes what [DeviceRef.String] returns, "" for the zero value. It returns [ErrInvalidArgument] for an
// address that no method would take.
func (r DeviceRef) MarshalText() ([]byte, error) {
	if r.IsZero() {
		return []byte{}, nil
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return []byte(r.String()), nil
}

// UnmarshalText is [ParseDeviceRef], except that "" gives the zero value. On error the address keeps its value.
func (r *DeviceRef) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = DeviceRef{}
		return nil
	}
	parsed, err := ParseDeviceRef(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// GoString leaves the user out, so that %#v of an error does not show it.
func (r DeviceRef) GoString() string { return "intune.DeviceRef(" + r.redacted() + ")" }

// LogValue shows the form of the address and the device id, and leaves the user out.
func (r DeviceRef) LogValue() slog.Value { return slog.StringValue(r.redacted()) }

// redacted names the device in errors: by id, and with the form of the address if it is not the plain one. An id that
// would not stand in one line as it is, is quoted.
func (r DeviceRef) redacted() string {
	id := r.id
	if redact.OneLine(id, len(id)) != id {
		id = strconv.QuoteToASCII(id)
	}
	switch r.form {
	case formNone:
		return "no device"
	case formUser:
		return "device " + id + " (user address)"
	case formDetectedApp:
		return "device " + id + " (detected-app address)"
	default:
		return "device " + id
	}
}

// user is the user of a [UserDevice], and "" of any other address.
func (r DeviceRef) user() string {
	if r.form != formUser {
		return ""
	}
	return r.parent.Reveal()
}

// clean takes out of the service's text about the device what no error may show, the user of this address included, and
// limits its length.
func (r DeviceRef) clean(text string) string {
	const most = 8 << 10
	return redact.Limit(redact.Of("", r.user()).Clean(redact.Limit(text, 2*most)), most)
}

func (r DeviceRef) check() error {
	switch r.form {
	case formNone:
		return invalidArgument("device", "is the zero DeviceRef; make one with intune.Device, UserDevice, DetectedAppDevice or ParseDeviceRef")
	case formDevice:
	case formUser:
		if err := checkKey("user", r.parent.Reveal()); err != nil {
			return err
		}
	case formDetectedApp:
		if err := checkKey("app", r.parent.Reveal()); err != nil {
			return err
		}
	}
	return checkKey("device id", r.id)
}

// DeviceCollection is a collection of devices to list. Make one with [AllDevices], [UserDevices] or
// [DetectedAppDevices]. The zero value is no collection: listing it returns [ErrInvalidArgument], and as an option it
// means that the option is not set.
type DeviceCollection struct {
	form addressForm
	key  Secret // user or detected app, as in DeviceRef
}

// AllDevices is /deviceManagement/managedDevices: every device of the tenant that the caller may see.
func AllDevices() DeviceCollection { return DeviceCollection{form: formDevice} }

// UserDevices is /users/{user}/managedDevices, where user is an Entra object id or a user principal name. Graph's
// reference no longer names this address and publishes no permission for it; [AllDevices] with
// DeviceFilter.UserPrincipalName is the documented way. Prefer the object id to the name, because azcore's own log of
// requests and its HTTP spans show the path.
func UserDevices(user string) DeviceCollection {
	return DeviceCollection{form: formUser, key: newKey(user)}
}

// DetectedAppDevices is /deviceManagement/detectedApps/{app}/managedDevices: the devices on which Intune found the app.
// The service sends only a few properties of each; for the others, read each device by its own id ([Client.GetDevice]
// with [ManagedDevice.Ref]). A filter on a property that is missing matches no device.
func DetectedAppDevices(app string) DeviceCollection {
	return DeviceCollection{form: formDetectedApp, key: newKey(app)}
}

// check returns an error if there can be no such collection.
func (in DeviceCollection) check() error {
	switch in.form {
	case formDevice:
		return nil
	case formUser:
		return checkKey("user", in.key.Reveal())
	case formDetectedApp:
		return checkKey("app", in.key.Reveal())
	default:
		return invalidArgument("in", "is the zero DeviceCollection; use intune.AllDevices, UserDevices or DetectedAppDevices")
	}
}

// path is the escaped path of a collection that has passed check.
func (in DeviceCollection) path() string {
	switch in.form {
	case formUser:
		return odata.Keyed("/users", in.key.Reveal()) + "/managedDevices"
	case formDetectedApp:
		return odata.Keyed(detectedAppsPath, in.key.Reveal()) + "/managedDevices"
	default:
		return devicesPath
	}
}

// user is the user of [UserDevices], and "" of any other collection.
func (in DeviceCollection) user() string {
	if in.form != formUser {
		return ""
	}
	return in.key.Reveal()
}

// newKey hides a user or an app in the form in which == compares it.
func newKey(id string) Secret { return NewSecret(odata.LowerGUID(id)) }

// checkKey refuses a key that the service, a proxy or Go's URL handling could take for something other than one key.
func checkKey(argument, key string) error {
	if problem := odata.CheckKey(key, argument == "user"); problem != "" {
		return invalidArgument(argument, problem)
	}
	return nil
}
