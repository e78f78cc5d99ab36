//go:build linux && !386 && !s390x

package api

import (
	"encoding/binary"
	"net"
	"syscall"
	"time"
	"unsafe"
)

// Offsets in Linux' struct tcp_info, in bytes; the values are milliseconds.
const (
	lastDataReceived = 52
	lastAckReceived  = 56
)

// silenceOf asks the system, which sees the answers to its keep-alive probes.
func silenceOf(c *net.TCPConn) time.Duration {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var info [60]byte
	size := uint32(len(info))
	failed := syscall.Errno(0)
	err = raw.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	if err != nil || failed != 0 || int(size) < len(info) {
		return 0
	}
	ago := min(binary.NativeEndian.Uint32(info[lastDataReceived:]), binary.NativeEndian.Uint32(info[lastAckReceived:]))
	return time.Duration(ago) * time.Millisecond
}
