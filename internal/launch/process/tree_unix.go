//go:build unix && !linux

package process

import "syscall"

// belongs reports whether a process lives; whose it is can't be told here.
func belongs(pid int, _ string) bool { return syscall.Kill(pid, 0) == nil }

// tree stands for the group of a run's first process.
func tree(w *work) []int {
	if syscall.Kill(-w.pid, 0) != nil {
		return nil
	}
	return []int{w.pid}
}

// signalTree asks the processes of a run's group to end, or forces them.
func signalTree(w *work, force bool) {
	signal := syscall.SIGTERM
	if force {
		signal = syscall.SIGKILL
	}
	_ = syscall.Kill(-w.pid, signal)
}
