package ecslocal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// queue makes a queue and returns its URL.
func (w *world) queue(name string, attributes object) string {
	w.t.Helper()
	return text(w.t, w.must("sqs", "CreateQueue", object{"QueueName": name, "Attributes": attributes}), "QueueUrl")
}

// receive receives messages' bodies, and the last receipt.
func (w *world) receive(url string, in object) (bodies []string, receipt any) {
	w.t.Helper()
	out := w.must("sqs", "ReceiveMessage", overlay(object{"QueueUrl": url, "MaxNumberOfMessages": 10}, in))
	all, _ := out["Messages"].([]any)
	for _, m := range all {
		bodies = append(bodies, m.(object)["Body"].(string))
		receipt = m.(object)["ReceiptHandle"]
	}
	return bodies, receipt
}

func TestQueues(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	t.Run("a message is hidden, appears again, and is deleted", func(t *testing.T) {
		t.Parallel()
		url := w.queue("hidden", object{"VisibilityTimeout": "1"})
		sent := w.must("sqs", "SendMessage", object{"QueueUrl": url, "MessageBody": "hello", "MessageAttributes": object{"a": object{"DataType": "String", "StringValue": "b"}}})
		if sent["MD5OfMessageBody"] != "5d41402abc4b2a76b9719d911017c592" {
			t.Errorf("sent: %v", sent)
		}
		out := w.must("sqs", "ReceiveMessage", object{"QueueUrl": url, "AttributeNames": []string{"All"}, "MessageAttributeNames": []string{"All"}})
		if get(t, out, "Messages", 0, "Attributes", "ApproximateReceiveCount") != "1" || get(t, out, "Messages", 0, "MD5OfMessageAttributes") != sent["MD5OfMessageAttributes"] ||
			get(t, out, "Messages", 0, "MessageAttributes", "a", "StringValue") != "b" {
			t.Errorf("received: %v", out)
		}
		if bodies, _ := w.receive(url, nil); bodies != nil {
			t.Errorf("received while hidden: %v", bodies)
		}
		bodies, receipt := w.receive(url, object{"WaitTimeSeconds": 20})
		if len(bodies) != 1 {
			t.Fatalf("received after the timeout: %v", bodies)
		}
		w.must("sqs", "ChangeMessageVisibility", object{"QueueUrl": url, "ReceiptHandle": receipt, "VisibilityTimeout": 0})
		if bodies, receipt = w.receive(url, nil); len(bodies) != 1 {
			t.Fatalf("received after it was given back: %v", bodies)
		}
		w.must("sqs", "DeleteMessage", object{"QueueUrl": url, "ReceiptHandle": receipt})
		if n := get(t, w.must("sqs", "GetQueueAttributes", object{"QueueUrl": url, "AttributeNames": []string{"All"}}), "Attributes", "ApproximateNumberOfMessagesNotVisible"); n != "0" {
			t.Errorf("%v messages left", n)
		}
	})
	t.Run("a long poll ends when a message arrives", func(t *testing.T) {
		t.Parallel()
		url := w.queue("long", nil)
		got := make(chan []string, 1)
		go func() {
			bodies, _ := w.receive(url, object{"WaitTimeSeconds": 20})
			got <- bodies
		}()
		w.must("sqs", "SendMessage", object{"QueueUrl": url, "MessageBody": "late"})
		select {
		case bodies := <-got:
			if diff := cmp.Diff([]string{"late"}, bodies); diff != "" {
				t.Error(diff)
			}
		case <-time.After(10 * time.Second):
			t.Error("the poll does not end")
		}
	})
	t.Run("a delayed message waits", func(t *testing.T) {
		t.Parallel()
		url := w.queue("delayed", nil)
		w.must("sqs", "SendMessage", object{"QueueUrl": url, "MessageBody": "x", "DelaySeconds": 1})
		if bodies, _ := w.receive(url, nil); bodies != nil {
			t.Errorf("received at once: %v", bodies)
		}
		if bodies, _ := w.receive(url, object{"WaitTimeSeconds": 10}); len(bodies) != 1 {
			t.Errorf("received later: %v", bodies)
		}
	})
	t.Run("batches succeed and fail entry by entry", func(t *testing.T) {
		t.Parallel()
		url := w.queue("batch", nil)
		out := w.must("sqs", "SendMessageBatch", object{"QueueUrl": url, "Entries": []object{{"Id": "1", "MessageBody": "a"}, {"Id": "2", "MessageBody": ""}}})
		if get(t, out, "Successful", 0, "Id") != "1" || get(t, out, "Failed", 0, "Id") != "2" {
			t.Errorf("%v", out)
		}
		_, receipt := w.receive(url, nil)
		out = w.must("sqs", "DeleteMessageBatch", object{"QueueUrl": url, "Entries": []object{{"Id": "a", "ReceiptHandle": receipt}, {"Id": "b", "ReceiptHandle": "forged"}}})
		if get(t, out, "Successful", 0, "Id") != "a" || get(t, out, "Failed", 0, "Code") != "ReceiptHandleIsInvalid" {
			t.Errorf("%v", out)
		}
		w.must("sqs", "SendMessage", object{"QueueUrl": url, "MessageBody": "x"})
		w.must("sqs", "PurgeQueue", object{"QueueUrl": url})
		if bodies, _ := w.receive(url, nil); bodies != nil {
			t.Errorf("after the purge: %v", bodies)
		}
	})
	t.Run("a FIFO queue keeps the order of a group, and drops what was sent before", func(t *testing.T) {
		t.Parallel()
		url := w.queue("order.fifo", object{"FifoQueue": "true", "ContentBasedDeduplication": "true"})
		for _, body := range []string{"1", "2", "1"} {
			w.must("sqs", "SendMessage", object{"QueueUrl": url, "MessageBody": body, "MessageGroupId": "g"})
		}
		first, receipt := w.receive(url, object{"MaxNumberOfMessages": 1})
		if next, _ := w.receive(url, nil); next != nil {
			t.Errorf("received beside a message of the group: %v", next)
		}
		w.must("sqs", "DeleteMessage", object{"QueueUrl": url, "ReceiptHandle": receipt})
		second, _ := w.receive(url, nil)
		if diff := cmp.Diff([]string{"1", "2"}, append(first, second...)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("errors", func(t *testing.T) {
		t.Parallel()
		url := w.queue("errors", nil)
		for _, tt := range []struct {
			action string
			in     object
			want   string
		}{
			{"GetQueueUrl", object{"QueueName": "none"}, "AWS.SimpleQueueService.NonExistentQueue;Sender"},
			{"SendMessage", object{"QueueUrl": w.url + "/0/none", "MessageBody": "x"}, "AWS.SimpleQueueService.NonExistentQueue;Sender"},
			{"ReceiveMessage", object{"QueueUrl": url, "MaxNumberOfMessages": 11}, "InvalidParameterValue;Sender"},
			{"DeleteMessage", object{"QueueUrl": url, "ReceiptHandle": "x"}, "ReceiptHandleIsInvalid;Sender"},
			{"CreateQueue", object{"QueueName": "a b"}, "InvalidParameterValue;Sender"},
			{"CreateQueue", object{"QueueName": "errors", "Attributes": object{"DelaySeconds": "5"}}, "QueueAlreadyExists;Sender"},
			{"SetQueueAttributes", object{"QueueUrl": url, "Attributes": object{"VisibilityTimeout": "-1"}}, "InvalidAttributeValue;Sender"},
			{"SetQueueAttributes", object{"QueueUrl": url, "Attributes": object{"Colour": "red"}}, "InvalidAttributeName;Sender"},
			{"SendMessageBatch", object{"QueueUrl": url, "Entries": []object{}}, "AWS.SimpleQueueService.EmptyBatchRequest;Sender"},
		} {
			if _, f := w.call("sqs", tt.action, tt.in); f == nil || f.Query != tt.want || f.Status != 400 {
				t.Errorf("%s %v: %v (%v)", tt.action, tt.in, f, tt.want)
			}
		}
	})
	t.Run("older SDKs speak the query protocol", func(t *testing.T) {
		t.Parallel()
		const version = "2012-11-05"
		_, made := w.query("sqs", version, "CreateQueue", "QueueName", "old", "Attribute.1.Name", "VisibilityTimeout", "Attribute.1.Value", "7")
		url := strings.TrimSuffix(made[strings.Index(made, "<QueueUrl>")+10:strings.Index(made, "</QueueUrl>")], "\n")
		w.query("sqs", version, "SendMessage", "QueueUrl", url, "MessageBody", "a <b>")
		if status, got := w.query("sqs", version, "ReceiveMessage", "QueueUrl", url); status != 200 || !strings.Contains(got, "<Body>a &lt;b&gt;</Body>") {
			t.Errorf("%d %s", status, got)
		}
		if _, got := w.query("sqs", version, "GetQueueAttributes", "QueueUrl", url, "AttributeName.1", "VisibilityTimeout"); !strings.Contains(got, "<Name>VisibilityTimeout</Name><Value>7</Value>") {
			t.Errorf("%s", got)
		}
		if status, got := w.query("sqs", version, "GetQueueUrl", "QueueName", "none"); status != 400 || !strings.Contains(got, "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>") {
			t.Errorf("%d %s", status, got)
		}
	})
	if got := fmt.Sprint(w.must("sqs", "ListQueues", object{"QueueNamePrefix": "zzz"})); got != "map[]" {
		t.Errorf("no queues: %s", got)
	}
}
