package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// proc is what /proc tells of a process.
type proc struct{ pid, parent, group int }

// readProc reads a process; a zombie counts as gone.
func readProc(pid int) (proc, bool) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, false
	}
	// The name in parentheses may hold anything, parentheses too.
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return proc{}, false
	}
	fields := strings.Fields(string(data[end+1:]))
	if len(fields) < 3 || fields[0] == "Z" || fields[0] == "X" {
		return proc{}, false
	}
	parent, _ := strconv.Atoi(fields[1])
	group, _ := strconv.Atoi(fields[2])
	return proc{pid, parent, group}, true
}

// marked reports whether a process was started with a run's marker.
func marked(pid int, run string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if string(v) == marker+"="+run {
			return true
		}
	}
	return false
}

// belongs reports whether a process lives and was started for a run.
func belongs(pid int, run string) bool {
	_, alive := readProc(pid)
	return alive && marked(pid, run)
}

// tree lists the living processes of a run: the group of its first process, the
// descendants of those, and all that carry the run's marker.
func tree(w *work) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []proc
	mine := map[int]bool{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, alive := readProc(pid)
		if !alive {
			continue
		}
		all = append(all, p)
		// A number is the group's for certain only while its leader lives unreaped.
		if marked(pid, w.Run()) || (p.group == w.pid && !w.Ended()) {
			mine[pid] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if !mine[p.pid] && mine[p.parent] {
				mine[p.pid], grown = true, true
			}
		}
	}
	var pids []int
	for _, p := range all {
		if mine[p.pid] {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// signalTree asks all processes of a run to end, or forces them.
func signalTree(w *work, force bool) {
	signal := syscall.SIGTERM
	if force {
		signal = syscall.SIGKILL
	}
	group := 0
	if !w.Ended() && syscall.Kill(-w.pid, signal) == nil {
		group = w.pid
	}
	for _, pid := range tree(w) {
		if p, alive := readProc(pid); alive && (p.group != group || group == 0) {
			_ = syscall.Kill(pid, signal)
		}
	}
}
