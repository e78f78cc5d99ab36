CREATE TABLE execution (
	run_id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	arn TEXT NOT NULL,
	name TEXT NOT NULL,
	machine_id TEXT NOT NULL,
	machine_arn TEXT NOT NULL,
	revision_id TEXT NOT NULL,
	version_arn TEXT,
	alias_arn TEXT,
	express BOOLEAN NOT NULL,
	status TEXT NOT NULL,
	started BIGINT NOT NULL,
	stopped BIGINT,
	input TEXT NOT NULL,
	output TEXT,
	error TEXT,
	cause TEXT,
	events BIGINT NOT NULL,
	version BIGINT NOT NULL,
	redrives BIGINT NOT NULL,
	redriven BIGINT,
	map_run_id TEXT,
	item BIGINT NOT NULL,
	trace_header TEXT,
	seed BIGINT NOT NULL,
	UNIQUE (ws, arn)
);

CREATE INDEX execution_machine ON execution (machine_id, started, run_id);

CREATE INDEX execution_running ON execution (machine_id) WHERE status = 'RUNNING';

CREATE INDEX execution_version ON execution (version_arn, started, run_id) WHERE version_arn IS NOT NULL;

CREATE INDEX execution_alias ON execution (alias_arn, started, run_id) WHERE alias_arn IS NOT NULL;

CREATE INDEX execution_map_run ON execution (map_run_id, started, run_id) WHERE map_run_id IS NOT NULL;

CREATE TABLE execution_piece (
	run_id TEXT NOT NULL,
	key TEXT NOT NULL,
	ws BIGINT NOT NULL,
	data TEXT NOT NULL,
	PRIMARY KEY (run_id, key)
) WITHOUT ROWID;

CREATE TABLE execution_history (
	run_id TEXT NOT NULL,
	first BIGINT NOT NULL,
	ws BIGINT NOT NULL,
	last BIGINT NOT NULL,
	events TEXT NOT NULL,
	PRIMARY KEY (run_id, first)
);

CREATE TABLE execution_action (
	run_id TEXT NOT NULL,
	key BIGINT NOT NULL,
	ws BIGINT NOT NULL,
	kind TEXT NOT NULL,
	due BIGINT,
	owner TEXT NOT NULL,
	resource TEXT NOT NULL,
	spec TEXT,
	watch TEXT,
	deadline BIGINT,
	beat BIGINT,
	created BIGINT NOT NULL,
	PRIMARY KEY (run_id, key)
) WITHOUT ROWID;

CREATE INDEX execution_action_due ON execution_action (due) WHERE due IS NOT NULL;

CREATE INDEX execution_action_owner ON execution_action (owner) WHERE owner <> '';

CREATE INDEX execution_action_activity ON execution_action (ws, resource, created) WHERE resource <> '';

CREATE TABLE map_run (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	run_id TEXT NOT NULL,
	key BIGINT NOT NULL,
	arn TEXT NOT NULL,
	machine_arn TEXT NOT NULL,
	label TEXT NOT NULL,
	state TEXT NOT NULL,
	status TEXT NOT NULL,
	spec TEXT NOT NULL,
	counts TEXT NOT NULL,
	started BIGINT NOT NULL,
	stopped BIGINT,
	UNIQUE (ws, arn)
);

CREATE INDEX map_run_execution ON map_run (run_id, started, id);

CREATE TABLE map_run_item (
	map_run_id TEXT NOT NULL,
	number BIGINT NOT NULL,
	ws BIGINT NOT NULL,
	input TEXT NOT NULL,
	items BIGINT NOT NULL,
	PRIMARY KEY (map_run_id, number)
) WITHOUT ROWID;
