// Package awscall calls any operation of any AWS service, driven by the models
// that the services publish: it puts parameters on the wire in the service's
// protocol, signs, sends, retries and reads the answer or error.
//
// It knows nothing of workflows. Endpoints, credentials, regions and roles
// follow the rules of the AWS SDKs, as do the rules of when to try again.
package awscall

//go:generate sh -c "command -v python3 >/dev/null || exit 0; exec python3 models/generate.py --if-installed"
