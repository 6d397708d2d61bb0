package intune

// operation is what the client knows about one kind of call.
type operation struct {
	api   string // public method, for spans: "Client.GetDevice"
	text  string // for errors: "read device"
	needs access // for hints
}

// access is what a call needs besides a token.
type access struct {
	permission string // least Graph permission, delegated or application
	right      string // Intune role right of a delegated caller, as the portal shows it: category and right
	connector  bool   // the tenant's TeamViewer connector
	limit      string // what Intune allows an app in a tenant within 20 seconds (https://learn.microsoft.com/graph/throttling-limits)
}

// permissionManageDevices is the permission of the action.
const permissionManageDevices = "DeviceManagementManagedDevices.ReadWrite.All"

// What the calls need.
var (
	offerAssistance = access{
		permission: permissionManageDevices, right: "Remote tasks / Offer remote assistance", connector: true, limit: "200 writes",
	}
	readSession = access{permission: readDevices.permission, right: readDevices.right, connector: true, limit: readDevices.limit}
	readDevices = access{
		permission: "DeviceManagementManagedDevices.Read.All", right: "Managed devices / Read", limit: "2,000 requests",
	}
	readAudit     = access{permission: "DeviceManagementApps.Read.All", right: "Audit data / Read", limit: "1,000 requests"}
	readConnector = access{
		permission: "DeviceManagementServiceConfig.Read.All", right: "Remote assistance connectors / Read", limit: "1,000 requests",
	}
)

// The action, and what is made of it. The others send the requests of opRequestRemoteAssistance and opGetSession.
var (
	opRequestRemoteAssistance = &operation{api: "Client.RequestRemoteAssistance", text: "request remote assistance", needs: offerAssistance}
	opRequestMany             = &operation{api: "Client.RequestRemoteAssistanceMany"}
	opBeginRemoteAssistance   = &operation{api: "Client.BeginRemoteAssistance"}
	opOpenRemoteAssistance    = &operation{api: "Client.OpenRemoteAssistance"}
	opOpenMany                = &operation{api: "Client.OpenRemoteAssistanceMany"}
	opWaitForRemoteAssistance = &operation{api: "Client.WaitForRemoteAssistance"}
	opResumeRemoteAssistance  = &operation{api: "Client.ResumeRemoteAssistance"}
)

// Devices, their sessions, and apps. A pager and an iterator of the same list differ in their spans.
var (
	opGetDevice   = &operation{api: "Client.GetDevice", text: "read device", needs: readDevices}
	opFindDevice  = &operation{api: "Client.FindDevice", text: "find device", needs: readDevices}
	opListDevices = &operation{api: "Client.NewListDevicesPager", text: "list devices", needs: readDevices}
	opDevices     = &operation{api: "Client.Devices", text: "list devices", needs: readDevices}
	opGetSession  = &operation{api: "Client.GetRemoteAssistanceSession", text: "read the remote-assistance session", needs: readSession}
	opListApps    = &operation{api: "Client.NewListDetectedAppsPager", text: "list detected apps", needs: readDevices}
	opApps        = &operation{api: "Client.DetectedApps", text: "list detected apps", needs: readDevices}
)

// The connector. The requests of opConnector's list are those of opListPartners.
var (
	opConnector    = &operation{api: "Client.RemoteAssistanceConnector"}
	opListPartners = &operation{
		api: "Client.NewListRemoteAssistancePartnersPager", text: "list remote-assistance partners", needs: readConnector,
	}
)

// Intune's own audit events.
var (
	opListAuditEvents = &operation{api: "Client.NewListAuditEventsPager", text: "list audit events", needs: readAudit}
	opAuditEvents     = &operation{api: "Client.AuditEvents", text: "list audit events", needs: readAudit}
)

// opToken asks the credential and not Graph, so it has no span.
var opToken = &operation{text: "get a token"}
