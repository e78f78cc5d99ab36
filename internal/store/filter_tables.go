package store

import (
	"fmt"

	"github.com/leat-dev/leat/internal/core"
)

// tables returns what the filter compiler knows of an entity.
func tables(e core.Entity) table {
	switch e {
	case core.EntityFlow:
		return flowTable()
	case core.EntityFlowRun:
		return flowRunTable()
	case core.EntityTaskRun:
		return taskRunTable()
	case core.EntityLog:
		return logTable()
	case core.EntityDeployment:
		return deploymentTable()
	case core.EntityWorkPool:
		return workPoolTable()
	case core.EntityWorkQueue:
		return workQueueTable()
	case core.EntityWorker:
		return workerTable()
	case core.EntityArtifact:
		return artifactTable()
	case core.EntityArtifactCollection:
		return artifactCollectionTable()
	case core.EntityVariable:
		return variableTable()
	case core.EntityAutomation:
		return automationTable()
	case core.EntityBlockType:
		return blockTypeTable()
	case core.EntityBlockSchema:
		return blockSchemaTable()
	case core.EntityBlockDocument:
		return blockDocumentTable()
	}
	return table{}
}

// poolOf restricts rows of work_pool to the one of the queue whose id the expression gives.
func poolOf(queueID string) string {
	return "wp.id = (SELECT pq.work_pool_id FROM work_queue pq WHERE pq.id = " + queueID + ")"
}

func flowTable() table {
	return table{
		name: "flow", alias: "f",
		columns: map[string]string{"id": "f.id", "name": "f.name"},
		special: map[string]func(*builder, core.Cond) string{
			"tags": tags("f.tags"),
			"deployment": exists(core.OpIsNull,
				"NOT EXISTS (SELECT 1 FROM deployment fd WHERE fd.flow_id = f.id)",
				"EXISTS (SELECT 1 FROM deployment fd WHERE fd.flow_id = f.id)"),
		},
		sorts: map[string]string{
			"": "f.name", "NAME_ASC": "f.name", "NAME_DESC": "f.name DESC",
			"CREATED_DESC": "f.created DESC, f.id DESC", "UPDATED_DESC": "f.updated DESC, f.id DESC",
		},
		joins: map[core.Entity]string{
			core.EntityFlowRun:    "fr.flow_id = f.id",
			core.EntityTaskRun:    "tr.flow_run_id IN (SELECT x.id FROM flow_run x WHERE x.flow_id = f.id)",
			core.EntityDeployment: "d.flow_id = f.id",
			core.EntityWorkPool: "wp.id IN (SELECT pq.work_pool_id FROM deployment x JOIN work_queue pq ON pq.id = x.work_queue_id " +
				"WHERE x.flow_id = f.id)",
			core.EntityWorkQueue: "wq.id IN (SELECT x.work_queue_id FROM deployment x WHERE x.flow_id = f.id)",
		},
	}
}

// startTime compiles comparisons of the time at which a run began or, before
// that, is expected to.
func startTime(started string) func(*builder, core.Cond) string {
	return func(b *builder, c core.Cond) string {
		if c.Op == core.OpIsNull {
			return b.compare("fr.start_time", c)
		}
		return b.compare(started, c)
	}
}

func flowRunTable() table {
	const started = "coalesce(fr.start_time, fr.expected_start_time)"
	return table{
		name: "flow_run", alias: "fr",
		columns: map[string]string{
			"id": "fr.id", "name": "fr.name", "deployment_id": "fr.deployment_id",
			"work_queue_name": "fr.work_queue_name",
			"state.type":      "fr.state_type", "state.name": "fr.state_name", "flow_version": "fr.flow_version",
			"end_time":            "fr.end_time",
			"expected_start_time": "fr.expected_start_time", "next_scheduled_start_time": "fr.next_scheduled_start_time",
			"parent_flow_run_id": "(SELECT pt.flow_run_id FROM task_run pt WHERE pt.id = fr.parent_task_run_id)",
			"parent_task_run_id": "fr.parent_task_run_id", "idempotency_key": "fr.idempotency_key",
		},
		special: map[string]func(*builder, core.Cond) string{"tags": tags("fr.tags"), "created_by": creator("fr.created_by"), "start_time": startTime(started)},
		sorts: map[string]string{
			"": "fr.id DESC", "ID_DESC": "fr.id DESC",
			"START_TIME_ASC": started + ", fr.id", "START_TIME_DESC": started + " DESC, fr.id DESC",
			"EXPECTED_START_TIME_ASC":  "fr.expected_start_time, fr.id",
			"EXPECTED_START_TIME_DESC": "fr.expected_start_time DESC, fr.id DESC",
			"NAME_ASC":                 "fr.name, fr.id", "NAME_DESC": "fr.name DESC, fr.id DESC",
			"NEXT_SCHEDULED_START_TIME_ASC": "fr.next_scheduled_start_time NULLS LAST, fr.id",
			"END_TIME_DESC":                 "fr.end_time DESC NULLS LAST, fr.id DESC",
		},
		joins: map[core.Entity]string{
			core.EntityFlow:       "f.id = fr.flow_id",
			core.EntityTaskRun:    "tr.flow_run_id = fr.id",
			core.EntityDeployment: "d.id = fr.deployment_id",
			core.EntityWorkPool:   poolOf("fr.work_queue_id"),
			core.EntityWorkQueue:  "wq.id = fr.work_queue_id",
		},
	}
}

func taskRunTable() table {
	return table{
		name: "task_run", alias: "tr",
		columns: map[string]string{
			"id": "tr.id", "name": "tr.name", "state.type": "tr.state_type", "state.name": "tr.state_name",
			"start_time": "tr.start_time", "end_time": "tr.end_time", "expected_start_time": "tr.expected_start_time",
			"flow_run_id": "tr.flow_run_id",
		},
		special: map[string]func(*builder, core.Cond) string{
			"tags": tags("tr.tags"),
			"subflow_runs": exists(core.OpExists,
				"EXISTS (SELECT 1 FROM flow_run sf WHERE sf.parent_task_run_id = tr.id)",
				"NOT EXISTS (SELECT 1 FROM flow_run sf WHERE sf.parent_task_run_id = tr.id)"),
		},
		sorts: map[string]string{
			"": "tr.id DESC", "ID_DESC": "tr.id DESC",
			"EXPECTED_START_TIME_ASC":  "tr.expected_start_time, tr.id",
			"EXPECTED_START_TIME_DESC": "tr.expected_start_time DESC, tr.id DESC",
			"NAME_ASC":                 "tr.name, tr.id", "NAME_DESC": "tr.name DESC, tr.id DESC",
			"NEXT_SCHEDULED_START_TIME_ASC": "tr.next_scheduled_start_time NULLS LAST, tr.id",
			"END_TIME_DESC":                 "tr.end_time DESC NULLS LAST, tr.id DESC",
		},
		joins: map[core.Entity]string{
			core.EntityFlow:       "f.id = (SELECT x.flow_id FROM flow_run x WHERE x.id = tr.flow_run_id)",
			core.EntityFlowRun:    "fr.id = tr.flow_run_id",
			core.EntityDeployment: "d.id = (SELECT x.deployment_id FROM flow_run x WHERE x.id = tr.flow_run_id)",
			core.EntityWorkPool:   poolOf("(SELECT x.work_queue_id FROM flow_run x WHERE x.id = tr.flow_run_id)"),
			core.EntityWorkQueue:  "wq.id = (SELECT x.work_queue_id FROM flow_run x WHERE x.id = tr.flow_run_id)",
		},
	}
}

func logTable() table {
	return table{
		name: "log", alias: "l",
		columns: map[string]string{
			"level": "l.level", "timestamp": "l.timestamp", "flow_run_id": "l.flow_run_id", "task_run_id": "l.task_run_id",
		},
		special: map[string]func(*builder, core.Cond) string{"text": logText},
		sorts: map[string]string{
			"": "l.timestamp, l.seq", "TIMESTAMP_ASC": "l.timestamp, l.seq", "TIMESTAMP_DESC": "l.timestamp DESC, l.seq DESC",
		},
	}
}

// deploymentLimit is how many runs of a deployment go at once.
const deploymentLimit = "(SELECT dl.slot_limit FROM concurrency_limit dl WHERE dl.id = d.concurrency_limit_id)"

func deploymentTable() table {
	return table{
		name: "deployment", alias: "d",
		columns: map[string]string{
			"id": "d.id", "name": "d.name", "paused": "d.paused", "concurrency_limit": deploymentLimit,
			"work_queue_name": "d.work_queue_name",
		},
		special: map[string]func(*builder, core.Cond) string{
			"tags": tags("d.tags"),
			"flow_or_deployment_name": func(b *builder, c core.Cond) string {
				s, _ := c.Value.(string)
				return fmt.Sprintf("(d.name %[1]s %[2]s OR (SELECT nf.name FROM flow nf WHERE nf.id = d.flow_id) %[1]s %[3]s)",
					b.d.like, b.arg("%"+s+"%"), b.arg("%"+s+"%"))
			},
		},
		sorts: map[string]string{
			"": "d.name, d.id", "NAME_ASC": "d.name, d.id", "NAME_DESC": "d.name DESC, d.id DESC",
			"CREATED_DESC": "d.created DESC, d.id DESC", "UPDATED_DESC": "d.updated DESC, d.id DESC",
		},
		joins: map[core.Entity]string{
			core.EntityFlow:      "f.id = d.flow_id",
			core.EntityFlowRun:   "fr.deployment_id = d.id",
			core.EntityTaskRun:   "tr.flow_run_id IN (SELECT x.id FROM flow_run x WHERE x.deployment_id = d.id)",
			core.EntityWorkPool:  poolOf("d.work_queue_id"),
			core.EntityWorkQueue: "wq.id = d.work_queue_id",
		},
	}
}

func workPoolTable() table {
	return table{
		name: "work_pool", alias: "wp",
		columns: map[string]string{"id": "wp.id", "name": "wp.name", "type": "wp.type"},
		sorts:   map[string]string{"": "wp.name, wp.id"},
	}
}

func workQueueTable() table {
	return table{
		name: "work_queue", alias: "wq",
		columns: map[string]string{"id": "wq.id", "name": "wq.name"},
		sorts:   map[string]string{"": "wq.name, wq.id", "PRIORITY": "wq.priority, wq.id", "CREATED": "wq.created, wq.id"},
		joins:   map[core.Entity]string{core.EntityWorkPool: "wp.id = wq.work_pool_id"},
	}
}

func workerTable() table {
	return table{
		name: "worker", alias: "w",
		columns: map[string]string{"last_heartbeat_time": "w.last_heartbeat_time", "status": "w.status"},
		sorts:   map[string]string{"": "w.last_heartbeat_time DESC, w.id"},
		joins:   map[core.Entity]string{core.EntityWorkPool: "wp.id = w.work_pool_id"},
	}
}
