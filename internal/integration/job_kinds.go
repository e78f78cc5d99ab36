package integration

import "github.com/leat-dev/leat/internal/value"

// one makes a description of a job from an operation and the parameter that
// names the job.
func one(operation, name string) func(parent, id string) (string, *value.Object) {
	return func(_, id string) (string, *value.Object) { return operation, value.Of(name, id) }
}

// listed does so for operations that ask about several jobs.
func listed(operation, name string) func(parent, id string) (string, *value.Object) {
	return func(_, id string) (string, *value.Object) { return operation, value.Of(name, []any{id}) }
}

// within does so for jobs that have a name only in what they belong to.
func within(operation, owner, name string) func(parent, id string) (string, *value.Object) {
	return func(parent, id string) (string, *value.Object) { return operation, value.Of(owner, parent, name, id) }
}

// ending makes a stop of a description.
func ending(describe func(parent, id string) (string, *value.Object)) func(parent, id, cause string) (string, *value.Object) {
	return func(parent, id, _ string) (string, *value.Object) { return describe(parent, id) }
}

// dataJob knows the jobs of the services that have one kind each.
func dataJob(service, action string) (job, bool) {
	switch service {
	case "batch":
		return job{
			id: "jobId", describe: listed("describeJobs", "jobs"), object: "jobs.0", status: "status",
			good: []string{"SUCCEEDED"}, bad: []string{"FAILED"},
			stop: func(_, id, cause string) (string, *value.Object) {
				return "terminateJob", value.Of("jobId", id, "reason", orNull(cause))
			},
		}, true
	case "glue":
		return job{
			id: "JobRunId", parent: "$JobName", describe: within("getJobRun", "JobName", "RunId"), object: "JobRun", status: "JobRunState",
			good: []string{"SUCCEEDED"}, bad: []string{"FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"},
			stop: func(parent, id, _ string) (string, *value.Object) {
				return "batchStopJobRun", value.Of("JobName", parent, "JobRunIds", []any{id})
			},
		}, true
	case "databrew":
		return job{
			id: "RunId", parent: "$Name", describe: within("describeJobRun", "Name", "RunId"), status: "State", whole: true,
			good: []string{"SUCCEEDED"}, bad: []string{"FAILED", "STOPPED", "TIMEOUT"}, stop: ending(within("stopJobRun", "Name", "RunId")),
		}, true
	case "athena":
		return job{
			id: "QueryExecutionId", describe: one("getQueryExecution", "QueryExecutionId"), object: "QueryExecution", status: "Status.State", whole: true,
			good: []string{"SUCCEEDED"}, bad: []string{"FAILED", "CANCELLED"}, stop: ending(one("stopQueryExecution", "QueryExecutionId")),
		}, true
	case "mediaconvert":
		return job{
			id: "Job.Id", describe: one("getJob", "Id"), object: "Job", status: "Status", whole: true,
			good: []string{"COMPLETE"}, bad: []string{"ERROR", "CANCELED"}, stop: ending(one("cancelJob", "Id")),
		}, true
	case "bedrock":
		return job{
			id: "jobArn", describe: one("getModelCustomizationJob", "jobIdentifier"), status: "status", whole: true,
			good: []string{"Completed"}, bad: []string{"Failed", "Stopped"}, stop: ending(one("stopModelCustomizationJob", "jobIdentifier")),
		}, true
	case "emr-containers":
		if action == "deleteVirtualCluster" {
			return job{
				id: "id", describe: one("describeVirtualCluster", "id"), object: "virtualCluster", status: "state", whole: true,
				good: []string{"TERMINATED"}, bad: []string{"ARRESTED"}, gone: true,
			}, true
		}
		return job{
			id: "id", parent: "virtualClusterId", describe: within("describeJobRun", "virtualClusterId", "id"), object: "jobRun", status: "state",
			good: []string{"COMPLETED"}, bad: []string{"FAILED", "CANCELLED"}, stop: ending(within("cancelJobRun", "virtualClusterId", "id")),
		}, true
	}
	return job{}, false
}

// buildJob knows the builds of CodeBuild.
func buildJob(action string) (job, bool) {
	bad := []string{"FAILED", "FAULT", "TIMED_OUT", "STOPPED"}
	switch action {
	case "startBuild":
		return job{
			id: "build.id", describe: listed("batchGetBuilds", "ids"), object: "builds.0", status: "buildStatus",
			good: []string{"SUCCEEDED"}, bad: bad, stop: ending(one("stopBuild", "id")), whole: false,
		}, true
	case "startBuildBatch", "retryBuildBatch":
		return job{
			id: "buildBatch.id", describe: listed("batchGetBuildBatches", "ids"), object: "buildBatches.0", status: "buildBatchStatus",
			good: []string{"SUCCEEDED"}, bad: bad, stop: ending(one("stopBuildBatch", "id")),
		}, true
	}
	return job{}, false
}

// modelJob knows the jobs of SageMaker, which are named by their creator.
func modelJob(action string) (job, bool) {
	kinds := map[string]string{
		"createHyperParameterTuningJob": "HyperParameterTuningJob", "createLabelingJob": "LabelingJob",
		"createProcessingJob": "ProcessingJob", "createTrainingJob": "TrainingJob", "createTransformJob": "TransformJob",
	}
	kind, ok := kinds[action]
	if !ok {
		return job{}, false
	}
	name := kind + "Name"
	return job{
		id: "$" + name, describe: one("describe"+kind, name), status: kind + "Status", whole: true,
		good: []string{"Completed"}, bad: []string{"Failed", "Stopped"}, stop: ending(one("stop"+kind, name)),
	}, true
}

// emrJob knows clusters and steps of Amazon EMR.
func emrJob(action string) (job, bool) {
	cluster := job{describe: one("describeCluster", "ClusterId"), object: "Cluster", status: "Status.State", whole: true, bad: []string{"TERMINATED_WITH_ERRORS"}}
	switch action {
	case "createCluster":
		cluster.id, cluster.good = "JobFlowId", []string{"RUNNING", "WAITING", "TERMINATED"}
		cluster.stop = func(_, id, _ string) (string, *value.Object) {
			return "terminateJobFlows", value.Of("JobFlowIds", []any{id})
		}
		return cluster, true
	case "terminateCluster":
		cluster.id, cluster.good = "$JobFlowIds.0", []string{"TERMINATED"}
		return cluster, true
	case "addStep":
		return job{
			id: "StepIds.0", parent: "$JobFlowId", describe: within("describeStep", "ClusterId", "StepId"), object: "Step", status: "Status.State", whole: true,
			good: []string{"COMPLETED"}, bad: []string{"CANCELLED", "FAILED", "INTERRUPTED"},
			stop: func(parent, id, _ string) (string, *value.Object) {
				return "cancelSteps", value.Of("ClusterId", parent, "StepIds", []any{id})
			},
		}, true
	}
	return job{}, false
}

// eksJob knows what of Amazon EKS is made and unmade.
func eksJob(action string) (job, bool) {
	cluster := job{id: "cluster.name", describe: one("describeCluster", "name"), object: "cluster", status: "status", whole: true}
	group := job{
		id: "nodegroup.nodegroupName", parent: "nodegroup.clusterName", describe: within("describeNodegroup", "clusterName", "nodegroupName"),
		object: "nodegroup", status: "status", whole: true,
	}
	profile := job{
		id: "fargateProfile.fargateProfileName", parent: "fargateProfile.clusterName", describe: within("describeFargateProfile", "clusterName", "fargateProfileName"),
		object: "fargateProfile", status: "status", whole: true,
	}
	made := func(j job) (job, bool) {
		j.good, j.bad = []string{"ACTIVE"}, []string{"FAILED", "CREATE_FAILED", "DEGRADED"}
		return j, true
	}
	unmade := func(j job) (job, bool) {
		j.gone, j.bad = true, []string{"FAILED", "DELETE_FAILED"}
		return j, true
	}
	switch action {
	case "createCluster":
		return made(cluster)
	case "deleteCluster":
		return unmade(cluster)
	case "createNodegroup":
		return made(group)
	case "deleteNodegroup":
		return unmade(group)
	case "createFargateProfile":
		return made(profile)
	case "deleteFargateProfile":
		return unmade(profile)
	}
	return job{}, false
}

// serverlessJob knows applications and job runs of EMR Serverless.
func serverlessJob(action string) (job, bool) {
	application := job{id: "$applicationId", describe: one("getApplication", "applicationId"), object: "application", status: "state", whole: true}
	run := job{
		id: "jobRunId", parent: "applicationId", describe: within("getJobRun", "applicationId", "jobRunId"), object: "jobRun", status: "state", whole: true,
		good: []string{"SUCCESS"}, bad: []string{"FAILED", "CANCELLED"}, stop: ending(within("cancelJobRun", "applicationId", "jobRunId")),
	}
	switch action {
	case "createApplication":
		application.id, application.good, application.bad = "applicationId", []string{"CREATED"}, []string{"TERMINATED"}
	case "startApplication":
		application.good, application.bad = []string{"STARTED"}, []string{"STOPPED", "TERMINATED"}
	case "stopApplication":
		application.good, application.bad = []string{"STOPPED"}, []string{"TERMINATED"}
	case "deleteApplication":
		application.good, application.gone = []string{"TERMINATED"}, true
	case "startJobRun":
		return run, true
	case "cancelJobRun":
		run.good, run.bad, run.stop = []string{"CANCELLED"}, []string{"FAILED", "SUCCESS"}, nil
		return run, true
	default:
		return job{}, false
	}
	return application, true
}
