package ecslocal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/ecslocal"
)

func TestProcessImages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dockerfile := "FROM x\nENTRYPOINT [\"python\", \\\n  \"-u\"]\ncmd [\"app.py\"]\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600); err != nil {
		t.Fatal(err)
	}
	var images ecslocal.ProcessImages
	for _, text := range []string{"app=" + dir, "*/cdk-*=" + dir + ":python 'my app.py'", "bare=:sh -c true"} {
		m, err := ecslocal.ParseImageMap(text)
		if err != nil {
			t.Fatal(err)
		}
		images.Maps = append(images.Maps, m)
	}
	for _, tt := range []struct {
		image string
		want  ecslocal.Image
	}{
		{"app", ecslocal.Image{Dir: dir, EntryPoint: []string{"python", "-u"}, Command: []string{"app.py"}, Host: true}},
		{"app:latest", ecslocal.Image{Dir: dir, EntryPoint: []string{"python", "-u"}, Command: []string{"app.py"}, Host: true}},
		{"1.dkr.ecr.us-east-1.amazonaws.com/cdk-assets-1:abc", ecslocal.Image{Dir: dir, Command: []string{"python", "my app.py"}, Host: true}},
		{"bare@sha256:00", ecslocal.Image{Command: []string{"sh", "-c", "true"}, Host: true}},
		{"application", ecslocal.Image{Host: true}},
	} {
		got, err := images.Pull(t.Context(), tt.image)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.image, err, diff)
		}
	}
	for _, text := range []string{"", "app", "=x", "app=/no/such/dir", "app=" + dir + ":'open", "[=" + dir} {
		if _, err := ecslocal.ParseImageMap(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestAppOfASeedRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.sh"), []byte("echo started in $(basename $PWD) with $INPUT\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := ecslocal.ParseImageMap("*/app=" + dir + ":sh app.sh")
	if err != nil {
		t.Fatal(err)
	}
	w := start(t, func(c *ecslocal.Config) { c.Images = ecslocal.ProcessImages{Maps: []ecslocal.ImageMap{m}} })
	w.run(w.define("app", object{"name": "main", "image": "registry.example.com/app:1", "workingDirectory": "/no/such/workspace"}), object{
		"overrides": object{"containerOverrides": []object{{"name": "main", "environment": []object{{"name": "INPUT", "value": "7"}}}}},
	})
	if line := w.line("started"); !strings.HasSuffix(line, "started in "+filepath.Base(dir)+" with 7") {
		t.Errorf("wrote %q", line)
	}
}
