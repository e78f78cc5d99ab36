ALTER TABLE deployment_schedule ADD COLUMN catchup_window BIGINT;

ALTER TABLE deployment_schedule ADD COLUMN overlap TEXT;

ALTER TABLE deployment_schedule ADD COLUMN max_waiting BIGINT;

ALTER TABLE deployment_schedule ADD COLUMN filled BIGINT;

CREATE INDEX deployment_schedule_policy ON deployment_schedule (ws, id)
	WHERE (catchup_window IS NOT NULL OR overlap IS NOT NULL OR max_waiting IS NOT NULL);

ALTER TABLE flow_run ADD COLUMN schedule_id TEXT;

UPDATE flow_run SET schedule_id = created_by::jsonb ->> 'id'
	WHERE auto_scheduled AND end_time IS NULL AND created_by LIKE '%"type":"SCHEDULE"%';

CREATE INDEX flow_run_schedule ON flow_run (schedule_id) WHERE schedule_id IS NOT NULL AND end_time IS NULL;

ALTER TABLE flow_run ADD COLUMN work_queue_name TEXT;

UPDATE flow_run SET work_queue_name = (SELECT q.name FROM work_queue q WHERE q.id = flow_run.work_queue_id)
	WHERE work_queue_id IS NOT NULL;

DROP INDEX flow_run_due;

CREATE INDEX flow_run_due ON flow_run (work_queue_id, next_scheduled_start_time, id) WHERE work_queue_id IS NOT NULL AND state_type = 'SCHEDULED';

DROP INDEX flow_run_scheduled;

CREATE INDEX flow_run_scheduled ON flow_run (deployment_id, next_scheduled_start_time, id) WHERE deployment_id IS NOT NULL AND state_type = 'SCHEDULED';
