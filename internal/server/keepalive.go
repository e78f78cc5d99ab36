package server

import (
	"net"
	"time"
)

// keepAlive says how the system finds out whether the machines of open
// connections are there. It asks often enough that no heartbeat timeout passes
// between two answers of one that lives, and lets a connection stand as long
// as its run would: who is back in time goes on with it.
func keepAlive(cfg Config) net.KeepAliveConfig {
	const idle, interval, count = 15 * time.Second, 5 * time.Second, 3
	k := net.KeepAliveConfig{Enable: true, Idle: idle, Interval: interval, Count: count}
	if limit := cfg.HeartbeatTimeout; limit > 0 {
		// Systems count in whole seconds, and Linux 127 questions at most.
		k.Idle = max(time.Second, min(idle, limit/4).Truncate(time.Second))
		k.Interval = max(time.Second, min(interval, limit/12).Truncate(time.Second))
		k.Count = min(127, max(count, int((max(limit, idle+count*interval)-k.Idle)/k.Interval)+1))
	}
	return k
}
