package server

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/api/sfn"
	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/notify"
)

// Config says how a server runs. A setting's value comes from its flag, else
// its environment variable, else the configuration file, else its default.
type Config struct {
	// Host is the address to listen on.
	Host string
	// Port is the TCP port; 0 lets the system choose one.
	Port int
	// Home is the directory of the default database and of the key that seals secrets.
	Home string
	// Database is a file name for SQLite or a postgres:// URL; "" is leat.db in Home.
	Database string
	// AuthString is "user:password" that clients must send; "" asks for none.
	AuthString string
	// HeartbeatTimeout is after how long without a sign of life a running flow
	// run is declared crashed; 0 follows the rhythm of the run's own heartbeats.
	HeartbeatTimeout time.Duration
	// SilenceTimeout is after how long without a sign of life a run is declared
	// crashed whose event connection ended without a word.
	SilenceTimeout time.Duration
	// ClaimTimeout is after how long a run is offered again that a worker
	// claimed and did not start, when the worker is gone.
	ClaimTimeout time.Duration
	// LateAfter is how long after its time a run that waits is marked late.
	LateAfter time.Duration
	// SlotWait is how long a run waits before it asks again for a slot of its deployment's limit.
	SlotWait time.Duration
	// SchedulerInterval is how often schedules are filled ahead, besides when they change.
	SchedulerInterval time.Duration
	// Keep says how long runs, logs, events and artifacts are kept; 0 is for ever.
	Keep core.Retention
	// BackupBeforeUpgrade copies a SQLite database before its schema is brought up to date.
	BackupBeforeUpgrade bool
	// StopTimeout is how long a stopping server may take to finish what it has begun.
	StopTimeout time.Duration
	// MaxBody is the size in bytes of the largest request body.
	MaxBody int64
	// CSRF asks clients of the Prefect API for a token with each request that changes something.
	CSRF bool
	// CSRFLifetime is how long such a token is good for.
	CSRFLifetime time.Duration
	// AllowDatabaseClear lets POST /api/admin/database/clear empty the database.
	AllowDatabaseClear bool
	// AllowPrivateWebhooks are the addresses and CIDR ranges of private networks, divided by commas, that
	// notifications and webhooks of automations may reach, or "all"; "" lets them reach public addresses alone.
	AllowPrivateWebhooks string
	// EncryptionKey seals secrets at rest: 32 bytes in base64; "" keeps a key in a file in Home.
	EncryptionKey string
	// AWSAccount is the 12-digit account whose state machines lie in the default workspace.
	AWSAccount string
	// AWSRegion is the region of Step Functions requests that name none.
	AWSRegion string
	// MaxMachines is how many state machines, and how many activities, an account has in a region.
	MaxMachines int
	// MaxEvents is the length of the longest history of a standard execution.
	MaxEvents int64
	// MaxPayload is the length of the longest input or output of an execution.
	MaxPayload int
	// LogLevel is debug, info, warn or error.
	LogLevel string
	// LogFormat is text or json.
	LogFormat string
}

// Setting describes one setting for flags, environment and documentation.
type Setting struct {
	// Flag is its flag without the dashes.
	Flag string
	// Env are its environment variables; the first that is set counts.
	Env []string
	// Usage is one line for people.
	Usage string
	// Value points to the setting's place in a Config: *string, *int, *int64, *bool or *time.Duration.
	Value any
}

// Default returns the configuration without flags, environment and file; home
// is where leat keeps its files.
func Default(home string) Config {
	return Config{
		Host: "127.0.0.1", Port: 4200, Home: home, SilenceTimeout: 30 * time.Second, ClaimTimeout: 60 * time.Second,
		LateAfter: 15 * time.Second, SlotWait: 30 * time.Second, SchedulerInterval: 30 * time.Second, StopTimeout: 9 * time.Second, MaxBody: 32 << 20, CSRFLifetime: time.Hour,
		Keep:                core.Retention{Runs: 90 * day, Logs: 30 * day, Events: 7 * day, Artifacts: 90 * day},
		BackupBeforeUpgrade: true,
		AWSAccount:          sfn.DefaultAccount, AWSRegion: sfn.DefaultRegion, MaxMachines: engine.DefaultMaxMachines, MaxPayload: 256 << 10, MaxEvents: asl.DefaultEvents,
		LogLevel: "info", LogFormat: "text",
	}
}

// Settings lists the settings of c in the order in which people should meet them.
func (c *Config) Settings() []Setting {
	return []Setting{
		{"host", []string{"LEAT_HOST"}, "address to listen on", &c.Host},
		{"port", []string{"LEAT_PORT"}, "port to listen on (0 = any free port)", &c.Port},
		{"database", []string{"LEAT_DATABASE"}, "SQLite file or postgres:// URL (default leat.db in LEAT_HOME)", &c.Database},
		{"auth-string", []string{"LEAT_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"}, "user:password that clients must send (PREFECT_API_AUTH_STRING at the client)", &c.AuthString},
		{"csrf-protection", []string{"LEAT_CSRF_PROTECTION", "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED", "PREFECT_SERVER_CSRF_PROTECTION_ENABLED"}, "refuse requests that change something without a token of GET /api/csrf-token", &c.CSRF},
		{"csrf-token-lifetime", []string{"LEAT_CSRF_TOKEN_LIFETIME"}, "time that such a token is good for", &c.CSRFLifetime},
		{"heartbeat-timeout", []string{"LEAT_HEARTBEAT_TIMEOUT"}, "silence after which a running flow run is crashed (0 = three beats of the run's own rhythm)", &c.HeartbeatTimeout},
		{"silence-timeout", []string{"LEAT_SILENCE_TIMEOUT"}, "the same for a run whose event connection broke", &c.SilenceTimeout},
		{"claim-timeout", []string{"LEAT_CLAIM_TIMEOUT"}, "time after which a run is offered again whose worker died before starting it", &c.ClaimTimeout},
		{"late-after", []string{"LEAT_LATE_AFTER"}, "time after which a waiting run is marked late", &c.LateAfter},
		{"slot-wait", []string{"LEAT_SLOT_WAIT"}, "time a run waits before it asks again for a slot of its deployment", &c.SlotWait},
		{"scheduler-interval", []string{"LEAT_SCHEDULER_INTERVAL"}, "how often schedules are filled ahead, besides when they change", &c.SchedulerInterval},
		{"retain-runs", []string{"LEAT_RETAIN_RUNS"}, "age at which finished runs are removed with their states, tasks, logs and artifacts (0 = never)", &c.Keep.Runs},
		{"retain-logs", []string{"LEAT_RETAIN_LOGS"}, "age at which log lines are removed, if their run was not before (0 = with their run)", &c.Keep.Logs},
		{"retain-events", []string{"LEAT_RETAIN_EVENTS"}, "age at which events are removed, at least 1d (0 = never)", &c.Keep.Events},
		{"retain-artifacts", []string{"LEAT_RETAIN_ARTIFACTS"}, "age at which artifacts other than the newest of a key are removed, if their run was not before (0 = with their run)", &c.Keep.Artifacts},
		{"backup-before-upgrade", []string{"LEAT_BACKUP_BEFORE_UPGRADE"}, "copy a SQLite database before a newer leat changes its schema", &c.BackupBeforeUpgrade},
		{"stop-timeout", []string{"LEAT_STOP_TIMEOUT"}, "time that a stopping server has to finish what it has begun, before it is cut off", &c.StopTimeout},
		{"max-body", []string{"LEAT_MAX_BODY"}, "largest request body in bytes", &c.MaxBody},
		{"encryption-key", []string{"LEAT_ENCRYPTION_KEY"}, "32 bytes in base64 that seal secrets (default: a key file in LEAT_HOME)", &c.EncryptionKey},
		{"allow-database-clear", []string{"LEAT_ALLOW_DATABASE_CLEAR"}, "let POST /api/admin/database/clear empty the database (tests, demos)", &c.AllowDatabaseClear},
		{"allow-private-webhooks", []string{"LEAT_ALLOW_PRIVATE_WEBHOOKS"}, "private addresses that notifications and webhooks may reach: addresses and CIDR ranges divided by commas, or all", &c.AllowPrivateWebhooks},
		{"aws-account", []string{"LEAT_AWS_ACCOUNT"}, "12-digit AWS account whose state machines are in the default workspace", &c.AWSAccount},
		{"aws-region", []string{"LEAT_AWS_REGION"}, "AWS region of Step Functions requests that are not signed for one", &c.AWSRegion},
		{"max-machines", []string{"LEAT_MAX_MACHINES"}, "state machines, and activities, that an account may have in a region", &c.MaxMachines},
		{"max-events", []string{"LEAT_MAX_EVENTS"}, "length of the longest history of an execution", &c.MaxEvents},
		{"max-payload", []string{"LEAT_MAX_PAYLOAD"}, "length of the longest input or output of an execution", &c.MaxPayload},
		{"log-level", []string{"LEAT_LOG_LEVEL"}, "debug, info, warn or error", &c.LogLevel},
		{"log-format", []string{"LEAT_LOG_FORMAT"}, "text or json", &c.LogFormat},
	}
}

// Set parses text into the setting's value.
func (s Setting) Set(text string) error {
	var err error
	switch v := s.Value.(type) {
	case *string:
		*v = text
	case *int:
		*v, err = strconv.Atoi(text)
	case *int64:
		*v, err = strconv.ParseInt(text, 10, 64)
	case *bool:
		*v, err = strconv.ParseBool(text)
	case *time.Duration:
		*v, err = parseDuration(text)
	}
	if err != nil {
		return fmt.Errorf("%s: %q is not a valid value", s.Flag, text)
	}
	return nil
}

// Text is the setting's value as Set reads it.
func (s Setting) Text() string {
	d, ok := s.Value.(*time.Duration)
	if !ok {
		return fmt.Sprint(reflect.ValueOf(s.Value).Elem())
	}
	if *d >= day && *d%day == 0 {
		return strconv.FormatInt(int64(*d/day), 10) + "d"
	}
	return d.String()
}

const day = 24 * time.Hour

// parseDuration reads a duration as Go writes it, with days before the hours: 30d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 32)
	if err != nil || n > uint64(math.MaxInt64/day) {
		return 0, fmt.Errorf("%q is not a number of days", days)
	}
	d := time.Duration(n) * day
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 || d+more < d {
		return 0, fmt.Errorf("%q does not go on after the days", rest)
	}
	return d + more, nil
}

// complete fills what depends on other settings and checks all of it.
func (c *Config) complete() error {
	if c.Database == "" {
		c.Database = filepath.Join(c.Home, "leat.db")
	}
	if c.Port < 0 || c.Port > 65535 {
		return fmt.Errorf("port %d is not between 0 and 65535", c.Port)
	}
	if min(c.Keep.Runs, c.Keep.Logs, c.Keep.Events, c.Keep.Artifacts) < 0 {
		return errors.New("retain-runs, retain-logs, retain-events and retain-artifacts are ages: nothing is kept for less than no time")
	}
	if c.StopTimeout <= 0 {
		return fmt.Errorf("stop-timeout %s is not more than nothing", c.StopTimeout)
	}
	if !regexp.MustCompile(`^[0-9]{12}$`).MatchString(c.AWSAccount) {
		return fmt.Errorf("aws-account %q is not a number of 12 digits", c.AWSAccount)
	}
	if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(c.AWSRegion) {
		return fmt.Errorf("aws-region %q is not the name of a region", c.AWSRegion)
	}
	if c.MaxMachines <= 0 || c.MaxPayload <= 0 || c.MaxEvents <= 0 {
		return fmt.Errorf("max-machines %d, max-payload %d and max-events %d are to be more than nothing", c.MaxMachines, c.MaxPayload, c.MaxEvents)
	}
	if _, err := notify.ParseGuard(c.AllowPrivateWebhooks); err != nil {
		return fmt.Errorf("allow-private-webhooks: %w", err)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return fmt.Errorf("log-level %q is not debug, info, warn or error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		return fmt.Errorf("log-format %q is not text or json", c.LogFormat)
	}
	return nil
}

// guard says which private addresses notifications and webhooks may reach.
func (c *Config) guard() *notify.Guard {
	guard, err := notify.ParseGuard(c.AllowPrivateWebhooks)
	if err != nil {
		return nil // complete has checked it; none lets through the least
	}
	return guard
}

// loopback reports whether the server listens to this machine only.
func (c *Config) loopback() bool {
	if c.Host == "localhost" {
		return true
	}
	ip := net.ParseIP(c.Host)
	return ip != nil && ip.IsLoopback()
}
