package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Config says where the database is and how it is used.
type Config struct {
	// Database is a file name for SQLite, ":memory:", or a postgres:// URL.
	Database string
	// Log receives warnings about the database; nil discards them.
	Log *slog.Logger
	// Observe is told of each commit: how many closures it held and how long
	// making it took. nil is allowed.
	Observe func(closures int, took time.Duration)
	// Now is the clock for observing; nil means time is not observed.
	Now func() time.Time
	// BackupBeforeUpgrade copies a SQLite file that holds something before its
	// schema is changed.
	BackupBeforeUpgrade bool
	// ReadConns is the number of connections for reads; 0 means 4.
	ReadConns int
}

// Store is a core.Store on SQLite or Postgres.
type Store struct {
	cfg     Config
	engine  engine
	lane    *lane
	waiters waiters
	closing sync.Once
	stop    context.CancelFunc
	done    sync.WaitGroup
}

var _ core.Store = (*Store)(nil)

// engine is what differs between databases beyond SQL text.
type engine interface {
	dialect() *dialect
	// writer opens the lane's connection.
	writer(ctx context.Context) (writeConn, error)
	// reader borrows a connection for reads; release gives it back.
	reader(ctx context.Context) (c conn, release func(), err error)
	// listen calls wake for the topics that other processes announce, until ctx
	// ends. It returns nil at once where there are no other processes.
	listen(ctx context.Context, wake func(topics string)) error
	close() error
}

// Open opens or makes the database, brings its schema up to date and starts
// the write lane. A SQLite file that another process serves is refused with a
// Conflict error.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Observe == nil || cfg.Now == nil {
		cfg.Observe, cfg.Now = func(int, time.Duration) {}, func() time.Time { return time.Time{} }
	}
	if cfg.ReadConns <= 0 {
		cfg.ReadConns = 4
	}
	var eng engine
	var err error
	if isPostgres(cfg.Database) {
		eng, err = openPostgres(ctx, cfg)
	} else {
		eng, err = openSQLite(ctx, cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{cfg: cfg, engine: eng, stop: stop, waiters: newWaiters()}
	s.lane = newLane(run, eng, cfg, s.wake)
	s.done.Go(s.lane.run)
	s.done.Go(func() {
		if err := eng.listen(run, s.wakeNamed); err != nil && run.Err() == nil {
			cfg.Log.Error("listening for other replicas ended", "error", err)
		}
	})
	return s, nil
}

// Update implements core.Store.
func (s *Store) Update(ctx context.Context, ws core.WorkspaceID, fn func(core.Tx) error) error {
	return s.lane.do(ctx, ws, fn)
}

// View implements core.Store.
func (s *Store) View(ctx context.Context, ws core.WorkspaceID, fn func(core.Tx) error) error {
	c, release, err := s.engine.reader(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer release()
	d := s.engine.dialect()
	if err = fn(&tx{conn: c, ws: ws, d: d}); err != nil && core.CodeOf(err) == core.Internal && d.lost(err) {
		return unavailable(err)
	}
	return err
}

// Workspaces implements core.Store.
func (s *Store) Workspaces(ctx context.Context) ([]core.WorkspaceID, error) {
	var ids []core.WorkspaceID
	err := s.View(ctx, 0, func(t core.Tx) error {
		var err error
		ids, err = list(t.(*tx), scanWorkspace, "SELECT id FROM workspace ORDER BY id")
		return err
	})
	return ids, err
}

// Workspace implements core.Store.
func (s *Store) Workspace(ctx context.Context, name string) (core.WorkspaceID, error) {
	var id core.WorkspaceID
	find := func(t core.Tx) error {
		ids, err := list(t.(*tx), scanWorkspace, "SELECT id FROM workspace WHERE name = ?", name)
		id = 0
		if len(ids) > 0 {
			id = ids[0]
		}
		return err
	}
	if err := s.View(ctx, 0, find); err != nil || id != 0 {
		return id, err
	}
	// Another replica may take the same number for another name; then the next is free.
	for range 10 {
		err := s.Update(ctx, 0, func(t core.Tx) error {
			if err := t.(*tx).exec("INSERT INTO workspace (id, name) SELECT MAX(id) + 1, ? FROM workspace WHERE 1 = 1 ON CONFLICT DO NOTHING", name); err != nil {
				return err
			}
			return find(t)
		})
		if err != nil || id != 0 {
			return id, err
		}
	}
	return 0, core.Errorf(core.Unavailable, "no number is free for workspace %s", name)
}

func scanWorkspace(r rows) (id core.WorkspaceID, err error) { return id, r.Scan(&id) }

// Lease implements core.Store. A SQLite file belongs to one process, which
// holds every lease on it.
func (s *Store) Lease(ctx context.Context, name, holder string, seconds float64) (bool, error) {
	take := s.engine.dialect().takeLease
	if take == "" {
		return true, nil
	}
	held := false
	err := s.Update(ctx, 0, func(t core.Tx) error {
		n, err := t.(*tx).execN(take, name, holder, seconds)
		held = n > 0
		return err
	})
	return held, err
}

// Ping implements core.Store.
func (s *Store) Ping(ctx context.Context) error {
	return s.View(ctx, 0, func(t core.Tx) error {
		_, err := list(t.(*tx), func(r rows) (n int, err error) { return n, r.Scan(&n) }, "SELECT 1")
		return err
	})
}

// Clear implements core.Store.
func (s *Store) Clear(ctx context.Context) error {
	return s.Update(ctx, 0, func(t core.Tx) error {
		if s.engine.dialect().truncate {
			return t.(*tx).exec("TRUNCATE " + strings.Join(append(derivedTables(), dataTables()...), ", "))
		}
		for _, table := range append(derivedTables(), dataTables()...) {
			if err := t.(*tx).exec("DELETE FROM " + table); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close implements core.Store.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		s.lane.close()
		s.stop()
		s.done.Wait()
		err = s.engine.close()
	})
	return err
}

// Subscribe implements core.Store.
func (s *Store) Subscribe(t core.Topic) (<-chan struct{}, func()) { return s.waiters.subscribe(t) }

func (s *Store) wake(topics []core.Topic) {
	for _, t := range topics {
		s.waiters.wake(t)
	}
}

func (s *Store) wakeNamed(names string) {
	for name := range strings.SplitSeq(names, ",") {
		s.waiters.wake(core.Topic(name))
	}
}

// waiters keeps one channel of capacity one per subscription.
type waiters struct {
	mu   *sync.Mutex
	subs map[core.Topic]map[chan struct{}]struct{}
}

func newWaiters() waiters {
	w := waiters{mu: &sync.Mutex{}, subs: map[core.Topic]map[chan struct{}]struct{}{}}
	for _, t := range core.Topics() {
		w.subs[t] = map[chan struct{}]struct{}{}
	}
	return w
}

func (w waiters) subscribe(t core.Topic) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs[t][ch] = struct{}{}
	return ch, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subs[t], ch)
	}
}

func (w waiters) wake(t core.Topic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.subs[t] {
		select {
		case ch <- struct{}{}:
		default: // a wake-up is waiting there already
		}
	}
}

// derivedTables lists the tables that are made of others. They are cleared
// first, so that nobody counts what is then deleted, and they are not copied.
func derivedTables() []string {
	return []string{"flow_run_tally_mark", "flow_run_tally_change", "flow_run_tally"}
}

// dataTables lists the tables that hold what users made.
func dataTables() []string {
	return []string{
		"flow", "flow_run", "flow_run_state", "task_run", "task_run_state", "task_cache", "log", "event", "lease",
		"work_pool", "work_queue", "worker", "worker_life", "deployment", "deployment_schedule",
		"concurrency_limit", "concurrency_lease", "concurrency_lease_slot", "lease_attendance",
		"variable", "artifact", "artifact_collection", "flow_run_input", "automation", "automation_resource", "automation_position",
		"automation_bucket", "automation_child_firing", "automation_follower", "automation_action", "automation_depth", "saved_search", "setting", "webhook",
		"block_type", "block_schema", "block_document", "block_document_reference",
		"state_machine", "state_machine_revision", "state_machine_version", "state_machine_alias", "activity",
		"execution", "execution_piece", "execution_history", "execution_action", "map_run", "map_run_item",
		"run_remains",
	}
}

// Tables lists all tables but those of the migrations and workspaces.
func Tables() []string { return append(derivedTables(), dataTables()...) }
