package ecslocal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/leat-dev/leat/internal/launch"
)

// ProcessImages lets tasks run as processes of this machine: an image is a
// directory, or nothing but a name, and then its tasks need a command.
type ProcessImages struct {
	// Maps are the images that stand for directories, in the order in which they
	// are tried.
	Maps []ImageMap
}

// ImageMap says that containers of an image run in a directory.
type ImageMap struct {
	// Image is a pattern of path.Match for the image's name; * stands for slashes
	// too. A name without a tag stands for all tags.
	Image string
	// Dir is the directory; "" is a new one for each container.
	Dir string
	// Command is what runs when the task has no command.
	Command []string
}

var _ Images = ProcessImages{}

// ParseImageMap reads IMAGE=DIR or IMAGE=DIR:COMMAND. Without a command the
// directory's Dockerfile, if it has one, tells ENTRYPOINT and CMD at each start.
func ParseImageMap(text string) (ImageMap, error) {
	image, where, ok := strings.Cut(text, "=")
	if !ok || image == "" {
		return ImageMap{}, fmt.Errorf("%q is not IMAGE=DIR or IMAGE=DIR:COMMAND", text)
	}
	dir, command, _ := strings.Cut(where, ":")
	words, err := launch.SplitCommand(command)
	if err != nil {
		return ImageMap{}, fmt.Errorf("%q: %w", text, err)
	}
	m := ImageMap{Image: image, Command: words}
	if dir != "" {
		if m.Dir, err = filepath.Abs(dir); err != nil {
			return ImageMap{}, err
		}
		if !isDir(m.Dir) {
			return ImageMap{}, fmt.Errorf("%q: %s is not a directory", text, m.Dir)
		}
	}
	_, err = path.Match(image, "")
	return m, err
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// Pull implements Images.
func (p ProcessImages) Pull(_ context.Context, image string) (Image, error) {
	for _, m := range p.Maps {
		if !m.matches(image) {
			continue
		}
		out := Image{Dir: m.Dir, Command: m.Command, Host: true}
		if len(m.Command) == 0 && m.Dir != "" {
			var err error
			if out.EntryPoint, out.Command, err = readDockerfile(filepath.Join(m.Dir, "Dockerfile")); err != nil {
				return Image{}, err
			}
		}
		return out, nil
	}
	return Image{Host: true}, nil
}

// matches tells whether a map is for an image.
func (m ImageMap) matches(image string) bool {
	// A slash is no boundary here: one star covers a registry and a path.
	flat := func(s string) string { return strings.ReplaceAll(s, "/", "\x01") }
	names := []string{image}
	if i := strings.LastIndexAny(image, ":@"); i > strings.LastIndexByte(image, '/') {
		names = append(names, strings.TrimSuffix(image[:i], "@sha256"))
	}
	for _, name := range names {
		if ok, _ := path.Match(flat(m.Image), flat(name)); ok {
			return true
		}
	}
	return false
}

// readDockerfile finds the last ENTRYPOINT and CMD of a Dockerfile; without a
// file there are none.
func readDockerfile(name string) (entry, command []string, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return parseDockerfile(string(text))
}

// instruction is a Dockerfile's line that says what runs.
var instruction = regexp.MustCompile(`(?i)^\s*(ENTRYPOINT|CMD)\s+(.*?)\s*$`)

func parseDockerfile(text string) (entry, command []string, err error) {
	text = regexp.MustCompile(`\\[ \t]*\r?\n`).ReplaceAllString(text, " ")
	for line := range strings.SplitSeq(text, "\n") {
		m := instruction.FindStringSubmatch(strings.TrimSuffix(line, "\r"))
		if m == nil {
			continue
		}
		words, ok := execForm(m[2])
		if !ok {
			words = []string{"/bin/sh", "-c", m[2]}
		}
		if strings.EqualFold(m[1], "CMD") {
			command = words
			continue
		}
		// An image's entry point makes away with a command of the images below.
		entry = words
	}
	return entry, command, nil
}

// execForm reads a command that a Dockerfile writes as a JSON list.
func execForm(text string) ([]string, bool) {
	var words []string
	if !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &words) != nil {
		return nil, false
	}
	return words, true
}
