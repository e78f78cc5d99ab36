package integration

// service is an optimized integration: which actions it has, and by what names
// the SDK that AWS calls it with makes errors and answers known.
type service struct {
	// call is the service's name for the caller.
	call string
	// prefix is the first part of error names: DynamoDB.
	prefix string
	// sdk is the service's name in the causes of version 1 of the SDK for Java and
	// base its class of errors that have none of their own. An empty one stands
	// for version 2, whose names derive from the service's id.
	sdk, base string
	// lists tells whether the SDK gives lists that an answer leaves out as empty.
	lists   bool
	actions map[string]action
}

// action is what an optimized integration can do.
type action struct {
	patterns Pattern
	// operation is the service's operation when its name is another one.
	operation string
}

// The sets of patterns that occur.
const (
	only      = RequestResponse
	withSync  = RequestResponse | Sync
	withToken = RequestResponse | WaitForToken
)

// actions makes a table of those that have the same patterns.
func actions(patterns Pattern, names ...string) map[string]action {
	m := make(map[string]action, len(names))
	for _, n := range names {
		m[n] = action{patterns: patterns}
	}
	return m
}

// and adds actions that are only requested to a table.
func and(m map[string]action, names ...string) map[string]action {
	for _, n := range names {
		m[n] = action{patterns: only}
	}
	return m
}

// Services lists the optimized integrations.
func Services() []string {
	return []string{
		"apigateway", "athena", "batch", "bedrock", "codebuild", "databrew", "dynamodb", "ecs", "eks", "elasticmapreduce",
		"emr-containers", "emr-serverless", "events", "glue", "http", "lambda", "mediaconvert", "sagemaker", "sns", "sqs", "states",
	}
}

// Actions lists the actions of an optimized integration and the patterns that
// each may have; nil for a service that has none.
func Actions(name string) map[string]Pattern {
	s, ok := serviceOf(name)
	if !ok {
		return nil
	}
	m := make(map[string]Pattern, len(s.actions))
	for n, a := range s.actions {
		m[n] = a.patterns
	}
	return m
}

// serviceOf finds an optimized integration. The actions and patterns are those of
// https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
func serviceOf(name string) (service, bool) {
	switch name {
	case "lambda":
		return service{call: "lambda", prefix: "Lambda", sdk: "AWSLambda", base: "AWSLambdaException", actions: actions(withToken, "invoke")}, true
	case "dynamodb":
		return service{
			call: "dynamodb", prefix: "DynamoDB", sdk: "AmazonDynamoDBv2", base: "AmazonDynamoDBException",
			actions: actions(only, "getItem", "putItem", "updateItem", "deleteItem"),
		}, true
	case "sqs":
		return service{call: "sqs", prefix: "SQS", sdk: "AmazonSQS", base: "AmazonSQSException", actions: actions(withToken, "sendMessage")}, true
	case "sns":
		return service{call: "sns", prefix: "SNS", sdk: "AmazonSNS", base: "AmazonSNSException", actions: actions(withToken, "publish")}, true
	case "ecs":
		return service{
			call: "ecs", prefix: "ECS", sdk: "AmazonECS", base: "AmazonECSException", lists: true,
			actions: actions(withSync|WaitForToken, "runTask"),
		}, true
	case "states":
		return service{
			call: "sfn", prefix: "StepFunctions", sdk: "AWSStepFunctions", base: "AWSStepFunctionsException",
			actions: actions(withSync|Sync2|WaitForToken, "startExecution"),
		}, true
	case "events":
		return service{call: "eventbridge", prefix: "EventBridge", actions: actions(withToken, "putEvents")}, true
	case "apigateway":
		return service{prefix: "ApiGateway", actions: actions(withToken, "invoke")}, true
	case "http":
		return service{prefix: "States.Http", actions: actions(only, "invoke")}, true
	}
	return jobService(name)
}

// jobService finds an integration of a service that runs jobs.
func jobService(name string) (service, bool) {
	switch name {
	case "batch":
		return service{call: "batch", prefix: "Batch", sdk: "AWSBatch", base: "AWSBatchException", actions: actions(withSync, "submitJob")}, true
	case "glue":
		return service{call: "glue", prefix: "Glue", sdk: "AWSGlue", base: "AWSGlueException", actions: actions(withSync, "startJobRun")}, true
	case "databrew":
		return service{call: "databrew", prefix: "DataBrew", sdk: "AWSGlueDataBrew", base: "AWSGlueDataBrewException", actions: actions(withSync, "startJobRun")}, true
	case "codebuild":
		return service{
			call: "codebuild", prefix: "CodeBuild", sdk: "AWSCodeBuild", base: "AWSCodeBuildException",
			actions: and(actions(withSync, "startBuild", "startBuildBatch", "retryBuildBatch"),
				"stopBuild", "batchDeleteBuilds", "batchGetReports", "stopBuildBatch", "deleteBuildBatch"),
		}, true
	case "athena":
		return service{
			call: "athena", prefix: "Athena", sdk: "AmazonAthena", base: "AmazonAthenaException",
			actions: and(actions(withSync, "startQueryExecution"), "stopQueryExecution", "getQueryExecution", "getQueryResults"),
		}, true
	case "elasticmapreduce":
		return emrService(), true
	case "emr-containers":
		return service{
			call: "emrcontainers", prefix: "EMRContainers", sdk: "AmazonEMRContainers", base: "AmazonEMRContainersException",
			actions: and(actions(withSync, "deleteVirtualCluster", "startJobRun"), "createVirtualCluster"),
		}, true
	case "emr-serverless":
		return service{call: "emrserverless", prefix: "EmrServerless", actions: actions(withSync,
			"createApplication", "startApplication", "stopApplication", "deleteApplication", "startJobRun", "cancelJobRun")}, true
	case "sagemaker":
		return service{
			call: "sagemaker", prefix: "SageMaker", sdk: "AmazonSageMaker", base: "AmazonSageMakerException",
			actions: and(actions(withSync, "createHyperParameterTuningJob", "createLabelingJob", "createProcessingJob", "createTrainingJob", "createTransformJob"),
				"createEndpoint", "createEndpointConfig", "createModel", "updateEndpoint"),
		}, true
	case "eks":
		return service{
			call: "eks", prefix: "EKS", sdk: "AmazonEKS", base: "AmazonEKSException",
			actions: and(actions(withSync, "createCluster", "createFargateProfile", "createNodegroup", "deleteCluster", "deleteFargateProfile",
				"deleteNodegroup", "runJob"), "call"),
		}, true
	case "mediaconvert":
		return service{call: "mediaconvert", prefix: "MediaConvert", actions: actions(withSync, "createJob")}, true
	case "bedrock":
		m := actions(withSync, "createModelCustomizationJob")
		m["invokeModel"] = action{patterns: only}
		return service{call: "bedrock", prefix: "Bedrock", actions: m}, true
	}
	return service{}, false
}

// emrService is Amazon EMR, some of whose actions have names of their own here.
func emrService() service {
	return service{
		call: "emr", prefix: "ElasticMapReduce", sdk: "AmazonElasticMapReduce", base: "AmazonElasticMapReduceException",
		actions: map[string]action{
			"createCluster":                   {withSync, "runJobFlow"},
			"setClusterTerminationProtection": {only, "setTerminationProtection"},
			"terminateCluster":                {withSync, "terminateJobFlows"},
			"addStep":                         {withSync, "addJobFlowSteps"},
			"cancelStep":                      {only, "cancelSteps"},
			"modifyInstanceFleetByName":       {only, "modifyInstanceFleet"},
			"modifyInstanceGroupByName":       {only, "modifyInstanceGroups"},
		},
	}
}
