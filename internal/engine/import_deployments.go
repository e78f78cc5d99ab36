package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// ImportWorkPool is a work pool of another server; its queues come by themselves.
type ImportWorkPool struct{ *core.WorkPool }

func (p ImportWorkPool) source() core.ID { return p.ID }

func (p ImportWorkPool) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	note := ""
	got, err := namedRow[core.WorkPool]{
		id: p.ID, name: p.Name, updated: p.Updated,
		find: []func() (*core.WorkPool, error){
			func() (*core.WorkPool, error) { return tx.WorkPool(p.ID) },
			func() (*core.WorkPool, error) { return tx.WorkPoolByName(p.Name) },
		},
		of: func(old *core.WorkPool) (core.ID, time.Time) {
			if old.Type != p.Type {
				note = "the pool " + p.Name + " is here with the type " + old.Type + " and stays as it is; at the source it is of the type " + p.Type
				return old.ID, p.Updated
			}
			return old.ID, old.Updated
		},
		insert: func() error { return tx.InsertWorkPool(p.WorkPool) },
		update: func(old *core.WorkPool) error {
			if old.ID == p.ID {
				old.DefaultQueueID = p.DefaultQueueID
			}
			if old.Status != nil && old.IsPaused != p.IsPaused {
				old.Status = p.Status
			}
			old.Updated, old.Description, old.BaseJobTemplate, old.IsPaused = p.Updated, p.Description, p.BaseJobTemplate, p.IsPaused
			old.ConcurrencyLimit, old.StorageConfiguration = p.ConcurrencyLimit, p.StorageConfiguration
			tx.Wake(core.TopicScheduledRuns)
			return tx.UpdateWorkPool(old)
		},
	}.put()
	got.note = note
	return got, err
}

// ImportWorkQueue is a work queue of another server.
type ImportWorkQueue struct{ *core.WorkQueue }

func (q ImportWorkQueue) source() core.ID { return q.ID }

func (q ImportWorkQueue) put(_ *Engine, tx core.Tx, _ time.Time) (imported, error) {
	if _, err := tx.WorkPool(q.WorkPoolID); err != nil {
		return imported{}, err
	}
	byName := func() (*core.WorkQueue, error) {
		queues, err := tx.WorkQueues(q.WorkPoolID)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(queues, func(other *core.WorkQueue) bool { return other.Name == q.Name }); i >= 0 {
			return queues[i], nil
		}
		return nil, core.Errorf(core.NotFound, "no queue of this name")
	}
	return namedRow[core.WorkQueue]{
		id: q.ID, name: q.Name, updated: q.Updated,
		find:   []func() (*core.WorkQueue, error){func() (*core.WorkQueue, error) { return tx.WorkQueue(q.ID) }, byName},
		of:     func(old *core.WorkQueue) (core.ID, time.Time) { return old.ID, old.Updated },
		insert: func() error { return tx.InsertWorkQueue(q.WorkQueue) },
		update: func(old *core.WorkQueue) error {
			if other, err := byName(); err == nil && other.ID != old.ID {
				return core.Errorf(core.Conflict, "another queue of the pool is called %s", q.Name)
			} else if err != nil && !missing(err) {
				return err
			}
			if old.IsPaused != q.IsPaused {
				old.Status = q.Status
			}
			old.Updated, old.Name, old.Description, old.IsPaused = q.Updated, q.Name, q.Description, q.IsPaused
			old.ConcurrencyLimit, old.Priority, old.Filter = q.ConcurrencyLimit, q.Priority, q.Filter
			tx.Wake(core.TopicScheduledRuns)
			return tx.UpdateWorkQueue(old)
		},
	}.put()
}

// ImportDeployment is a deployment of another server with its schedules. The
// scheduler makes its runs anew; those made ahead there are not imported.
type ImportDeployment struct{ *core.Deployment }

func (d ImportDeployment) source() core.ID { return d.ID }

func (d ImportDeployment) put(_ *Engine, tx core.Tx, now time.Time) (imported, error) {
	if _, err := tx.Flow(d.FlowID); err != nil {
		return imported{}, err
	}
	ids := map[core.ID]bool{}
	for _, s := range d.Schedules {
		if s.ID.IsZero() || ids[s.ID] {
			return imported{}, core.Errorf(core.Invalid, "a schedule of it has no id, or that of another")
		}
		ids[s.ID] = true
	}
	var notes []string
	got, err := namedRow[core.Deployment]{
		id: d.ID, name: d.Name, updated: d.Updated,
		find: []func() (*core.Deployment, error){
			func() (*core.Deployment, error) { return tx.Deployment(d.ID) },
			func() (*core.Deployment, error) { return tx.DeploymentByName(d.FlowID, d.Name) },
		},
		of: func(old *core.Deployment) (core.ID, time.Time) { return old.ID, old.Updated },
		insert: func() (err error) {
			if notes, err = d.unlink(tx, now); err != nil {
				return err
			}
			if err := tx.InsertDeployment(d.Deployment); err != nil {
				return err
			}
			return tx.InsertSchedules(d.Schedules)
		},
		update: func(old *core.Deployment) (err error) {
			if notes, err = d.unlink(tx, now); err != nil {
				return err
			}
			return d.replace(tx, now, old)
		},
	}.put()
	got.note = strings.Join(notes, "; ")
	return got, err
}

// unlink drops what the deployment refers to and is not here, and says so.
func (d ImportDeployment) unlink(tx core.Tx, now time.Time) (notes []string, err error) {
	for _, link := range []struct {
		what string
		id   **core.ID
		find func(core.ID) error
	}{
		{"work queue", &d.WorkQueueID, func(id core.ID) error { _, err := tx.WorkQueue(id); return err }},
		{"concurrency limit", &d.ConcurrencyLimitID, func(id core.ID) error { _, err := tx.ConcurrencyLimit(id, now); return err }},
		{"storage block", &d.StorageDocumentID, func(id core.ID) error { _, err := tx.BlockDocument(id); return err }},
		{"infrastructure block", &d.InfrastructureDocumentID, func(id core.ID) error { _, err := tx.BlockDocument(id); return err }},
	} {
		if *link.id == nil {
			continue
		}
		err := link.find(**link.id)
		if missing(err) {
			notes = append(notes, "its "+link.what+" "+(*link.id).String()+" is not here, so it has none")
			*link.id = nil
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return notes, nil
}

// replace brings the deployment that is here up to date.
func (d ImportDeployment) replace(tx core.Tx, now time.Time, old *core.Deployment) error {
	fresh := *d.Deployment
	fresh.ID = old.ID
	if err := tx.UpdateDeployment(&fresh); err != nil {
		return err
	}
	var added []*core.DeploymentSchedule
	for _, s := range d.Schedules {
		s.DeploymentID = old.ID
		i := slices.IndexFunc(old.Schedules, func(was *core.DeploymentSchedule) bool { return was.ID == s.ID })
		if i < 0 {
			added = append(added, s)
			continue
		}
		if s.Policy == (core.SchedulePolicy{}) {
			s.Policy = old.Schedules[i].Policy // which other servers do not know
		}
		if err := tx.UpdateSchedule(s); err != nil {
			return err
		}
	}
	for _, was := range old.Schedules {
		if slices.ContainsFunc(d.Schedules, func(s *core.DeploymentSchedule) bool { return s.ID == was.ID }) {
			continue
		}
		if _, err := tx.DeleteSchedule(old.ID, was.ID); err != nil {
			return err
		}
	}
	if err := tx.InsertSchedules(added); err != nil {
		return err
	}
	return tx.DeleteScheduledRuns(old.ID, core.ScheduledRuns{Auto: true, After: &now})
}
