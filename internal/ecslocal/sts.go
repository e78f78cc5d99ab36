package ecslocal

import (
	"regexp"
	"strconv"
	"time"
)

func getCallerIdentity(c *call) (any, error) {
	return []field{{"Arn", "arn:aws:iam::" + c.Account + ":root"}, {"UserId", c.Account}, {"Account", c.Account}}, nil
}

var roleArn = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]+)$`)

// assumeRole returns credentials for the role's account: their access key is the
// account's number, by which later requests are told apart.
func assumeRole(c *call) (any, error) {
	m := roleArn.FindStringSubmatch(c.form.Get("RoleArn"))
	session := c.form.Get("RoleSessionName")
	switch {
	case m == nil:
		return nil, errorf("ValidationError", "%s is invalid", c.form.Get("RoleArn"))
	case session == "":
		return nil, errorf("ValidationError", "1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null")
	}
	length := time.Hour
	if text := c.form.Get("DurationSeconds"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 900 || n > 43200 {
			return nil, errorf("ValidationError", "1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200", text)
		}
		length = time.Duration(n) * time.Second
	}
	return []field{
		{"Credentials", []field{
			{"AccessKeyId", m[1]}, {"SecretAccessKey", "leat"}, {"SessionToken", newHex()}, {"Expiration", c.now.Add(length).UTC().Format(time.RFC3339)},
		}},
		{"AssumedRoleUser", []field{
			{"AssumedRoleId", "AROA" + m[1] + ":" + session}, {"Arn", "arn:aws:sts::" + m[1] + ":assumed-role/" + m[2] + "/" + session},
		}},
		{"PackedPolicySize", "0"},
	}, nil
}
