package ecslocal

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// siteKey names a world.
type siteKey struct{ account, region string }

// site is all that there is in one account and region. Its exported fields are
// what the data directory keeps.
type site struct {
	Account, Region string

	Clusters  map[string]*cluster          // by name
	Families  map[string]*family           // by name
	Tasks     map[string]*task             // by id
	Services  map[string]*ecsService       // by cluster/name
	Providers map[string]*capacityProvider // by name, without those of Fargate
	Tokens    map[string]*tokenUse         // client tokens of RunTask and CreateService
	Groups    map[string]*logGroup         // by name
	Queues    map[string]*queue            // by name
	Rules     map[string]*rule             // by name
}

func newSite(key siteKey) *site {
	st := &site{Account: key.account, Region: key.region}
	st.fill()
	return st
}

// fill makes the maps that a kept state lacks.
func (st *site) fill() {
	make1(&st.Clusters)
	make1(&st.Families)
	make1(&st.Tasks)
	make1(&st.Services)
	make1(&st.Providers)
	make1(&st.Tokens)
	make1(&st.Groups)
	make1(&st.Queues)
	make1(&st.Rules)
	for _, q := range st.Queues {
		q.changed = make(chan struct{})
	}
}

func make1[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
}

func (st *site) key() siteKey { return siteKey{st.Account, st.Region} }

// arn names a resource of ECS.
func (st *site) arn(format string, args ...any) string {
	return "arn:aws:ecs:" + st.Region + ":" + st.Account + ":" + fmt.Sprintf(format, args...)
}

// wakeAll ends what waits for messages.
func (st *site) wakeAll() {
	for _, q := range st.Queues {
		q.wake()
	}
}

// epoch is a time as the JSON protocols write it: seconds, with milliseconds
// after the point.
type epoch struct{ time.Time }

func at(t time.Time) *epoch { return &epoch{t.Round(time.Millisecond)} }

// MarshalJSON implements json.Marshaler.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(e.UnixMilli())/1000, 'f', 3, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *epoch) UnmarshalJSON(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) > 1e12 {
		return fmt.Errorf("%.40q is not a time in seconds", text)
	}
	e.Time = time.UnixMilli(int64(math.Round(f * 1000)))
	return nil
}

// tag is a tag of a resource.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// failure is a part of a request that could not be done.
type failure struct {
	Arn    string `json:"arn,omitempty"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// page cuts a sorted list for paging; a token is the last item of the page before.
func page(all []string, token string, limit int) (list []string, next string) {
	list = []string{}
	for _, item := range all {
		if token != "" && item <= token {
			continue
		}
		if len(list) == limit {
			return list, list[len(list)-1]
		}
		list = append(list, item)
	}
	return list, ""
}
