// Package prefect3 is the Prefect 3 dialect: the REST API and the websockets
// that Prefect's SDK, CLI and workers speak, translated to and from the domain.
// There is one file per resource; handlers decode, call the engine and encode,
// nothing else.
package prefect3
