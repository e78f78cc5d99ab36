// Package importer copies what a workflow server knows into leat, and out of it
// again: from a live Prefect 3 server or from files, into leat by its own route
// for records of other servers, into files, or into a live Prefect 3 server as
// far as that one's public API lets.
//
// A copy goes kind by kind, so that what is referred to comes before what refers
// to it. Rows pass through as the JSON that the source shows, with its ids and
// times; only ids of what the target has under another id are exchanged. A flow
// run is sent after its task runs and lines: that it is there says that all of it
// is, so a copy that broke off goes on where it stopped, and a second one sends
// only what is new or changed.
package importer
