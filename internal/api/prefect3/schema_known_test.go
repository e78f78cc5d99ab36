package prefect3_test

// knownDifferences are the differences from the reference's document that are
// meant, with their reasons: where and what, without the values.
func knownDifferences() map[string]string {
	const (
		given = "the type tells absent from given, and the handler chooses; the exchanges in testdata show the default"
		whole = "the type of a trigger is read before the rest and checked there"
		own   = "how late, beside what and how many runs of a schedule start: fields of our own that old clients leave out"
		free  = "the type is one for all of its forms, and what is written is checked by the exchanges"
	)
	return map[string]string{
		"AutomationCreate.description: default":               given,
		"AutomationCreate.enabled: default":                   given,
		"AutomationPartialUpdate.enabled: default":            given,
		"AutomationUpdate.description: default":               given,
		"AutomationUpdate.enabled: default":                   given,
		"BlockDocumentFilter.is_anonymous: default":           given,
		"DeploymentCreate.enforce_parameter_schema: default":  given,
		"DeploymentCreate.paused: default":                    given,
		"DeploymentUpdate.paused: default":                    given,
		"EventTrigger-Input.within: default":                  given,
		"FlowRunPolicy.resuming: default":                     given,
		"StateDetails.deferred: default":                      given,
		"TaskRunFilterFlowRunId.is_null_: default":            given,
		"WorkQueueCreate.description: default":                given,
		"WorkQueueUpdate.is_paused: default":                  given,
		"CompoundTrigger-Input.type: default":                 whole,
		"CompoundTrigger-Input.type: values":                  whole,
		"CompoundTrigger-Output (answer).type: values":        whole,
		"EventTrigger-Input.type: default":                    whole,
		"EventTrigger-Input.type: values":                     whole,
		"EventTrigger-Output (answer).type: values":           whole,
		"SequenceTrigger-Input.type: default":                 whole,
		"SequenceTrigger-Input.type: values":                  whole,
		"SequenceTrigger-Output (answer).type: values":        whole,
		"OrchestrationResult (answer).details: choice":        free,
		"FlowRunOrchestrationResult (answer).details: choice": free,
		"StateAcceptDetails (answer): property":               free,
		"GET /collections/views/{view} answer: type":          free,
		"POST /automations/templates/validate body: null":     "null is read as an empty template, as the reference reads it, too",
		"POST /templates/validate body: null":                 "the same",
		"PATCH /flow_runs/{id}/labels body: type":             "the handler refuses what is no object",
		"DeploymentCreate.parameters: null":                   "null is refused by the check of the whole body",
		"DeploymentStatus (answer): values":                   "one type for deployments and pools; deployments are never paused in this sense",
		"ReceivedEvent (answer).received: null":               "one type for events as they come and go: received is always written",
		"FlowRunUpdate.name: null":                            "null is read as a name to be made up, as the reference reads it in all other bodies",
		"LogCreate: property":                                 "Prefect Cloud's workers name themselves in worker_id",
		"DeploymentSchedule (answer): property":               own,
		"DeploymentScheduleCreate: property":                  own,
		"DeploymentScheduleUpdate: property":                  own,
	}
}
