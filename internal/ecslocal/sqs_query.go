package ecslocal

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// sqsQueryActions are those of SQS in the query protocol, which older SDKs speak:
// the form becomes the JSON input of the same action, and its answer XML.
func sqsQueryActions() map[string]action {
	all := map[string]action{}
	for _, name := range []string{
		"CreateQueue", "DeleteQueue", "GetQueueUrl", "ListQueues", "GetQueueAttributes", "SetQueueAttributes", "PurgeQueue", "SendMessage",
		"ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility",
	} {
		below := sqsActions()[name]
		run := below.run
		below.run = func(c *call) (any, error) {
			body, err := json.Marshal(sqsForm(c.form))
			if err != nil {
				return nil, err
			}
			c.body = body
			out, err := run(c)
			if err != nil {
				return nil, err
			}
			return sqsFields(out)
		}
		all[name] = below
	}
	return all
}

// sqsForm turns a form into the members of a JSON input.
func sqsForm(form map[string][]string) map[string]any {
	in := map[string]any{}
	attributes := map[string]string{}
	var names []string
	for _, key := range slices.Sorted(maps.Keys(form)) {
		value := form[key][0]
		first, _, _ := strings.Cut(key, ".")
		switch {
		case first == "Attribute" && strings.HasSuffix(key, ".Name"):
			attributes[value] = firstOf(form[strings.TrimSuffix(key, "Name")+"Value"])
		case first == "AttributeName":
			names = append(names, value)
		case slices.Contains([]string{"DelaySeconds", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds", "MaxResults"}, key):
			if n, err := strconv.Atoi(value); err == nil {
				in[key] = n
			}
		case !strings.Contains(key, "."):
			in[key] = value
		}
	}
	if len(attributes) > 0 {
		in["Attributes"] = attributes
	}
	if len(names) > 0 {
		in["AttributeNames"] = names
	}
	return in
}

func firstOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// sqsFields turns an answer into XML elements: lists are flat and have names of
// their own, maps are lists of names and values.
func sqsFields(out any) ([]field, error) {
	members, ok := out.(map[string]any)
	if !ok {
		return nil, nil
	}
	fields := []field{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch v := members[name].(type) {
		case string:
			fields = append(fields, field{name, v})
		case []string:
			for _, item := range v {
				fields = append(fields, field{"QueueUrl", item})
			}
		case map[string]string:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				fields = append(fields, field{"Attribute", []field{{"Name", key}, {"Value", v[key]}}})
			}
		case []map[string]any:
			for _, item := range v {
				below, err := sqsFields(item)
				if err != nil {
					return nil, err
				}
				fields = append(fields, field{"Message", below})
			}
		}
	}
	return fields, nil
}
