package ecslocal

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

type sendInput struct {
	QueueURL     string
	ID           string `json:"Id"`
	MessageBody  string
	DelaySeconds *int
	Attributes   map[string]messageAttribute `json:"MessageAttributes"`
	Dedup        string                      `json:"MessageDeduplicationId"`
	Group        string                      `json:"MessageGroupId"`
}

// dedupTime is how long a FIFO queue drops what was sent before.
const dedupTime = 5 * time.Minute

// send puts a message into a queue and says what SQS says of it.
func (c *call) send(q *queue, in *sendInput) (map[string]any, error) {
	switch {
	case in.MessageBody == "":
		return nil, sqsError("MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter MessageBody.")
	case len(in.MessageBody) > q.number("MaximumMessageSize"):
		return nil, invalidSQS("One or more parameters are invalid. Reason: Message must be shorter than " + q.Attributes["MaximumMessageSize"] + " bytes.")
	case q.fifo() && in.Group == "":
		return nil, sqsError("MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter MessageGroupId.")
	case in.DelaySeconds != nil && (*in.DelaySeconds < 0 || *in.DelaySeconds > 900):
		return nil, invalidSQS("Value " + strconv.Itoa(*in.DelaySeconds) + " for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.")
	}
	m := &message{ID: newUUID(), Body: in.MessageBody, Attributes: in.Attributes, Sent: at(c.now), Sender: c.Account, Group: in.Group, Dedup: in.Dedup}
	if in.DelaySeconds != nil {
		m.Visible = c.now.Add(time.Duration(*in.DelaySeconds) * time.Second)
	}
	if q.fifo() && m.Dedup == "" {
		if q.Attributes["ContentBasedDeduplication"] != "true" {
			return nil, invalidSQS("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
		}
		sum := sha256.Sum256([]byte(in.MessageBody))
		m.Dedup = hex.EncodeToString(sum[:])
	}
	if old := q.duplicate(m, c.now); old != nil {
		m = old
	} else {
		q.add(m, c.now)
	}
	sum := md5.Sum([]byte(m.Body))
	out := map[string]any{"MessageId": m.ID, "MD5OfMessageBody": hex.EncodeToString(sum[:])}
	if len(m.Attributes) > 0 {
		out["MD5OfMessageAttributes"] = attributesSum(m.Attributes)
	}
	if m.Sequence != "" {
		out["SequenceNumber"] = m.Sequence
	}
	return out, nil
}

// duplicate finds a message of a FIFO queue that was sent before and is still there.
func (q *queue) duplicate(m *message, now time.Time) *message {
	if m.Dedup == "" {
		return nil
	}
	i := slices.IndexFunc(q.Messages, func(old *message) bool { return old.Dedup == m.Dedup && now.Sub(old.Sent.Time) < dedupTime })
	if i < 0 {
		return nil
	}
	return q.Messages[i]
}

// attributesSum is the MD5 of attributes as SQS computes it. AWS: "Calculating
// the MD5 message digest for message attributes".
func attributesSum(attributes map[string]messageAttribute) string {
	h := md5.New()
	put := func(b []byte) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		put([]byte(name))
		put([]byte(a.DataType))
		if strings.HasPrefix(a.DataType, "Binary") {
			h.Write([]byte{2})
			put(a.BinaryValue)
			continue
		}
		h.Write([]byte{1})
		put([]byte(a.StringValue))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sendMessage(c *call, in *sendInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	out, err := c.send(q, in)
	return out, err
}

// batch is the input of batch operations.
type batch[E any] struct {
	QueueURL string
	Entries  []E
}

// eachOf runs a batch; f returns what is told of a success.
func eachOf[E any](c *call, in *batch[E], id func(*E) string, f func(q *queue, e *E) (map[string]any, error)) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if len(in.Entries) == 0 {
		return nil, sqsError("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(in.Entries) > 10 {
		return nil, sqsError("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
			"Maximum number of entries per request are 10. You have sent "+strconv.Itoa(len(in.Entries))+".")
	}
	seen := map[string]bool{}
	for i := range in.Entries {
		name := id(&in.Entries[i])
		if seen[name] {
			return nil, sqsError("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id "+name+" repeated.")
		}
		seen[name] = true
	}
	done, failed := []map[string]any{}, []map[string]any{}
	for i := range in.Entries {
		e := &in.Entries[i]
		out, err := f(q, e)
		if err != nil {
			known := asAPIError(err)
			failed = append(failed, map[string]any{"Id": id(e), "SenderFault": true, "Code": known.Query, "Message": known.Message})
			continue
		}
		if out == nil {
			out = map[string]any{}
		}
		out["Id"] = id(e)
		done = append(done, out)
	}
	return map[string]any{"Successful": done, "Failed": failed}, nil
}

func sendMessageBatch(c *call, in *batch[sendInput]) (any, error) {
	return eachOf(c, in, func(e *sendInput) string { return e.ID }, c.send)
}

type receiveInput struct {
	QueueURL          string
	AttributeNames    []string
	System            []string `json:"MessageSystemAttributeNames"`
	Names             []string `json:"MessageAttributeNames"`
	Max               *int     `json:"MaxNumberOfMessages"`
	VisibilityTimeout *int
	Wait              *int `json:"WaitTimeSeconds"`
}

// receiveMessage waits for messages as long as it is asked to.
func receiveMessage(c *call, in *receiveInput) (any, error) {
	most := 1
	if in.Max != nil {
		most = *in.Max
	}
	if most < 1 || most > 10 {
		return nil, invalidSQS("Value " + strconv.Itoa(most) + " for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")
	}
	s := c.server
	var deadline time.Time
	for first := true; ; first = false {
		s.mu.Lock()
		q, err := c.queueByURL(in.QueueURL)
		if err != nil {
			s.mu.Unlock()
			return nil, err
		}
		now := s.cfg.Now()
		if first {
			wait := q.seconds("ReceiveMessageWaitTimeSeconds")
			if in.Wait != nil {
				wait = time.Duration(min(max(*in.Wait, 0), 20)) * time.Second
			}
			deadline = now.Add(wait)
		}
		hidden := q.seconds("VisibilityTimeout")
		if in.VisibilityTimeout != nil {
			hidden = time.Duration(min(max(*in.VisibilityTimeout, 0), 43200)) * time.Second
		}
		got := q.receive(most, hidden, now)
		shown := make([]map[string]any, len(got))
		for i, m := range got {
			shown[i] = m.show(in)
		}
		again, changed, over := q.next(now), q.changed, s.closed || !now.Before(deadline)
		s.mu.Unlock()
		if len(shown) > 0 {
			s.store.changed()
			return map[string]any{"Messages": shown}, nil
		}
		if over {
			return map[string]any{}, nil
		}
		if again.IsZero() || again.After(deadline) {
			again = deadline
		}
		if err := waitFor(c, changed, again.Sub(now)); err != nil {
			return nil, err
		}
	}
}

// waitFor waits for a change, at most so long.
func waitFor(c *call, changed <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(max(d, time.Millisecond))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
	return nil
}

// receive takes messages that are visible, and hides them. In a FIFO queue a
// group whose first message is hidden waits.
func (q *queue) receive(most int, hidden time.Duration, now time.Time) []*message {
	oldest := now.Add(-q.seconds("MessageRetentionPeriod"))
	q.Messages = slices.DeleteFunc(q.Messages, func(m *message) bool { return m.Sent.Before(oldest) })
	var got []*message
	busy := map[string]bool{}
	for _, m := range q.Messages {
		if len(got) == most {
			break
		}
		if q.fifo() && busy[m.Group] {
			continue
		}
		if m.Visible.After(now) {
			busy[m.Group] = true
			continue
		}
		m.Received++
		if m.First == nil {
			m.First = at(now)
		}
		m.Visible, m.Receipt = now.Add(hidden), newUUID()+"#"+m.ID
		got = append(got, m)
	}
	return got
}

// next is when a hidden message appears again, zero if there is none.
func (q *queue) next(now time.Time) time.Time {
	var first time.Time
	for _, m := range q.Messages {
		if m.Visible.After(now) && (first.IsZero() || m.Visible.Before(first)) {
			first = m.Visible
		}
	}
	return first
}

// show is a message as its receiver gets it.
func (m *message) show(in *receiveInput) map[string]any {
	sum := md5.Sum([]byte(m.Body))
	out := map[string]any{"MessageId": m.ID, "ReceiptHandle": m.Receipt, "MD5OfBody": hex.EncodeToString(sum[:]), "Body": m.Body}
	system := map[string]string{
		"SenderId": m.Sender, "SentTimestamp": strconv.FormatInt(m.Sent.UnixMilli(), 10), "ApproximateReceiveCount": strconv.Itoa(m.Received),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.First.UnixMilli(), 10),
	}
	if m.Sequence != "" {
		system["SequenceNumber"], system["MessageGroupId"], system["MessageDeduplicationId"] = m.Sequence, m.Group, m.Dedup
	}
	wanted := slices.Concat(in.AttributeNames, in.System)
	maps.DeleteFunc(system, func(name, _ string) bool { return !slices.Contains(wanted, name) && !slices.Contains(wanted, "All") })
	if len(system) > 0 {
		out["Attributes"] = system
	}
	attributes := maps.Clone(m.Attributes)
	maps.DeleteFunc(attributes, func(name string, _ messageAttribute) bool {
		return !slices.ContainsFunc(in.Names, func(want string) bool {
			prefix, isPrefix := strings.CutSuffix(want, ".*")
			return want == "All" || want == ".*" || want == name || isPrefix && strings.HasPrefix(name, prefix)
		})
	})
	if len(attributes) > 0 {
		out["MessageAttributes"], out["MD5OfMessageAttributes"] = attributes, attributesSum(attributes)
	}
	return out
}

type receiptInput struct {
	QueueURL, ReceiptHandle string
	ID                      string `json:"Id"`
	VisibilityTimeout       *int
}

// byReceipt finds a message by a receipt handle. A handle that is not the last
// one of its message finds it too, as on AWS's standard queues.
func (q *queue) byReceipt(handle string) (*message, error) {
	_, id, ok := strings.Cut(handle, "#")
	if !ok {
		return nil, sqsError("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", `The input receipt handle "`+handle+`" is not a valid receipt handle.`)
	}
	i := slices.IndexFunc(q.Messages, func(m *message) bool { return m.ID == id })
	if i < 0 {
		return nil, nil
	}
	return q.Messages[i], nil
}

func (c *call) deleteOne(q *queue, in *receiptInput) (map[string]any, error) {
	m, err := q.byReceipt(in.ReceiptHandle)
	if m != nil {
		q.Messages = slices.DeleteFunc(q.Messages, func(other *message) bool { return other == m })
		q.wake()
	}
	return nil, err
}

func (c *call) changeOne(q *queue, in *receiptInput) (map[string]any, error) {
	if in.VisibilityTimeout == nil || *in.VisibilityTimeout < 0 || *in.VisibilityTimeout > 43200 {
		return nil, invalidSQS("Value for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200, if provided.")
	}
	m, err := q.byReceipt(in.ReceiptHandle)
	switch {
	case err != nil:
		return nil, err
	case m == nil || !m.Visible.After(c.now):
		return nil, sqsError("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", "The message referred to isn't in flight.")
	}
	m.Visible = c.now.Add(time.Duration(*in.VisibilityTimeout) * time.Second)
	q.wake()
	return nil, nil
}

func deleteMessage(c *call, in *receiptInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err == nil {
		_, err = c.deleteOne(q, in)
	}
	return nil, err
}

func changeMessageVisibility(c *call, in *receiptInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err == nil {
		_, err = c.changeOne(q, in)
	}
	return nil, err
}

func receiptID(e *receiptInput) string { return e.ID }

func deleteMessageBatch(c *call, in *batch[receiptInput]) (any, error) {
	return eachOf(c, in, receiptID, c.deleteOne)
}

func changeMessageVisibilityBatch(c *call, in *batch[receiptInput]) (any, error) {
	return eachOf(c, in, receiptID, c.changeOne)
}
