package ecslocal

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queue is an SQS queue.
type queue struct {
	Name       string
	Created    *epoch
	Modified   *epoch
	Attributes map[string]string // those that can be set
	Tags       map[string]string
	Messages   []*message // in the order in which they were sent
	Sequence   int64

	changed chan struct{} // closed and replaced when there may be something to receive
}

// message is a message that was sent and not deleted.
type message struct {
	ID         string
	Body       string
	Attributes map[string]messageAttribute
	Sent       *epoch
	Sender     string
	Group      string // of FIFO queues
	Dedup      string
	Sequence   string
	Received   int
	First      *epoch    // first received
	Visible    time.Time // it can't be received before
	Receipt    string    // of the last receipt
}

type messageAttribute struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
}

// queueDefaults are the attributes of a queue that sets none.
func queueDefaults() map[string]string {
	return map[string]string{
		"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0",
		"VisibilityTimeout": "30", "SqsManagedSseEnabled": "true",
	}
}

// queueRanges are the least and greatest values of attributes that are numbers.
func queueRanges() map[string][2]int {
	return map[string][2]int{
		"DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, 1048576}, "MessageRetentionPeriod": {60, 1209600},
		"ReceiveMessageWaitTimeSeconds": {0, 20}, "VisibilityTimeout": {0, 43200},
	}
}

func (q *queue) arn(st *site) string {
	return "arn:aws:sqs:" + st.Region + ":" + st.Account + ":" + q.Name
}

func (q *queue) fifo() bool { return strings.HasSuffix(q.Name, ".fifo") }

func (q *queue) number(name string) int {
	n, _ := strconv.Atoi(q.Attributes[name])
	return n
}

func (q *queue) seconds(name string) time.Duration {
	return time.Duration(q.number(name)) * time.Second
}

// wake lets those who wait for messages look again.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// add puts a message into the queue.
func (q *queue) add(m *message, now time.Time) {
	if m.Visible.IsZero() {
		m.Visible = now.Add(q.seconds("DelaySeconds"))
	}
	if q.fifo() {
		q.Sequence++
		m.Sequence = strconv.FormatInt(1<<62+q.Sequence, 10)
	}
	q.Messages = append(q.Messages, m)
	q.wake()
}

func noQueue() error {
	return &apiError{Code: "com.amazonaws.sqs#QueueDoesNotExist", Message: "The specified queue does not exist.", Query: "AWS.SimpleQueueService.NonExistentQueue"}
}

func sqsError(code, query, message string) error {
	return &apiError{Code: "com.amazonaws.sqs#" + code, Message: message, Query: query}
}

func invalidAttribute(name string) error {
	return sqsError("InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for the parameter "+name+".")
}

func invalidSQS(message string) error {
	return sqsError("InvalidParameterValueException", "InvalidParameterValue", message)
}

// queueByURL finds a queue by its URL, whose last parts are account and name.
func (st *site) queueByURL(url string) (*queue, error) {
	parts := strings.Split(strings.TrimSuffix(url, "/"), "/")
	if q := st.Queues[parts[len(parts)-1]]; q != nil {
		return q, nil
	}
	return nil, noQueue()
}

func (c *call) queueURL(q *queue) string {
	return "http://" + c.host + "/" + c.Account + "/" + q.Name
}

var queueRule = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$|^[A-Za-z0-9_-]{1,75}\.fifo$`)

type queueInput struct {
	QueueName, QueueURL, QueueNamePrefix, NextToken string
	Attributes                                      map[string]string
	AttributeNames                                  []string
	Tags                                            map[string]string
	TagKeys                                         []string
	MaxResults                                      *int
}

func checkQueueAttributes(attributes map[string]string) error {
	known := []string{
		"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled",
		"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
	}
	for name, value := range attributes {
		if bounds, isNumber := queueRanges()[name]; isNumber {
			n, err := strconv.Atoi(value)
			if err != nil || n < bounds[0] || n > bounds[1] {
				return invalidAttribute(name)
			}
			continue
		}
		if !slices.Contains(known, name) {
			return sqsError("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute "+name+".")
		}
	}
	return nil
}

func createQueue(c *call, in *queueInput) (any, error) {
	switch {
	case in.QueueName == "":
		return nil, sqsError("MissingRequiredParameterException", "MissingParameter", "The request must contain the parameter QueueName.")
	case !queueRule.MatchString(in.QueueName):
		return nil, invalidSQS("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	case (in.Attributes["FifoQueue"] == "true") != strings.HasSuffix(in.QueueName, ".fifo"):
		return nil, invalidSQS("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	}
	if err := checkQueueAttributes(in.Attributes); err != nil {
		return nil, err
	}
	if old := c.Queues[in.QueueName]; old != nil {
		for name, value := range in.Attributes {
			if old.Attributes[name] != value {
				return nil, sqsError("QueueNameExists", "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute "+name)
			}
		}
		return map[string]any{"QueueUrl": c.queueURL(old)}, nil
	}
	q := &queue{Name: in.QueueName, Created: at(c.now), Modified: at(c.now), Attributes: queueDefaults(), Tags: in.Tags, changed: make(chan struct{})}
	maps.Copy(q.Attributes, in.Attributes)
	c.Queues[q.Name] = q
	return map[string]any{"QueueUrl": c.queueURL(q)}, nil
}

func deleteQueue(c *call, in *queueInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	delete(c.Queues, q.Name)
	q.wake()
	return nil, nil
}

func getQueueURL(c *call, in *queueInput) (any, error) {
	q := c.Queues[in.QueueName]
	if q == nil {
		return nil, noQueue()
	}
	return map[string]any{"QueueUrl": c.queueURL(q)}, nil
}

func listQueues(c *call, in *queueInput) (any, error) {
	var names []string
	for name := range c.Queues {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			names = append(names, name)
		}
	}
	limit := 1000
	if in.MaxResults != nil {
		if limit = *in.MaxResults; limit < 1 || limit > 1000 {
			return nil, invalidSQS("Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
		}
	}
	slices.Sort(names)
	names, next := page(names, in.NextToken, limit)
	out := map[string]any{}
	urls := []string{}
	for _, name := range names {
		urls = append(urls, c.queueURL(c.Queues[name]))
	}
	if len(urls) > 0 {
		out["QueueUrls"] = urls
	}
	if next != "" && in.MaxResults != nil {
		out["NextToken"] = next
	}
	return out, nil
}

func getQueueAttributes(c *call, in *queueInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(q.Attributes)
	visible, hidden, delayed := 0, 0, 0
	for _, m := range q.Messages {
		switch {
		case !m.Visible.After(c.now):
			visible++
		case m.Received > 0:
			hidden++
		default:
			delayed++
		}
	}
	all["QueueArn"] = q.arn(c.site)
	all["ApproximateNumberOfMessages"], all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(visible), strconv.Itoa(hidden)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
	all["CreatedTimestamp"], all["LastModifiedTimestamp"] = strconv.FormatInt(q.Created.Unix(), 10), strconv.FormatInt(q.Modified.Unix(), 10)
	shown := map[string]string{}
	for _, name := range in.AttributeNames {
		if name == "All" {
			shown = all
			break
		}
		if value, ok := all[name]; ok {
			shown[name] = value
		} else if !slices.Contains([]string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "FifoQueue", "ContentBasedDeduplication"}, name) {
			return nil, sqsError("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute "+name+".")
		}
	}
	out := map[string]any{}
	if len(shown) > 0 {
		out["Attributes"] = shown
	}
	return out, nil
}

func setQueueAttributes(c *call, in *queueInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if err := checkQueueAttributes(in.Attributes); err != nil {
		return nil, err
	}
	maps.Copy(q.Attributes, in.Attributes)
	q.Modified = at(c.now)
	return nil, nil
}

func purgeQueue(c *call, in *queueInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err == nil {
		q.Messages = nil
	}
	return nil, err
}

func tagQueue(c *call, in *queueInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	if q.Tags == nil {
		q.Tags = map[string]string{}
	}
	maps.Copy(q.Tags, in.Tags)
	return nil, nil
}

func untagQueue(c *call, in *queueInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(q.Tags, key)
	}
	return nil, nil
}

func listQueueTags(c *call, in *queueInput) (any, error) {
	q, err := c.queueByURL(in.QueueURL)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if len(q.Tags) > 0 {
		out["Tags"] = q.Tags
	}
	return out, nil
}
