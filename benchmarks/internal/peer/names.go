package peer

// Names are the peers as their programs and benchmarks are called, this library first.
var Names = []string{"intune", "msgraph", "hashicorp", "hamilton", "azcore", "nethttp"}

// Titles are the same as tables call them.
var Titles = []string{"this library", "msgraph-sdk-go", "go-azure-sdk", "hamilton", "azcore alone", "net/http"}
