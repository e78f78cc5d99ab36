// Package sfn is the AWS Step Functions API: POST / with the operation in
// X-Amz-Target, JSON in and out (AWS JSON 1.0). Handlers decode, call the engine
// and encode. What requests may hold comes from the service's public model
// (model.json, written by scripts/sfn-model.py); wording of errors is the service's.
package sfn
