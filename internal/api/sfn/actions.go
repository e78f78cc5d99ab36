package sfn

// operations lists what the service does, one line each.
func (a *API) operations() map[string]action {
	return map[string]action{
		"CreateActivity":                 handle(a.createActivity),
		"CreateStateMachine":             handle(a.createMachine),
		"CreateStateMachineAlias":        handle(a.createAlias),
		"DeleteActivity":                 handle(a.deleteActivity),
		"DeleteStateMachine":             handle(a.deleteMachine),
		"DeleteStateMachineAlias":        handle(a.deleteAlias),
		"DeleteStateMachineVersion":      handle(a.deleteVersion),
		"DescribeActivity":               handle(a.describeActivity),
		"DescribeStateMachine":           handle(a.describeMachine),
		"DescribeStateMachineAlias":      handle(a.describeAlias),
		"ListActivities":                 handle(a.listActivities),
		"ListStateMachineAliases":        handle(a.listAliases),
		"ListStateMachineVersions":       handle(a.listVersions),
		"ListStateMachines":              handle(a.listMachines),
		"ListTagsForResource":            handle(a.listTags),
		"PublishStateMachineVersion":     handle(a.publishVersion),
		"TagResource":                    handle(a.tagResource),
		"UntagResource":                  handle(a.untagResource),
		"UpdateStateMachine":             handle(a.updateMachine),
		"UpdateStateMachineAlias":        handle(a.updateAlias),
		"ValidateStateMachineDefinition": handle(a.validateDefinition),
	}
}
