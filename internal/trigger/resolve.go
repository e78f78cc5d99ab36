package trigger

import (
	"strings"
	"time"
)

// The states into which an automation changes.
const (
	triggered = "Triggered"
	resolved  = "Resolved"
)

// alarmPrefix begins the key of a bucket that stands for an alarm: the trigger
// has fired because its events did not come, and they have not come since.
const alarmPrefix = "alarm:"

// alarmAge is how long an alarm can still be resolved.
const alarmAge = 7 * 24 * time.Hour

func isAlarm(key string) bool { return strings.HasPrefix(key, alarmPrefix) }

// alarm notes that the automation's own proactive trigger fired, when there is
// something to do once its events come again.
func (m *Machine) alarm(t *Trigger, b *Bucket, now time.Time) {
	if t.Posture != Proactive || t.Parent != nil || len(t.Automation.OnResolve) == 0 {
		return
	}
	m.setBucket(&Bucket{AutomationID: t.Automation.ID, TriggerID: t.ID, Key: alarmPrefix + b.Key, Start: now, End: now.Add(alarmAge)})
}

// resolve ends an alarm when an expected event has come, or as many as the
// trigger's threshold asks for.
func (m *Machine) resolve(t *Trigger, key string, e *SeenEvent, now time.Time) {
	alarm := m.buckets[t.ID][alarmPrefix+key]
	if alarm == nil {
		return
	}
	if b := m.buckets[t.ID][key]; b != nil && len(t.After) == 0 && b.Count < t.Threshold {
		return
	}
	m.dropBucket(alarm)
	f := m.firing(t, &Bucket{Key: key}, e, now)
	f.TriggerStates = []string{resolved}
	m.act(t, f, now)
}
