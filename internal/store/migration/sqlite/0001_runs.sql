CREATE TABLE workspace (
	id BIGINT PRIMARY KEY,
	name TEXT NOT NULL
);

INSERT INTO workspace (id, name) VALUES (1, 'default');

CREATE TABLE lease (
	name TEXT PRIMARY KEY,
	holder TEXT NOT NULL,
	expires DOUBLE PRECISION NOT NULL,
	fence BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE flow (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	tags TEXT NOT NULL,
	labels TEXT,
	UNIQUE (ws, name)
);

CREATE TABLE flow_run (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	flow_id TEXT NOT NULL,
	flow_name TEXT NOT NULL,
	deployment_id TEXT,
	deployment_version TEXT,
	work_queue_id TEXT,
	flow_version TEXT,
	parameters TEXT,
	idempotency_key TEXT,
	context TEXT,
	policy TEXT NOT NULL,
	tags TEXT NOT NULL,
	labels TEXT,
	job_variables TEXT,
	created_by TEXT,
	parent_task_run_id TEXT,
	auto_scheduled BOOLEAN NOT NULL,
	infrastructure_document_id TEXT,
	infrastructure_pid TEXT,
	run_count BIGINT NOT NULL,
	expected_start_time BIGINT,
	next_scheduled_start_time BIGINT,
	start_time BIGINT,
	end_time BIGINT,
	total_run_time BIGINT NOT NULL,
	state_id TEXT,
	state_type TEXT,
	state_name TEXT,
	state_timestamp BIGINT,
	state_message TEXT,
	state_data TEXT,
	state_details TEXT,
	last_beat BIGINT,
	last_seen BIGINT,
	lost BIGINT,
	claimed_by TEXT,
	rhythm BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX flow_run_expected ON flow_run (ws, expected_start_time, id);

CREATE INDEX flow_run_by_state ON flow_run (ws, state_type, expected_start_time, id);

CREATE INDEX flow_run_flow ON flow_run (ws, flow_id, expected_start_time, id);

CREATE UNIQUE INDEX flow_run_idempotency ON flow_run (flow_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE INDEX flow_run_deployment ON flow_run (deployment_id, expected_start_time, id) WHERE deployment_id IS NOT NULL;

CREATE INDEX flow_run_parent ON flow_run (parent_task_run_id) WHERE parent_task_run_id IS NOT NULL;

CREATE INDEX flow_run_due ON flow_run (work_queue_id, next_scheduled_start_time) WHERE work_queue_id IS NOT NULL AND state_type = 'SCHEDULED';

CREATE INDEX flow_run_start ON flow_run (ws, coalesce(start_time, expected_start_time), id);

CREATE INDEX flow_run_end ON flow_run (ws, end_time);

CREATE TABLE flow_run_state (
	id TEXT NOT NULL UNIQUE,
	ws BIGINT NOT NULL,
	run_id TEXT NOT NULL,
	type TEXT NOT NULL,
	name TEXT NOT NULL,
	timestamp BIGINT NOT NULL,
	message TEXT,
	data TEXT,
	details TEXT NOT NULL,
	PRIMARY KEY (run_id, timestamp, id)
) WITHOUT ROWID;

CREATE TABLE task_run (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	flow_run_id TEXT,
	task_key TEXT NOT NULL,
	dynamic_key TEXT NOT NULL,
	cache_key TEXT,
	cache_expiration BIGINT,
	task_version TEXT,
	policy TEXT NOT NULL,
	tags TEXT NOT NULL,
	labels TEXT,
	task_inputs TEXT,
	run_count BIGINT NOT NULL,
	flow_run_run_count BIGINT NOT NULL,
	expected_start_time BIGINT,
	next_scheduled_start_time BIGINT,
	start_time BIGINT,
	end_time BIGINT,
	total_run_time BIGINT NOT NULL,
	state_id TEXT,
	state_type TEXT,
	state_name TEXT,
	state_timestamp BIGINT,
	state_message TEXT,
	state_data TEXT,
	state_details TEXT,
	claimed_until BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX task_run_key ON task_run (flow_run_id, task_key, dynamic_key) WHERE flow_run_id IS NOT NULL;

CREATE INDEX task_run_own_key ON task_run (ws, task_key, dynamic_key) WHERE flow_run_id IS NULL;

CREATE INDEX task_run_expected ON task_run (ws, expected_start_time, id);

CREATE INDEX task_run_due ON task_run (ws, task_key, state_timestamp) WHERE state_type = 'SCHEDULED';

CREATE TABLE task_run_state (
	id TEXT NOT NULL UNIQUE,
	ws BIGINT NOT NULL,
	run_id TEXT NOT NULL,
	type TEXT NOT NULL,
	name TEXT NOT NULL,
	timestamp BIGINT NOT NULL,
	message TEXT,
	data TEXT,
	details TEXT NOT NULL,
	PRIMARY KEY (run_id, timestamp, id)
) WITHOUT ROWID;

CREATE TABLE task_cache (
	ws BIGINT NOT NULL,
	cache_key TEXT NOT NULL,
	state_id TEXT NOT NULL,
	created BIGINT NOT NULL,
	expires BIGINT
);

CREATE INDEX task_cache_key ON task_cache (ws, cache_key, created);

CREATE TABLE log (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	name TEXT NOT NULL,
	level BIGINT NOT NULL,
	message TEXT NOT NULL,
	timestamp BIGINT NOT NULL,
	flow_run_id TEXT,
	task_run_id TEXT,
	worker_id TEXT
);

CREATE INDEX log_flow_run ON log (flow_run_id, timestamp);

CREATE INDEX log_task_run ON log (task_run_id, timestamp) WHERE task_run_id IS NOT NULL;

CREATE TABLE event (
	seq INTEGER PRIMARY KEY,
	id TEXT NOT NULL,
	ws BIGINT NOT NULL,
	occurred BIGINT NOT NULL,
	received BIGINT NOT NULL,
	event TEXT NOT NULL,
	resource_id TEXT NOT NULL,
	resource TEXT NOT NULL,
	related TEXT NOT NULL,
	payload TEXT NOT NULL,
	follows TEXT
);

CREATE UNIQUE INDEX event_occurred ON event (ws, occurred, id);

CREATE INDEX event_resource ON event (resource_id, seq);
