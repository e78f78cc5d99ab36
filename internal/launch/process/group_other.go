//go:build !unix

package process

import (
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

// belongs can't be told here.
func belongs(int, string) bool { return false }

// tree stands for a run's first process.
func tree(w *work) []int {
	if w.Ended() {
		return nil
	}
	return []int{w.pid}
}

// signalTree forces: there is no way to ask here.
func signalTree(w *work, _ bool) {
	if p, err := os.FindProcess(w.pid); err == nil && !w.Ended() {
		_ = p.Kill()
	}
}
