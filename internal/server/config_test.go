package server

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestTheSettingsPageListsEverySetting derives docs/settings.md from the settings themselves.
func TestTheSettingsPageListsEverySetting(t *testing.T) {
	t.Parallel()
	cfg := Default("~/.leat")
	var b strings.Builder
	b.WriteString("# Settings of the server\n\nA flag counts before an environment variable, that before the file `config.toml` in `LEAT_HOME`\n" +
		"(or the one that `--config` or `LEAT_CONFIG` names), that before the default. In the file each line is\n" +
		"`flag = value`, such as `port = 4300` or `late-after = \"30s\"`.\n\n" +
		"| flag | environment | default | meaning |\n|---|---|---|---|\n")
	for _, s := range cfg.Settings() {
		fmt.Fprintf(&b, "| `--%s` | `%s` | `%s` | %s |\n", s.Flag, strings.Join(s.Env, "`, `"), s.Text(), s.Usage)
	}
	const page = "../../docs/settings.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Error("docs/settings.md is not what the settings say; run the test with -update")
	}
}

func TestSettingsRefuseWhatTheyCannotRead(t *testing.T) {
	t.Parallel()
	for _, s := range (&Config{}).Settings() {
		if _, text := s.Value.(*string); text {
			continue
		}
		if err := s.Set("neither"); err == nil || !strings.Contains(err.Error(), s.Flag) {
			t.Errorf("%s: error %v", s.Flag, err)
		}
	}
	for name, change := range map[string]func(*Config){
		"a port":    func(c *Config) { c.Port = 70000 },
		"a level":   func(c *Config) { c.LogLevel = "loud" },
		"a format":  func(c *Config) { c.LogFormat = "xml" },
		"no time":   func(c *Config) { c.StopTimeout = 0 },
		"account":   func(c *Config) { c.AWSAccount = "12345" },
		"a region":  func(c *Config) { c.AWSRegion = "us east" },
		"machines":  func(c *Config) { c.MaxMachines = 0 },
		"an age":    func(c *Config) { c.Keep.Logs = -1 },
		"a payload": func(c *Config) { c.MaxPayload = -1 },
	} {
		cfg := Default(t.TempDir())
		if err := cfg.complete(); err != nil {
			t.Fatalf("the defaults: %v", err)
		}
		change(&cfg)
		if err := cfg.complete(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDurationsMayHaveDays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90d": 90 * day, "0d": 0, "0": 0, "1d12h": 36 * time.Hour, "36h": 36 * time.Hour, "106751d": 106751 * day,
	} {
		if d, err := parseDuration(text); err != nil || d != want {
			t.Errorf("%s: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"d", "-1d", "1.5d", "1d-1h", "1d1d", "106752d", "99999999999d", "1dd", "x", "106751d24h"} {
		if d, err := parseDuration(text); err == nil {
			t.Errorf("%s is %s", text, d)
		}
	}
}
