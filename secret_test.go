package intune_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-intune/intune"
)

func TestSecretIsNotShown(t *testing.T) {
	t.Parallel()
	secret := intune.NewSecret("bypass-secret")
	partner := intune.RemoteAssistancePartner{ID: "1", OnboardingURL: secret}
	text := renderings(secret, &secret, partner, &partner, intune.ManagedDevice{ID: "1", ActivationLockBypassCode: secret},
		[]intune.DeviceActionResult{{UnlockPIN: secret, Passcode: secret}},
		intune.ListRemoteAssistancePartnersResponse{Value: []intune.RemoteAssistancePartner{partner}},
		struct{ hidden intune.Secret }{secret}, struct{ hidden *intune.Secret }{&secret})
	for _, shown := range []string{"bypass-secret", fmt.Sprintf("%x", "bypass-secret"), fmt.Sprintf("%X", "bypass-secret")} {
		if strings.Contains(text, shown) {
			t.Errorf("%q shows:\n%s", shown, text)
		}
	}
	marshaled, err := secret.MarshalText()
	inJSON, errJSON := json.Marshal(secret)
	for _, shown := range []string{secret.String(), secret.GoString(), secret.LogValue().String(), fmt.Sprint(secret), fmt.Sprintf("%#v", secret), string(marshaled), strings.Trim(string(inJSON), `"`)} {
		if shown != "REDACTED" || err != nil || errJSON != nil {
			t.Errorf("got %q, errors %v, %v", shown, err, errJSON)
		}
	}
}

func TestSecretHoldsItsText(t *testing.T) {
	t.Parallel()
	secret, none := intune.NewSecret("a"), intune.NewSecret("")
	for name, ok := range map[string]bool{
		"Reveal":                   secret.Reveal() == "a",
		"IsZero":                   !secret.IsZero(),
		"Equal":                    secret.Equal(intune.NewSecret("a")),
		"Equal of others":          !secret.Equal(intune.NewSecret("b")) && !secret.Equal(none),
		"no secret is zero":        none.IsZero() && none == intune.Secret{},
		"no secret reveals none":   none.Reveal() == "",
		"no secret prints as \"\"": none.String() == "" && fmt.Sprintf("%#v", none) == "",
	} {
		if !ok {
			t.Error(name)
		}
	}
}

func TestSecretFromJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`"a"`: "a", `""`: "", `null`: "", `"REDACTED"`: ""} {
		secret := intune.NewSecret("before")
		if err := json.Unmarshal([]byte(text), &secret); err != nil || secret.Reveal() != want {
			t.Errorf("%s: %q, %v", text, secret.Reveal(), err)
		}
	}
	secret := intune.NewSecret("before")
	if err := json.Unmarshal([]byte(`{"bypass-secret":1}`), &secret); err == nil || strings.Contains(err.Error(), "bypass") || secret.Reveal() != "before" {
		t.Errorf("got %q, %v", secret.Reveal(), err)
	}
}
