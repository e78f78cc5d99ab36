package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/client"
)

// fileSink writes rows as lines of JSON: into a file of each kind in a
// directory, or into one file whose lines say their kind.
type fileSink struct {
	mu     sync.Mutex
	dir    string
	single *lines
	open   map[Kind]*lines
}

// lines is a file being written.
type lines struct {
	file *os.File
	zip  *gzip.Writer // nil for a plain file
	buf  *bufio.Writer
}

func createLines(path string) (*lines, error) {
	// What is exported may hold secrets.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	l := &lines{file: file}
	if strings.HasSuffix(path, ".gz") {
		l.zip = gzip.NewWriter(file)
		l.buf = bufio.NewWriter(l.zip)
	} else {
		l.buf = bufio.NewWriter(file)
	}
	return l, nil
}

func (l *lines) close() error {
	errs := []error{l.buf.Flush()}
	if l.zip != nil {
		errs = append(errs, l.zip.Close())
	}
	return errors.Join(append(errs, l.file.Sync(), l.file.Close())...)
}

// isFile reports whether the name is that of one file rather than of a directory.
func isFile(path string) bool {
	return strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".jsonl.gz")
}

// newFileSink makes the file or the directory, which must hold no export yet.
func newFileSink(path string) (*fileSink, error) {
	s := &fileSink{dir: path, open: map[Kind]*lines{}}
	if isFile(path) {
		var err error
		s.single, err = createLines(path)
		return s, err
	}
	return s, os.MkdirAll(path, 0o700)
}

// put implements sink.
func (s *fileSink) put(_ context.Context, k Kind, rows []json.RawMessage) (client.ImportResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to, before, after := s.single, `{"kind":"`+string(k)+`","row":`, "}\n"
	if to == nil {
		before, after = "", "\n"
		if to = s.open[k]; to == nil {
			var err error
			if to, err = createLines(filepath.Join(s.dir, string(k)+".jsonl")); err != nil {
				return client.ImportResult{}, err
			}
			s.open[k] = to
		}
	}
	for _, raw := range rows {
		var flat bytes.Buffer
		if err := json.Compact(&flat, raw); err != nil {
			return client.ImportResult{}, err
		}
		for _, part := range []string{before, flat.String(), after} {
			if _, err := to.buf.WriteString(part); err != nil {
				return client.ImportResult{}, err
			}
		}
	}
	return client.ImportResult{Created: len(rows)}, nil
}

// known implements sink: files hold nothing yet.
func (s *fileSink) known(context.Context, string, []client.ImportVersion) (client.ImportAnswer, error) {
	return client.ImportAnswer{}, nil
}

// finish implements sink.
func (s *fileSink) finish(context.Context, string, time.Time) error { return nil }

// close ends the files.
func (s *fileSink) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.single != nil {
		errs = append(errs, s.single.close())
	}
	for _, l := range s.open {
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

// maxLine is the length in bytes of the longest row that is read from a file.
const maxLine = 256 << 20

// readLines calls each with every line of a file of JSON lines.
func readLines(path string, each func(json.RawMessage) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var in io.Reader = bufio.NewReaderSize(file, 1<<16)
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 1<<16), maxLine)
	for n := 1; scan.Scan(); n++ {
		raw := bytes.TrimSpace(scan.Bytes())
		if len(raw) == 0 {
			continue
		}
		if !json.Valid(raw) {
			return fmt.Errorf("%s: line %d is not JSON", path, n)
		}
		if err := each(bytes.Clone(raw)); err != nil {
			return err
		}
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// ImportFiles copies an export, a file or a directory, into a leat server. The
// report is there also when the copy broke off.
func ImportFiles(ctx context.Context, path string, to Source, o Options) (*Report, error) {
	target, err := newAPI(to, o.Version)
	if err != nil {
		return nil, err
	}
	leat := newLeatSink(target, o.Paused)
	var into sink = leat
	if o.DryRun {
		into = drySink{leat}
	}
	if _, err := leat.known(ctx, path, nil); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	r := newReport(path, target.c.URL(), o.Now, o.Progress)
	c := &copying{into: into, report: r, o: o}
	if info.IsDir() {
		err = c.directory(ctx, path)
	} else {
		err = c.singleFile(ctx, path)
	}
	r.end(err == nil)
	return r, err
}

// directory copies the files of the kinds in their order.
func (c *copying) directory(ctx context.Context, dir string) error {
	found := false
	for _, k := range Kinds() {
		path := filepath.Join(dir, string(k)+".jsonl")
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if found = true; !c.o.wants(k) {
			continue
		}
		b := batch{c: c}
		err = readLines(path, func(raw json.RawMessage) error { return b.add(ctx, k, raw) })
		if err == nil {
			err = b.flush(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k.words(), err)
		}
	}
	if !found {
		return fmt.Errorf("%s holds no export: there is no file like %s.jsonl", dir, Flows)
	}
	return nil
}

// singleFile copies a file whose lines say their kind.
func (c *copying) singleFile(ctx context.Context, path string) error {
	b := batch{c: c}
	err := readLines(path, func(raw json.RawMessage) error {
		var l struct {
			Kind Kind            `json:"kind"`
			Row  json.RawMessage `json:"row"`
		}
		if json.Unmarshal(raw, &l) != nil || l.Kind == "" || l.Row == nil {
			return fmt.Errorf(`%s: a line is not {"kind": …, "row": …}: %.60s`, path, raw)
		}
		if !c.o.wants(l.Kind) {
			return nil
		}
		return b.add(ctx, l.Kind, l.Row)
	})
	if err != nil {
		return err
	}
	return b.flush(ctx)
}

// batch gathers rows of one kind.
type batch struct {
	c    *copying
	kind Kind
	rows []json.RawMessage
	size int
}

func (b *batch) add(ctx context.Context, k Kind, raw json.RawMessage) error {
	// Equal lines of a run are told apart by their number within a batch, so a
	// batch of lines is larger than what a writer sends at once.
	rows, bytes := maxRows, maxBytes
	if k == Logs {
		rows, bytes = maxHeld, 8*maxBytes
	}
	if k != b.kind || len(b.rows) >= rows || b.size >= bytes {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.kind, b.rows, b.size = k, append(b.rows, raw), b.size+len(raw)
	return nil
}

func (b *batch) flush(ctx context.Context) error {
	if len(b.rows) == 0 {
		return nil
	}
	err := b.c.pass(ctx, b.kind)(b.rows)
	b.rows, b.size = nil, 0
	return err
}
