package intunetest

import (
	"strings"

	"github.com/go-intune/intune"
)

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

// membersOf takes the last of nodes of one name.
func membersOf(nodes ...*node) members {
	m := members{}
	for _, n := range nodes {
		m[strings.ToLower(n.name)] = n
	}
	return m
}

// unmodeled makes nodes for members that Graph serves and the kit does not.
func unmodeled(names ...string) []*node {
	nodes := make([]*node, 0, len(names))
	for _, name := range names {
		nodes = append(nodes, &node{name: name, kind: "navigation"})
	}
	return nodes
}

// propertiesOf are paths that lead to a single property.
func propertiesOf(list []namedValue) []*node {
	var names []string
	for _, m := range list {
		names = append(names, m.name)
	}
	return unmodeled(names...)
}

// deviceMembers are what a device has: the nodes, and besides them the actions, navigations and properties that the kit
// does not model.
func deviceMembers(nodes ...*node) members {
	names := []string{
		"bypassActivationLock", "cleanWindowsDevice", "deleteUserFromSharedAppleDevice", "disableLostMode", "locateDevice",
		"logoutSharedAppleDeviceActiveUser", "rebootNow", "recoverPasscode", "remoteLock", "resetPasscode", "retire", "shutDown",
		"syncDevice", "updateWindowsDeviceAccount", "windowsDefenderScan", "windowsDefenderUpdateSignatures", "wipe",
		"deviceCategory", "deviceCompliancePolicyStates", "deviceConfigurationStates", "logCollectionRequests", "users", "windowsProtectionState",
	}
	for i := range deviceProperties {
		names = append(names, deviceProperties[i].name)
	}
	return membersOf(append(unmodeled(names...), nodes...)...)
}

var (
	actionNode  = &node{place: placeRequestRemoteAssistance, name: "requestRemoteAssistance", kind: "action"}
	devicesNode = &node{place: placeDevices, name: "managedDevices", kind: "navigation", entity: &entity{
		place: placeDevice, key: keyDevice, next: deviceMembers(actionNode),
	}}

	// The reference page of the action lists a third address below a detected app, through the users of the device.
	appDevicesNode = &node{place: placeAppDevices, name: "managedDevices", kind: "navigation", entity: &entity{
		place: placeAppDevice, key: keyDevice, next: deviceMembers(actionNode, &node{
			name: "users", kind: "navigation", entity: &entity{key: keyUser, partial: true, next: membersOf(&node{
				name: "managedDevices", kind: "navigation", entity: &entity{key: keyDevice, next: deviceMembers(actionNode)},
			})},
		}),
	}}
	appsNode = &node{place: placeApps, name: "detectedApps", kind: "navigation", entity: &entity{
		place: placeApp, key: keyApp, next: membersOf(append(propertiesOf(appMembers(&intune.DetectedApp{}, 0)), appDevicesNode)...),
	}}
	partnersNode = &node{place: placePartners, name: "remoteAssistancePartners", kind: "navigation", entity: &entity{
		place: placePartner, key: keyPartner,
		next: membersOf(append(propertiesOf((&partner{}).members()), unmodeled("beginOnboarding", "disconnect")...)...),
	}}
	// Of events the kit has the list only, as the library does.
	auditNode = &node{place: placeAuditEvents, name: "auditEvents", kind: "navigation", entity: &entity{key: keyUnmodeled, partial: true}}
	graphRoot = &node{partial: true, next: membersOf(
		&node{name: "users", kind: "entityset", entity: &entity{key: keyUser, next: membersOf(devicesNode), partial: true}},
		&node{name: "me", kind: "singleton", next: membersOf(devicesNode), partial: true},
		&node{name: "deviceManagement", kind: "singleton", next: membersOf(devicesNode, appsNode, partnersNode, auditNode), partial: true},
	)}
)
