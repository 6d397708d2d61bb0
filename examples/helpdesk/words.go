package main

import "strings"

// ownWords are what the library says to programmers, and what this tool says instead: the names of methods and options help
// nobody at a terminal. They are parts of its errors as they are.
var ownWords = strings.NewReplacer( //nolint:gochecknoglobals // a table
	"go on with WaitForRemoteAssistance and this error's ResumeToken", `"helpdesk resume" goes on`,
	"nobody was asked by this call, for the journal did not accept the request", "the request could not be recorded, so nobody was asked",
	"read the device's session (GetRemoteAssistanceSession) before asking again",
	`look at the device with "helpdesk check" before asking again`,
	" (ManagedDevice.ID)", "",
	"look the device up with FindDevice", `look it up with "helpdesk find"`,
	"; use intune.Device(id)", "",
	", and continue a list that broke off from its last NextLink (ContinueFrom) instead of from the beginning", "",
	"(CredentialMethodDeviceCode, or azidentity's DeviceCodeCredential)", "(--auth devicecode)",
	"set the tenant's Cloud in the credential's options (CredentialOptions.Cloud, or ClientOptions.Cloud of an azidentity credential) "+
		"and in the client's", "name the tenant's cloud with --cloud",
	"set its Cloud in the credential's options (CredentialOptions.Cloud, or ClientOptions.Cloud of an azidentity credential)",
	"name its cloud with --cloud",
	"set the same Cloud in the options of the credential and of the client", "name the right one with --cloud",
	"look at that line, for it may name a user who was asked",
	"look at that line, for it may name a user who was asked, and then correct it or take it out",
	"want ready, failed, left or superseded, or read the file with the version that wrote it", "use the helpdesk that wrote it",
	"is not a token of a remote-assistance wait", "is no resume token, or not the whole of one",
	"is of another cloud than this client", "is of another cloud; name it with --cloud",
	"was made by another version of the library, which this one cannot read", "was made by another version; use the program that made it",
	", more than options.MaxAge allows (24h0m0s)", ", and a wait can go on for 24 hours",
	"read the device's session, or ask anew", `ask anew with "helpdesk connect"`,
	"invalid argument: filter.SerialNumber", "the serial number",
	"invalid argument: filter.DeviceName", "the device name",
	"invalid argument: filter.UserPrincipalName", "the user",
	"invalid argument: filter.AzureADDeviceID", "the Entra device id",
	"invalid argument: filter.OperatingSystem", "the system",
	"invalid argument: device id", "the Intune id",
	"invalid argument: ", "",
	"have the credential honor TokenRequestOptions.Claims instead of giving its old token again, and look", "look",
)

// words is an error's text in words of the tool.
func words(text string) string { return ownWords.Replace(text) }
