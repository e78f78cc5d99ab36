CREATE TABLE variable (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	tags TEXT NOT NULL,
	UNIQUE (ws, name)
);

CREATE TABLE artifact (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	key TEXT,
	type TEXT,
	description TEXT,
	data TEXT,
	metadata TEXT,
	flow_run_id TEXT,
	task_run_id TEXT
);

CREATE INDEX artifact_key ON artifact (ws, key, created) WHERE key IS NOT NULL;

CREATE INDEX artifact_flow_run ON artifact (flow_run_id) WHERE flow_run_id IS NOT NULL;

CREATE INDEX artifact_task_run ON artifact (task_run_id) WHERE task_run_id IS NOT NULL;

CREATE INDEX artifact_ws ON artifact (ws, id);

CREATE TABLE artifact_collection (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	key TEXT NOT NULL,
	latest_id TEXT NOT NULL,
	UNIQUE (ws, key)
);

CREATE TABLE flow_run_input (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	flow_run_id TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	sender TEXT,
	UNIQUE (flow_run_id, key)
);

CREATE TABLE automation (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	enabled BOOLEAN NOT NULL,
	tags TEXT NOT NULL,
	trigger_spec TEXT NOT NULL,
	actions TEXT NOT NULL,
	actions_on_trigger TEXT NOT NULL,
	actions_on_resolve TEXT NOT NULL
);

CREATE INDEX automation_name ON automation (ws, name);

CREATE TABLE automation_resource (
	automation_id TEXT NOT NULL,
	resource_id TEXT NOT NULL,
	ws BIGINT NOT NULL,
	owned BOOLEAN NOT NULL,
	PRIMARY KEY (automation_id, resource_id)
);

CREATE INDEX automation_resource_resource ON automation_resource (ws, resource_id);

CREATE TABLE saved_search (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	filters TEXT NOT NULL,
	UNIQUE (ws, name)
);

CREATE TABLE setting (
	ws BIGINT NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (ws, name)
);
