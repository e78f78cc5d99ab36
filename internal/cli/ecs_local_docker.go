package cli

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/leat-dev/leat/internal/ecslocal"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/launch/docker"
)

// dockerImages are the images of a Docker daemon.
type dockerImages struct{ launcher *docker.Launcher }

var _ ecslocal.Images = dockerImages{}

// Pull implements ecslocal.Images: an image that is here is not pulled.
func (d dockerImages) Pull(ctx context.Context, name string) (ecslocal.Image, error) {
	image, err := d.launcher.Image(ctx, &launch.Container{Image: name})
	if err != nil {
		return ecslocal.Image{}, err
	}
	return ecslocal.Image{
		EntryPoint: image.Config.Entrypoint, Command: image.Config.Cmd, Dir: image.Config.WorkingDir, Env: image.Config.Env, Digest: image.ID,
	}, nil
}

// reach finds how containers reach a listener of this machine, which they know as
// host.docker.internal. One on the loopback alone is out of their reach on Linux,
// and gets a companion on the address of Docker's bridge, which no other machine
// reaches; Docker Desktop has no such address here, and needs none.
func (d dockerImages) reach(ctx context.Context, addr *net.TCPAddr) (string, net.Listener, error) {
	url := "http://host.docker.internal:" + strconv.Itoa(addr.Port)
	if !addr.IP.IsLoopback() {
		return url, nil, nil
	}
	gateway, err := d.launcher.Client.Gateway(ctx, "bridge")
	if err != nil {
		return "", nil, fmt.Errorf("find Docker's bridge: %w", err)
	}
	if !ownAddress(gateway) {
		return url, nil, nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(gateway, strconv.Itoa(addr.Port)))
	if err != nil {
		return "", nil, fmt.Errorf("listen for containers: %w", err)
	}
	return url, l, nil
}

// ownAddress tells whether an address is one of this machine's.
func ownAddress(address string) bool {
	all, _ := net.InterfaceAddrs()
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.String() == address {
			return true
		}
	}
	return false
}
