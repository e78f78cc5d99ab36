CREATE UNIQUE INDEX workspace_name ON workspace (name);

CREATE TABLE state_machine (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	region TEXT NOT NULL,
	arn TEXT NOT NULL,
	type TEXT NOT NULL,
	status TEXT NOT NULL,
	flow_id TEXT NOT NULL,
	revision_id TEXT NOT NULL,
	last_version BIGINT NOT NULL,
	tags TEXT NOT NULL,
	UNIQUE (ws, arn)
);

CREATE UNIQUE INDEX state_machine_name ON state_machine (ws, region, name);

CREATE TABLE state_machine_revision (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	machine_id TEXT NOT NULL,
	created BIGINT NOT NULL,
	initial BOOLEAN NOT NULL,
	definition TEXT NOT NULL,
	role_arn TEXT NOT NULL,
	config TEXT NOT NULL
);

CREATE TABLE state_machine_version (
	machine_id TEXT NOT NULL,
	number BIGINT NOT NULL,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	arn TEXT NOT NULL,
	revision_id TEXT NOT NULL,
	description TEXT NOT NULL,
	PRIMARY KEY (machine_id, number),
	UNIQUE (ws, arn)
);

CREATE TABLE state_machine_alias (
	machine_id TEXT NOT NULL,
	name TEXT NOT NULL,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	arn TEXT NOT NULL,
	description TEXT NOT NULL,
	routing TEXT NOT NULL,
	PRIMARY KEY (machine_id, name),
	UNIQUE (ws, arn)
);

CREATE TABLE activity (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	name TEXT NOT NULL,
	region TEXT NOT NULL,
	arn TEXT NOT NULL,
	encryption TEXT,
	tags TEXT NOT NULL,
	UNIQUE (ws, arn)
);

CREATE UNIQUE INDEX activity_name ON activity (ws, region, name);
