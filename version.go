package intune

const (
	moduleName    = "github.com/go-intune/intune"
	moduleVersion = "v0.1.0"
)
