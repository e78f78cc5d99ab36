package cli

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// progress says on the standard error what is being done. On a terminal it adds
// how long that has taken; the function that it returns ends the line.
func (e *Env) progress(format string, args ...any) (done func()) {
	what := fmt.Sprintf(format, args...)
	if !isTerminal(e.Stderr) {
		e.note("%s …", what)
		return func() {}
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	began := e.Now()
	_, _ = fmt.Fprintf(e.Stderr, "%s …", what)
	group.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				_, _ = fmt.Fprintln(e.Stderr)
				return
			case <-tick.C:
				_, _ = fmt.Fprintf(e.Stderr, "\r%s … %s", what, roughly(e.Now().Sub(began)))
			}
		}
	})
	return sync.OnceFunc(func() {
		close(stop)
		group.Wait()
	})
}

// isTerminal reports whether a person reads a stream.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
