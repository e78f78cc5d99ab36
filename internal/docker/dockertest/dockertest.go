// Package dockertest gives tests a Docker daemon and an image with a shell, made
// of this machine's static busybox so that nothing is pulled.
package dockertest

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"testing"

	"github.com/leat-dev/leat/internal/docker"
)

// Image is the name of the image with a shell.
const Image = "leat-test-shell:1"

// Shell returns a client of the daemon that DOCKER_HOST names, which has Image. It
// skips the test when there is no daemon, or no static busybox.
func Shell(t *testing.T) *docker.Client {
	t.Helper()
	c, err := docker.New(os.Getenv("DOCKER_HOST"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Skipf("no Docker daemon answers: %v; start one, or set DOCKER_HOST", err)
	}
	if _, err := c.Image(t.Context(), Image); err == nil {
		return c
	}
	archive := busybox(t)
	if err := c.Import(t.Context(), Image, bytes.NewReader(archive), `CMD ["sh", "-c", "echo the image says hello"]`, "ENV FROM_IMAGE=yes", "WORKDIR /tmp"); err != nil {
		t.Fatal(err)
	}
	return c
}

// busybox is a file system of busybox and its usual names.
func busybox(t *testing.T) []byte {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Skip("there is no busybox to make an image of: install busybox-static")
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := elf.NewFile(bytes.NewReader(program)); err != nil || f.Section(".interp") != nil {
		t.Skip("the busybox here is not static: install busybox-static")
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	put := func(h *tar.Header, body []byte) {
		h.Size = int64(len(body))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"bin/", "tmp/", "etc/"} {
		put(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o777}, nil)
	}
	put(&tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, program)
	for _, name := range []string{"sh", "sleep", "cat", "echo", "env", "kill", "wget", "pwd", "dd", "tail", "id", "ls"} {
		put(&tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "busybox", Mode: 0o777}, nil)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
