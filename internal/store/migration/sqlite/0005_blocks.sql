CREATE TABLE block_type (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	slug TEXT NOT NULL,
	logo_url TEXT,
	documentation_url TEXT,
	description TEXT,
	code_example TEXT,
	is_protected BOOLEAN NOT NULL,
	UNIQUE (ws, slug)
);

CREATE TABLE block_schema (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	checksum TEXT NOT NULL,
	fields TEXT NOT NULL,
	block_type_id TEXT NOT NULL,
	capabilities TEXT NOT NULL,
	version TEXT NOT NULL,
	UNIQUE (ws, checksum, version)
);

CREATE INDEX block_schema_type ON block_schema (block_type_id);

CREATE TABLE block_document (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	block_type_id TEXT NOT NULL,
	block_schema_id TEXT NOT NULL,
	is_anonymous BOOLEAN NOT NULL,
	sealed TEXT NOT NULL,
	UNIQUE (block_type_id, name)
);

CREATE INDEX block_document_ws ON block_document (ws, name);

CREATE TABLE block_document_reference (
	parent_id TEXT NOT NULL,
	name TEXT NOT NULL,
	reference_id TEXT NOT NULL,
	ws BIGINT NOT NULL,
	PRIMARY KEY (parent_id, name)
);

CREATE INDEX block_document_reference_reference ON block_document_reference (reference_id);
