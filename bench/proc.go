package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticksPerSecond is the unit of CPU times in /proc, the same on every Linux.
const ticksPerSecond = 100

// process is what /proc tells of one.
type process struct {
	parent int
	// ticks of CPU of itself, and of its children that have ended.
	ticks int64
	// resident memory in bytes.
	resident int64
	threads  int
	command  string
}

// processes reads /proc. Processes that end meanwhile are left out.
func processes() map[int]process {
	all := map[int]process{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return all
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		data, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		if p, ok := parseStat(data); ok {
			all[pid] = p
		}
	}
	return all
}

// parseStat reads a line of /proc/PID/stat; the name in parentheses may hold
// blanks and parentheses.
func parseStat(data []byte) (process, bool) {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || end < open {
		return process{}, false
	}
	f := strings.Fields(string(data[end+1:]))
	if len(f) < 22 {
		return process{}, false
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(f[i], 10, 64)
		return n
	}
	return process{
		parent: int(number(1)), ticks: number(11) + number(12) + number(13) + number(14),
		resident: number(21) * int64(os.Getpagesize()), threads: int(number(17)), command: string(data[open+1 : end]),
	}, true
}

// usage is what a process and all its descendants have used.
type usage struct {
	cpu      float64 // seconds
	database float64 // the part of cpu that is Postgres'
	resident int64   // bytes; shared pages count once per process
	threads  int
}

// treeUsage adds up the process and its descendants. What a child used before
// it ended is in its parent's figure.
func treeUsage(root int) usage {
	all := processes()
	var u usage
	var ticks int64
	for pid := range all {
		for p, depth := pid, 0; p > 1 && depth < 64; p, depth = all[p].parent, depth+1 {
			if p == root {
				ticks += all[pid].ticks
				u.resident += all[pid].resident
				u.threads += all[pid].threads
				break
			}
		}
	}
	u.cpu = float64(ticks) / ticksPerSecond
	return u
}

// listenerOf finds the process that listens on a port of 127.0.0.1: of several
// that hold the socket the one that is no other's child.
func listenerOf(port int, command string) (int, error) {
	inode := listenInode(port)
	if inode == "" {
		return 0, fmt.Errorf("nothing listens on port %d", port)
	}
	all, held := processes(), map[int]bool{}
	for pid, p := range all {
		if p.command != command {
			continue
		}
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		files, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, f := range files {
			if to, err := os.Readlink(dir + "/" + f.Name()); err == nil && to == "socket:["+inode+"]" {
				held[pid] = true
			}
		}
	}
	for pid := range held {
		if !held[all[pid].parent] {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("no process %q that listens on port %d can be seen", command, port)
}

// listenInode finds the socket that listens on a port of 127.0.0.1.
func listenInode(port int) string {
	data, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	want := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(data)) {
		const address, state, listening, inode = 1, 3, "0A", 9
		f := strings.Fields(line)
		if len(f) > inode && strings.HasSuffix(f[address], want) && f[state] == listening {
			return f[inode]
		}
	}
	return ""
}
