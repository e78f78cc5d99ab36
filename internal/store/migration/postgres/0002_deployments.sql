CREATE TABLE work_pool (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	description TEXT,
	type TEXT NOT NULL,
	base_job_template TEXT NOT NULL,
	is_paused BOOLEAN NOT NULL,
	concurrency_limit BIGINT,
	default_queue_id TEXT,
	status TEXT NOT NULL,
	last_status_event_id TEXT,
	storage_configuration TEXT NOT NULL,
	UNIQUE (ws, name)
);

CREATE TABLE work_queue (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	work_pool_id TEXT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	is_paused BOOLEAN NOT NULL,
	concurrency_limit BIGINT,
	priority BIGINT NOT NULL,
	last_polled BIGINT,
	status TEXT NOT NULL,
	filter TEXT,
	UNIQUE (work_pool_id, name)
);

CREATE TABLE worker (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	work_pool_id TEXT NOT NULL,
	name TEXT NOT NULL,
	last_heartbeat_time BIGINT NOT NULL,
	heartbeat_interval_seconds BIGINT,
	status TEXT NOT NULL,
	UNIQUE (work_pool_id, name)
);

CREATE TABLE worker_life (
	ws BIGINT NOT NULL,
	work_pool_id TEXT NOT NULL,
	name TEXT NOT NULL,
	id TEXT NOT NULL,
	since BIGINT NOT NULL,
	until BIGINT NOT NULL,
	PRIMARY KEY (work_pool_id, name, id)
);

CREATE TABLE deployment (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	version TEXT,
	description TEXT,
	flow_id TEXT NOT NULL,
	paused BOOLEAN NOT NULL,
	concurrency_limit_id TEXT,
	concurrency_options TEXT,
	job_variables TEXT NOT NULL,
	parameters TEXT NOT NULL,
	parameter_openapi_schema TEXT,
	enforce_parameter_schema BOOLEAN NOT NULL,
	tags TEXT NOT NULL,
	labels TEXT,
	pull_steps TEXT,
	path TEXT,
	entrypoint TEXT,
	work_queue_id TEXT,
	work_queue_name TEXT,
	storage_document_id TEXT,
	infrastructure_document_id TEXT,
	created_by TEXT,
	updated_by TEXT,
	last_polled BIGINT,
	status TEXT NOT NULL,
	UNIQUE (flow_id, name)
);

CREATE INDEX deployment_ws ON deployment (ws, name);

CREATE INDEX deployment_queue ON deployment (work_queue_id) WHERE work_queue_id IS NOT NULL;

CREATE TABLE deployment_schedule (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	deployment_id TEXT NOT NULL,
	schedule TEXT NOT NULL,
	active BOOLEAN NOT NULL,
	max_scheduled_runs BIGINT,
	parameters TEXT NOT NULL,
	slug TEXT,
	due BIGINT
);

CREATE INDEX deployment_schedule_deployment ON deployment_schedule (deployment_id);

CREATE INDEX deployment_schedule_due ON deployment_schedule (ws, due) WHERE active AND due IS NOT NULL;

CREATE INDEX deployment_unready ON deployment (work_queue_id) WHERE status = 'NOT_READY';

CREATE INDEX deployment_ready ON deployment (ws, last_polled) WHERE status = 'READY';

CREATE INDEX work_queue_ready ON work_queue (ws, last_polled) WHERE status = 'READY';

CREATE INDEX worker_online ON worker (ws) WHERE status = 'ONLINE';

CREATE INDEX flow_run_slots ON flow_run (work_queue_id)
	WHERE work_queue_id IS NOT NULL AND (state_type = 'PENDING' OR state_type = 'RUNNING' OR state_type = 'CANCELLING');

CREATE INDEX flow_run_scheduled ON flow_run (deployment_id, next_scheduled_start_time) WHERE deployment_id IS NOT NULL AND state_type = 'SCHEDULED';
