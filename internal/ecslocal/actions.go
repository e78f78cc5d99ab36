package ecslocal

// allActions lists what is imitated, by service.
func allActions() map[string]dialect {
	json10, json11 := "application/x-amz-json-1.0", "application/x-amz-json-1.1"
	return map[string]dialect{
		"ecs":    {name: "ecs", content: json11, actions: ecsActions()},
		"logs":   {name: "logs", content: json11, actions: logsActions()},
		"events": {name: "events", content: json11, actions: eventsActions()},
		"sqs":    {name: "sqs", content: json10, actions: sqsActions()},
		"sqs-query": {
			name: "sqs", content: json10, xmlns: "http://queue.amazonaws.com/doc/2012-11-05/", actions: sqsQueryActions(),
		},
		"ec2": {name: "ec2", xmlns: "http://ec2.amazonaws.com/doc/2016-11-15/", actions: map[string]action{
			"DescribeVpcs":           {run: describeVpcs, reads: true},
			"DescribeSubnets":        {run: describeSubnets, reads: true},
			"DescribeSecurityGroups": {run: describeSecurityGroups, reads: true},
		}},
		"sts": {name: "sts", xmlns: "https://sts.amazonaws.com/doc/2011-06-15/", actions: map[string]action{
			"GetCallerIdentity": {run: getCallerIdentity, reads: true},
			"AssumeRole":        {run: assumeRole, reads: true},
		}},
	}
}

func ecsActions() map[string]action {
	return map[string]action{
		"CreateCluster":               does(createCluster),
		"DescribeClusters":            looks(describeClusters),
		"ListClusters":                looks(listClusters),
		"DeleteCluster":               does(deleteCluster),
		"PutClusterCapacityProviders": does(putClusterCapacityProviders),
		"CreateCapacityProvider":      does(createCapacityProvider),
		"DescribeCapacityProviders":   looks(describeCapacityProviders),
		"RegisterTaskDefinition":      does(registerTaskDefinition),
		"DescribeTaskDefinition":      looks(describeTaskDefinition),
		"DeregisterTaskDefinition":    does(deregisterTaskDefinition),
		"ListTaskDefinitions":         looks(listTaskDefinitions),
		"ListTaskDefinitionFamilies":  looks(listTaskDefinitionFamilies),
		"RunTask":                     does(runTask),
		"StartTask":                   does(startTask),
		"StopTask":                    does(stopTask),
		"DescribeTasks":               looks(describeTasks),
		"ListTasks":                   looks(listTasks),
		"CreateService":               does(createService),
		"UpdateService":               does(updateService),
		"DescribeServices":            looks(describeServices),
		"ListServices":                looks(listServices),
		"DeleteService":               does(deleteService),
		"TagResource":                 does(tagResource),
		"UntagResource":               does(untagResource),
		"ListTagsForResource":         looks(listTagsForResource),
	}
}

func logsActions() map[string]action {
	return map[string]action{
		"CreateLogGroup":     does(createLogGroup),
		"DeleteLogGroup":     does(deleteLogGroup),
		"DescribeLogGroups":  looks(describeLogGroups),
		"CreateLogStream":    does(createLogStream),
		"DeleteLogStream":    does(deleteLogStream),
		"DescribeLogStreams": looks(describeLogStreams),
		"PutLogEvents":       does(putLogEvents),
		"GetLogEvents":       looks(getLogEvents),
		"FilterLogEvents":    looks(filterLogEvents),
		"PutRetentionPolicy": does(putRetentionPolicy),
	}
}

func eventsActions() map[string]action {
	return map[string]action{
		"PutRule":           does(putRule),
		"DescribeRule":      looks(describeRule),
		"ListRules":         looks(listRules),
		"DeleteRule":        does(deleteRule),
		"EnableRule":        does(enableRule),
		"DisableRule":       does(disableRule),
		"PutTargets":        does(putTargets),
		"ListTargetsByRule": looks(listTargetsByRule),
		"RemoveTargets":     does(removeTargets),
		"PutEvents":         does(putEvents),
		"TestEventPattern":  looks(testEventPattern),
	}
}

func sqsActions() map[string]action {
	return map[string]action{
		"CreateQueue":                  does(createQueue),
		"DeleteQueue":                  does(deleteQueue),
		"GetQueueUrl":                  looks(getQueueURL),
		"ListQueues":                   looks(listQueues),
		"GetQueueAttributes":           looks(getQueueAttributes),
		"SetQueueAttributes":           does(setQueueAttributes),
		"PurgeQueue":                   does(purgeQueue),
		"SendMessage":                  does(sendMessage),
		"SendMessageBatch":             does(sendMessageBatch),
		"ReceiveMessage":               waits(receiveMessage),
		"DeleteMessage":                does(deleteMessage),
		"DeleteMessageBatch":           does(deleteMessageBatch),
		"ChangeMessageVisibility":      does(changeMessageVisibility),
		"ChangeMessageVisibilityBatch": does(changeMessageVisibilityBatch),
		"TagQueue":                     does(tagQueue),
		"UntagQueue":                   does(untagQueue),
		"ListQueueTags":                looks(listQueueTags),
	}
}
