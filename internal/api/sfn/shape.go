package sfn

import (
	"strconv"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// epoch is a time as the service writes it: seconds since 1970 with milliseconds.
type epoch time.Time

// MarshalJSON implements json.Marshaler.
func (t epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(t).UnixMilli())/1000, 'f', 3, 64), nil
}

func epochPtr(t *time.Time) *epoch {
	if t == nil {
		return nil
	}
	e := epoch(*t)
	return &e
}

// encryption is how data is sealed.
type encryption struct {
	Type         string `json:"type"`
	KeyID        string `json:"kmsKeyId,omitempty"`
	ReuseSeconds int    `json:"kmsDataKeyReusePeriodSeconds,omitempty"`
}

func (e *encryption) core() *core.MachineEncryption {
	if e == nil {
		return nil
	}
	return &core.MachineEncryption{Type: e.Type, KeyID: e.KeyID, ReuseSeconds: e.ReuseSeconds}
}

func encryptionOf(e *core.MachineEncryption) *encryption {
	if e == nil {
		return nil
	}
	return &encryption{Type: e.Type, KeyID: e.KeyID, ReuseSeconds: e.ReuseSeconds}
}

// tag is a key and a value.
type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func tagsIn(tags []tag) []core.Tag {
	out := make([]core.Tag, len(tags))
	for i, t := range tags {
		out[i] = core.Tag(t)
	}
	return out
}

// empty is the answer of operations that tell nothing.
type empty struct{}

// included is included or not, as details of data are marked.
type included struct {
	Included bool `json:"included"`
}

// metadataOnly is the value of includedData that leaves data away.
const metadataOnly = "METADATA_ONLY"
