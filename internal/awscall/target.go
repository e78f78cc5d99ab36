package awscall

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/leat-dev/leat/internal/value"
)

// target is where a request goes and as whom.
type target struct {
	base        *url.URL
	handler     http.Handler // answers instead of base
	custom      bool         // configured, not AWS's own
	signingName string
	region      string
	credentials aws.Credentials
}

// serviceEndpoints and endpointsIgnored are what the SDK's configuration sources
// implement, see its internal package configsources.
type serviceEndpoints interface {
	GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
}

type endpointsIgnored interface {
	GetIgnoreConfiguredEndpoints(ctx context.Context) (bool, bool, error)
}

// target finds endpoint and credentials for a request.
func (c *Caller) target(ctx context.Context, op *Operation, r *Request, w *wireRequest) (*target, error) {
	t := &target{signingName: op.Service.signingName, region: r.Region, handler: c.cfg.Handlers[op.Service.Name]}
	if t.handler != nil {
		t.base = &url.URL{Scheme: "http", Host: op.Service.endpointPrefix + "." + t.region + ".internal"}
		t.credentials = inProcess(r)
		return t, nil
	}
	cfg, err := c.config(ctx)
	if err != nil {
		return nil, err
	}
	if t.region == "" {
		t.region = cfg.Region
	}
	if t.region == "" {
		return nil, &ParameterError{Text: "no region is configured"}
	}
	if err := c.endpoint(ctx, cfg, op.Service, t); err != nil {
		return nil, err
	}
	if op.Service.ID == "S3" {
		virtualHost(t, w, op, r.Params)
	}
	if op.hostPrefix != "" && !t.custom {
		t.base.Host = fillHost(op.hostPrefix, w.host) + t.base.Host
	}
	if op.unsigned {
		return t, nil
	}
	t.credentials, err = c.credentials(ctx, cfg, t.custom, r)
	return t, err
}

// inProcess names the account in the access key id, as emulators read it.
func inProcess(r *Request) aws.Credentials {
	account := r.AccountID
	if id := accountOf(r.RoleARN); id != "" {
		account = id
	}
	return aws.Credentials{AccessKeyID: account, SecretAccessKey: "in-process"}
}

// accountOf is the account of an ARN.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// Custom reports whether a service's address is configured, so that it is not
// AWS's own.
func (c *Caller) Custom(ctx context.Context, service, operation string) (bool, error) {
	op, ok := c.Lookup(service, operation)
	if !ok {
		return false, nil
	}
	cfg, err := c.config(ctx)
	if err != nil {
		return false, err
	}
	t := &target{region: cfg.Region}
	err = c.endpoint(ctx, cfg, op.Service, t)
	return t.custom, err
}

// endpoint sets where a service is: a configured address of the service, one of
// all services, AWS's own.
func (c *Caller) endpoint(ctx context.Context, cfg *aws.Config, s *Service, t *target) error {
	address, err := configured(ctx, cfg, s.ID)
	if err != nil {
		return err
	}
	if address == "" && cfg.BaseEndpoint != nil {
		address = *cfg.BaseEndpoint
	}
	if address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			return fmt.Errorf("the configured endpoint %q of %s is no URL", address, s.ID)
		}
		t.base, t.custom = u, true
		return nil
	}
	answer := c.awsEndpoint(s, t.region)
	if answer.signingName != "" {
		t.signingName = answer.signingName
	}
	t.base = &url.URL{Scheme: "https", Host: strings.ReplaceAll(answer.host, "{region}", t.region)}
	if strings.HasPrefix(answer.host, "http://") {
		t.base = &url.URL{Scheme: "http", Host: strings.TrimPrefix(t.base.Host, "http://")}
	}
	if path := strings.IndexByte(t.base.Host, '/'); path >= 0 {
		t.base.Host, t.base.Path = t.base.Host[:path], t.base.Host[path:]
	}
	if answer.signingRegion != "" {
		t.region = answer.signingRegion
	}
	return nil
}

func configured(ctx context.Context, cfg *aws.Config, id string) (string, error) {
	for _, source := range cfg.ConfigSources {
		if p, ok := source.(endpointsIgnored); ok {
			ignore, found, err := p.GetIgnoreConfiguredEndpoints(ctx)
			if err != nil {
				return "", fmt.Errorf("read whether endpoints are ignored: %w", err)
			}
			if found && ignore {
				return "", nil
			}
			if found {
				break
			}
		}
	}
	for _, source := range cfg.ConfigSources {
		if p, ok := source.(serviceEndpoints); ok {
			address, found, err := p.GetServiceBaseEndpoint(ctx, id)
			if err != nil {
				return "", fmt.Errorf("read the endpoint of %s: %w", id, err)
			}
			if found {
				return address, nil
			}
		}
	}
	return "", nil
}

// awsEndpoint is what the service's endpoint rules say for a region; a region
// that they do not know is taken by its partition's pattern.
func (c *Caller) awsEndpoint(s *Service, region string) endpointAnswer {
	p := partition{id: "aws", suffix: "amazonaws.com"}
	for _, candidate := range c.catalog.partitions {
		if candidate.regions.MatchString(region) {
			p = candidate
			break
		}
	}
	rule, ok := s.endpoints[p.id]
	if !ok {
		return endpointAnswer{host: s.endpointPrefix + ".{region}." + p.suffix}
	}
	if a, ok := rule.special[region]; ok {
		return a
	}
	return rule.common
}

var plainBucket = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// virtualHost moves the bucket of an S3 request from the path to the host, as
// AWS wants; custom endpoints keep the path.
func virtualHost(t *target, w *wireRequest, op *Operation, params *value.Object) {
	if t.custom || params == nil || op.Input == nil || !strings.HasPrefix(op.path, "/{Bucket}") {
		return
	}
	var bucket string
	for key, v := range params.All() {
		if m, ok := op.Input.Member(key); ok && m.Name == "Bucket" {
			bucket, _ = v.(string)
		}
	}
	if !plainBucket.MatchString(bucket) {
		return
	}
	rest, ok := strings.CutPrefix(w.path, "/"+bucket)
	if !ok {
		return
	}
	t.base.Host = bucket + "." + t.base.Host
	if rest == "" {
		rest = "/"
	}
	w.path = rest
}

func fillHost(prefix string, labels map[string]string) string {
	for name, v := range labels {
		prefix = strings.ReplaceAll(prefix, "{"+name+"}", v)
	}
	return prefix
}

type roleCredentials struct {
	credentials aws.Credentials
	until       time.Time
}

var realKey = regexp.MustCompile(`^A[A-Z]{3}[A-Z0-9]{16,}$`)

// credentials are the configuration's, or those of the role to assume. Where an
// emulator stands in for AWS, any key goes and one of twelve digits names the
// account, so that the account is told that way.
func (c *Caller) credentials(ctx context.Context, cfg *aws.Config, custom bool, r *Request) (aws.Credentials, error) {
	if cfg.Credentials == nil {
		return aws.Credentials{}, errors.New("no AWS credentials are configured")
	}
	own, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("get AWS credentials: %w", err)
	}
	if custom && !realKey.MatchString(own.AccessKeyID) {
		account := r.AccountID
		if r.RoleARN != "" {
			account = accountOf(r.RoleARN)
		}
		if account != "" {
			own.AccessKeyID = account
		}
		return own, nil
	}
	if r.RoleARN == "" {
		return own, nil
	}
	return c.assume(ctx, r)
}

// assume gets credentials of a role from STS and keeps them while they last.
func (c *Caller) assume(ctx context.Context, r *Request) (aws.Credentials, error) {
	session := r.SessionName
	if session == "" {
		session = "leat"
	}
	key := r.RoleARN + " " + session
	now := c.cfg.Now()
	c.rolesMu.Lock()
	held, ok := c.roles[key]
	c.rolesMu.Unlock()
	if ok && now.Add(2*time.Minute).Before(held.until) {
		return held.credentials, nil
	}
	out, _, err := c.Call(ctx, Request{Service: "sts", Operation: "AssumeRole", Region: r.Region, Params: value.Of(
		"RoleArn", r.RoleARN, "RoleSessionName", session)})
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("assume role %s: %w", r.RoleARN, err)
	}
	o := object(get(out, "Credentials"))
	held = roleCredentials{credentials: aws.Credentials{
		AccessKeyID: text(o, "AccessKeyId"), SecretAccessKey: text(o, "SecretAccessKey"), SessionToken: text(o, "SessionToken"),
	}}
	if held.until, err = asTime("Expiration", get(o, "Expiration")); err != nil {
		held.until = now
	}
	c.rolesMu.Lock()
	defer c.rolesMu.Unlock()
	for k, old := range c.roles {
		if old.until.Before(now) {
			delete(c.roles, k)
		}
	}
	c.roles[key] = held
	return held.credentials, nil
}

// Sign signs a request to an endpoint that is none of a service's model, on
// behalf of r; service is the signing name.
func (c *Caller) Sign(ctx context.Context, r Request, service string, req *http.Request, body []byte) error {
	cfg, err := c.config(ctx)
	if err != nil {
		return err
	}
	region := r.Region
	if region == "" {
		region = cfg.Region
	}
	credentials, err := c.credentials(ctx, cfg, !strings.HasSuffix(req.URL.Hostname(), ".amazonaws.com"), &r)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	err = v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), service, region, c.cfg.Now())
	if err != nil {
		return fmt.Errorf("sign a request: %w", err)
	}
	return nil
}

// PresignIdentity makes an address of STS that tells whoever asks it, within a
// minute, as whom r is made. The header of that name and value must then be sent,
// which is how a cluster of EKS knows that the address was made for it.
func (c *Caller) PresignIdentity(ctx context.Context, r Request, header, headerValue string) (string, error) {
	op, ok := c.Lookup("sts", "getCallerIdentity")
	if !ok {
		return "", errors.New("no model of STS")
	}
	w := &wireRequest{method: http.MethodGet, path: "/", query: url.Values{
		"Action": {op.Name}, "Version": {op.Service.version}, "X-Amz-Expires": {"60"},
	}, header: http.Header{}}
	t, err := c.target(ctx, op, &r, w)
	if err != nil {
		return "", err
	}
	t.base.RawQuery = w.query.Encode()
	if t.base.Path == "" {
		t.base.Path = "/"
	}
	req, err := http.NewRequestWithContext(ctx, w.method, t.base.String(), http.NoBody)
	if err != nil {
		return "", fmt.Errorf("make a request to STS: %w", err)
	}
	req.Header.Set(header, headerValue)
	empty := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, t.credentials, req, hex.EncodeToString(empty[:]), t.signingName, t.region, c.cfg.Now())
	if err != nil {
		return "", fmt.Errorf("sign a request to STS: %w", err)
	}
	return signed, nil
}
