CREATE TABLE webhook (
	id TEXT PRIMARY KEY,
	ws BIGINT NOT NULL,
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	enabled BOOLEAN NOT NULL,
	template TEXT NOT NULL,
	slug TEXT NOT NULL,
	UNIQUE (ws, name),
	UNIQUE (ws, slug)
);
