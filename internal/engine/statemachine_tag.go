package engine

import (
	"context"
	"slices"

	"github.com/leat-dev/leat/internal/core"
)

// Tags returns the tags of a state machine or an activity. Step Functions:
// ListTagsForResource.
func (e *Engine) Tags(ctx context.Context, p core.Place, arn string) (tags []core.Tag, err error) {
	err = e.store.View(ctx, p.Workspace, func(tx core.Tx) error {
		t, err := taggedOf(tx, arn)
		if err == nil {
			tags = *t.tags
		}
		return err
	})
	return tags, err
}

// Tag puts tags on a state machine or an activity; a key that is there gets the
// new value. Step Functions: TagResource.
func (e *Engine) Tag(ctx context.Context, p core.Place, arn string, tags []core.Tag) error {
	return e.changeTags(ctx, p, arn, func(old []core.Tag) []core.Tag { return mergeTags(old, tags) })
}

// Untag takes tags away; keys that are not there do not matter. Step Functions:
// UntagResource.
func (e *Engine) Untag(ctx context.Context, p core.Place, arn string, keys []string) error {
	return e.changeTags(ctx, p, arn, func(old []core.Tag) []core.Tag {
		return slices.DeleteFunc(slices.Clone(old), func(t core.Tag) bool { return slices.Contains(keys, t.Key) })
	})
}

func (e *Engine) changeTags(ctx context.Context, p core.Place, arn string, change func([]core.Tag) []core.Tag) error {
	return e.store.Update(ctx, p.Workspace, func(tx core.Tx) error {
		t, err := taggedOf(tx, arn)
		if err != nil {
			return err
		}
		tags := change(*t.tags)
		if err := checkTags(tags); err != nil {
			return err
		}
		*t.tags = tags
		return t.save()
	})
}

// tagged is a thing with tags.
type tagged struct {
	tags *[]core.Tag
	save func() error
}

func taggedOf(tx core.Tx, arn string) (tagged, error) {
	if _, err := checkARN(arn, "stateMachine", "activity"); err != nil {
		return tagged{}, err
	}
	if _, err := checkARN(arn, "activity"); err == nil {
		a, err := tx.ActivityByARN(arn)
		if err != nil {
			return tagged{}, or(err, noResource(arn))
		}
		return tagged{&a.Tags, func() error { return tx.UpdateActivity(a) }}, nil
	}
	m, err := tx.StateMachineByARN(arn)
	if err != nil {
		return tagged{}, or(err, noResource(arn))
	}
	return tagged{&m.Tags, func() error { return tx.UpdateStateMachine(m) }}, nil
}

// mergeTags returns old with the new ones: in place where the key is there, else at the end.
func mergeTags(old, added []core.Tag) []core.Tag {
	out := slices.Clone(old)
	for _, t := range added {
		if i := slices.IndexFunc(out, func(o core.Tag) bool { return o.Key == t.Key }); i >= 0 {
			out[i] = t
		} else {
			out = append(out, t)
		}
	}
	return out
}

func checkTags(tags []core.Tag) error {
	if len(tags) > maxTags {
		return core.Errorf(core.Invalid, "Too many tags: a resource may have %d", maxTags).Because("TooManyTags")
	}
	return nil
}
