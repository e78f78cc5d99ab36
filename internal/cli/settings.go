package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/server"
)

// settings joins the places that a server's settings come from: flag, else
// environment, else configuration file, else default.
type settings struct {
	env   *Env
	file  string            // value of --config
	given map[string]string // flags given, by name
}

// addSettings gives a command a flag for each setting of the server.
func addSettings(env *Env, cmd *cobra.Command) *settings {
	s := &settings{env: env, given: map[string]string{}}
	cmd.Flags().StringVar(&s.file, "config", "", "configuration file (LEAT_CONFIG; default config.toml in LEAT_HOME)")
	defaults := server.Default("")
	for _, setting := range defaults.Settings() {
		flag := &settingFlag{setting: setting, given: s.given}
		cmd.Flags().Var(flag, setting.Flag, fmt.Sprintf("%s (%s)", setting.Usage, strings.Join(setting.Env, ", ")))
		if _, ok := setting.Value.(*bool); ok {
			cmd.Flags().Lookup(setting.Flag).NoOptDefVal = "true"
		}
	}
	return s
}

// config returns the configuration that all places together give.
func (s *settings) config() (server.Config, error) {
	home, err := s.env.home()
	if err != nil {
		return server.Config{}, err
	}
	cfg := server.Default(home)
	file, err := s.readFile(home)
	if err != nil {
		return cfg, err
	}
	for _, setting := range cfg.Settings() {
		if text, ok := file.values[setting.Flag]; ok {
			if err := setting.Set(text); err != nil {
				return cfg, fmt.Errorf("%s: %w", file.name, err)
			}
			delete(file.values, setting.Flag)
		}
		for _, name := range setting.Env {
			if text, ok := s.env.LookupEnv(name); ok && text != "" {
				if err := setting.Set(text); err != nil {
					return cfg, fmt.Errorf("%s: %w", name, err)
				}
				break
			}
		}
		if text, ok := s.given[setting.Flag]; ok {
			if err := setting.Set(text); err != nil {
				return cfg, usageError{err}
			}
		}
	}
	for key := range file.values {
		return cfg, fmt.Errorf("%s: there is no setting %q; keys are the flags of leat server start", file.name, key)
	}
	return cfg, nil
}

// settingsFile is what a configuration file says.
type settingsFile struct {
	name   string
	values map[string]string
}

// readFile reads the configuration file; it need not exist unless it was named.
func (s *settings) readFile(home string) (settingsFile, error) {
	file := settingsFile{name: s.file}
	if file.name == "" {
		file.name = s.env.getenv("LEAT_CONFIG")
	}
	named := file.name != ""
	if !named {
		file.name = filepath.Join(home, "config.toml")
	}
	text, err := os.ReadFile(file.name)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return file, nil
	}
	if err != nil {
		return file, fmt.Errorf("read configuration: %w", err)
	}
	file.values, err = parseSettings(string(text))
	if err != nil {
		return file, fmt.Errorf("%s: %w", file.name, err)
	}
	return file, nil
}

// parseSettings reads lines "key = value", a part of TOML: values are strings in
// quotes, numbers, booleans or bare words; # begins a comment.
func parseSettings(text string) (map[string]string, error) {
	values := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" {
			return nil, fmt.Errorf("line %d: %q is not key = value", i+1, line)
		}
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("line %d: %s is set twice", i+1, key)
		}
		value, err := parseSettingValue(strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", i+1, key, err)
		}
		values[key] = value
	}
	return values, nil
}

func parseSettingValue(text string) (string, error) {
	var value, rest string
	switch {
	case strings.HasPrefix(text, `"`):
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return "", errors.New("the closing quote is missing")
		}
		if value, err = strconv.Unquote(quoted); err != nil {
			return "", err
		}
		rest = text[len(quoted):]
	case strings.HasPrefix(text, "'"):
		end := strings.IndexByte(text[1:], '\'')
		if end < 0 {
			return "", errors.New("the closing quote is missing")
		}
		value, rest = text[1:end+1], text[end+2:]
	default:
		value, _, _ = strings.Cut(text, "#")
		value = strings.TrimSpace(value)
	}
	if rest = strings.TrimSpace(rest); rest != "" && rest[0] != '#' {
		return "", fmt.Errorf("unexpected %q after the value", rest)
	}
	return value, nil
}

// settingFlag is the flag of one setting. It checks the value, and keeps it until
// environment and file have been read, since a flag overrides both.
type settingFlag struct {
	setting server.Setting
	given   map[string]string
}

// Set implements the value of a flag.
func (f *settingFlag) Set(text string) error {
	if err := f.setting.Set(text); err != nil {
		return err
	}
	f.given[f.setting.Flag] = text
	return nil
}

// String shows the default in the help.
func (f *settingFlag) String() string {
	if f.setting.Value == nil {
		return "" // flags are also compared with ones of no setting
	}
	if no, ok := f.setting.Value.(*bool); ok && !*no {
		return ""
	}
	return f.setting.Text()
}

// Type names the kind of value in the help.
func (f *settingFlag) Type() string {
	switch f.setting.Value.(type) {
	case *bool:
		return "bool"
	case *int, *int64:
		return "number"
	case *string:
		return "text"
	}
	return "duration"
}
