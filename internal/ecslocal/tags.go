package ecslocal

import (
	"slices"
	"strings"
)

// tagsOf finds the tags of a resource by its ARN.
func (st *site) tagsOf(arn string) (*[]tag, error) {
	rest, mine := strings.CutPrefix(arn, st.arn(""))
	if !mine {
		return nil, invalidParameter("Invalid resource arn: %s", arn)
	}
	kind, name, _ := strings.Cut(rest, "/")
	switch kind {
	case "cluster":
		if c := st.Clusters[name]; c != nil {
			return &c.Tags, nil
		}
		return nil, errorf("ClusterNotFoundException", "Cluster not found.")
	case "task-definition":
		if d := st.findDefinition(arn); d != nil {
			return &d.Tags, nil
		}
	case "task":
		if t := st.Tasks[lastPart(name)]; t != nil && t.TaskArn == arn {
			return &t.Tags, nil
		}
	case "service":
		if svc := st.Services[name]; svc != nil {
			return &svc.Tags, nil
		}
	case "capacity-provider":
		if p := st.Providers[name]; p != nil {
			return &p.Tags, nil
		}
	}
	return nil, errorf("ResourceNotFoundException", "The specified resource could not be found: %s", arn)
}

func tagResource(c *call, in *struct {
	ResourceArn string
	Tags        []tag
},
) (any, error) {
	tags, err := c.tagsOf(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	merged := mergeTags(*tags, in.Tags)
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if len(merged) > 50 {
		return nil, invalidParameter("The number of tags exceeds the limit of 50.")
	}
	*tags = merged
	return struct{}{}, nil
}

func untagResource(c *call, in *struct {
	ResourceArn string
	TagKeys     []string
},
) (any, error) {
	tags, err := c.tagsOf(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	*tags = slices.DeleteFunc(slices.Clone(*tags), func(t tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	return struct{}{}, nil
}

func listTagsForResource(c *call, in *struct{ ResourceArn string }) (any, error) {
	tags, err := c.tagsOf(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return map[string]any{"tags": *tags}, nil
}
