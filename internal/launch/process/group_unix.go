//go:build unix

package process

import (
	"os"
	"syscall"
)

// ownGroup makes a process the leader of a session and group of its own, so that
// signals from a terminal reach leat alone.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// exitCode is the exit status, or below zero the signal.
func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return -int(status.Signal())
	}
	return state.ExitCode()
}
