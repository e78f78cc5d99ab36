package awscall

import (
	"regexp"
	"strings"
	"unicode"
)

// The SDK for Java names packages and exceptions by splitting a model's names
// into words; Step Functions shows these names. The patterns are those of its
// CodegenNamingUtils.splitOnWordBoundaries.
var (
	notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`)
	lowVersion      = regexp.MustCompile(`([^a-z]{2,})v([0-9]+)`)
	highVersion     = regexp.MustCompile(`([^A-Z]{2,})V([0-9]+)`)
	camel           = regexp.MustCompile(`([a-z])([A-Z][a-zA-Z0-9])`)
	acronym         = regexp.MustCompile(`([A-Z]+)([A-Z][a-z])`)
	afterDigit      = regexp.MustCompile(`([0-9])([a-zA-Z])`)
)

// pascal joins the words of a name, each with a capital: NoSuchKey, DynamoDb.
func pascal(name string) string {
	name = notAlphanumeric.ReplaceAllString(name, " ")
	name = lowVersion.ReplaceAllString(name, "$1 v$2 ")
	name = highVersion.ReplaceAllString(name, "$1 V$2 ")
	for _, p := range []*regexp.Regexp{camel, acronym, afterDigit} {
		name = p.ReplaceAllString(name, "$1 $2")
	}
	var b strings.Builder
	for w := range strings.FieldsSeq(name) {
		b.WriteString(strings.ToUpper(w[:1]) + strings.ToLower(w[1:]))
	}
	return b.String()
}

// Prefix is the SDK for Java's class name of a service, the first part of error
// names in Step Functions: DynamoDb, Sfn, CloudWatchLogs.
func Prefix(serviceID string) string {
	p := pascal(serviceID)
	for _, lead := range []string{"Amazon", "Aws"} {
		if rest, ok := strings.CutPrefix(p, lead); ok && rest != "" {
			p = rest
		}
	}
	if rest, ok := strings.CutSuffix(p, "Service"); ok && rest != "" {
		p = rest
	}
	return p
}

// ServiceName is the SDK for Java's package name of a service, by which Step
// Functions' aws-sdk integrations name it: dynamodb, sfn, cloudwatchlogs.
func ServiceName(serviceID string) string { return strings.ToLower(Prefix(serviceID)) }

// ExceptionName is the SDK for Java's class name of a modelled error:
// NoSuchKeyException.
func ExceptionName(shape string) string {
	p := pascal(shape)
	if rest, ok := strings.CutSuffix(p, "Fault"); ok {
		p = rest
	}
	if !strings.HasSuffix(p, "Exception") {
		p += "Exception"
	}
	return p
}

// Upper returns a name with a capital first letter, as Step Functions shows
// members.
func Upper(name string) string {
	for i, r := range name {
		return name[:i] + string(unicode.ToUpper(r)) + name[i+len(string(r)):]
	}
	return name
}

// MemberName is a member's name in the answers to aws-sdk resources: that of
// version 2 of the SDK for Java with a capital first letter. The SDK takes a run
// of capitals for one word: MD5OfBody is Md5OfBody, BOOL is Bool, ETag stays.
func MemberName(name string) string {
	if name == "NULL" {
		return "Nul" // null is a word of Java
	}
	capital := func(i int) bool { return i < len(name) && 'A' <= name[i] && name[i] <= 'Z' }
	i := min(1, len(name))
	for capital(i) && (i+1 >= len(name) || name[i+1] < 'a' || name[i+1] > 'z') {
		i++
	}
	return Upper(strings.ToLower(name[:i]) + name[i:])
}
