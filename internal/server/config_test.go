package server

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
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
		fmt.Fprintf(&b, "| `--%s` | `%s` | `%v` | %s |\n", s.Flag, strings.Join(s.Env, "`, `"), reflect.ValueOf(s.Value).Elem(), s.Usage)
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
	for name, cfg := range map[string]Config{
		"a port": {Port: 70000, LogLevel: "info", LogFormat: "text"}, "a level": {LogLevel: "loud", LogFormat: "text"},
		"a format": {LogLevel: "info", LogFormat: "xml"},
	} {
		if err := cfg.complete(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
