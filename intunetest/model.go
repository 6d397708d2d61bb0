package intunetest

import "strings"

// node is a part of Graph's model, as the schema of v1.0 has it.
type node struct {
	place  place
	name   string  // in Graph's own spelling
	kind   string  // as in Intune's own messages: singleton, entityset, navigation, action
	entity *entity // what a key leads to; nil for a singleton and an action
	next   members
	// partial marks a part of which the kit does not know all members. An unknown member of it counts as not modeled, not
	// as wrong.
	partial bool
}

type entity struct {
	place   place
	key     keyKind
	next    members
	partial bool
}

// members are nodes by their names in lower case.
type members map[string]*node

func membersOf(nodes ...*node) members {
	m := members{}
	for _, n := range nodes {
		m[strings.ToLower(n.name)] = n
	}
	return m
}

// unmodeled makes nodes for the members of a device that Graph serves and the kit does not.
func unmodeled(names ...string) []*node {
	nodes := make([]*node, 0, len(names))
	for _, name := range names {
		nodes = append(nodes, &node{name: name, kind: "navigation"})
	}
	return nodes
}

var (
	actionNode  = &node{place: placeRequestRemoteAssistance, name: "requestRemoteAssistance", kind: "action"}
	devicesNode = &node{place: placeDevices, name: "managedDevices", kind: "navigation", entity: &entity{
		place: placeDevice, key: keyDevice, next: membersOf(append(unmodeled(
			"bypassActivationLock", "cleanWindowsDevice", "deleteUserFromSharedAppleDevice", "disableLostMode", "locateDevice",
			"logoutSharedAppleDeviceActiveUser", "rebootNow", "recoverPasscode", "remoteLock", "resetPasscode", "retire", "shutDown",
			"syncDevice", "updateWindowsDeviceAccount", "windowsDefenderScan", "windowsDefenderUpdateSignatures", "wipe",
			"deviceCategory", "deviceCompliancePolicyStates", "deviceConfigurationStates", "logCollectionRequests", "users", "windowsProtectionState",
		), actionNode)...),
	}}

	// The reference page of the action lists a third address below a detected app, through the users of the device.
	appDevicesNode = &node{place: placeAppDevices, name: "managedDevices", kind: "navigation", entity: &entity{
		place: placeAppDevice, key: keyDevice, next: membersOf(actionNode, &node{
			name: "users", kind: "navigation", entity: &entity{key: keyUser, next: membersOf(&node{
				name: "managedDevices", kind: "navigation", entity: &entity{key: keyDevice, next: membersOf(actionNode)},
			})},
		}),
	}}
	appsNode = &node{place: placeApps, name: "detectedApps", kind: "navigation", entity: &entity{
		place: placeApp, key: keyApp, next: membersOf(appDevicesNode),
	}}
	partnersNode = &node{place: placePartners, name: "remoteAssistancePartners", kind: "navigation", entity: &entity{
		place: placePartner, key: keyPartner, next: membersOf(
			&node{place: placeBeginOnboarding, name: "beginOnboarding", kind: "action"},
			&node{place: placeDisconnect, name: "disconnect", kind: "action"},
		),
	}}
	// The key of an event is not modeled, because the library only lists events.
	auditNode = &node{place: placeAuditEvents, name: "auditEvents", kind: "navigation"}
	graphRoot = &node{partial: true, next: membersOf(
		&node{name: "users", kind: "entityset", entity: &entity{key: keyUser, next: membersOf(devicesNode), partial: true}},
		&node{name: "me", kind: "singleton", next: membersOf(devicesNode), partial: true},
		&node{name: "deviceManagement", kind: "singleton", next: membersOf(devicesNode, appsNode, partnersNode, auditNode), partial: true},
	)}
)
