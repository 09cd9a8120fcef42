package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The roles of a process (house §4).
const (
	RoleAuto  = "auto"  // a supervisor of app and media
	RoleApp   = "app"   // API, signalling, jobs, pages
	RoleMedia = "media" // SFU and TURN
	RoleAll   = "all"   // both in one process
)

// Control is the wire between app and media (docs/control.md).
type Control struct {
	Listen  string        `env:"VISAVIS_CONTROL_LISTEN" help:"host:port at which a media role hears an application on another machine; a socket of this machine when empty."`
	Nodes   []string      `env:"VISAVIS_CONTROL_NODES" placeholder:"host:port,…" help:"Media roles on other machines. Those that share our Redis are found without being named."`
	KeyFile string        `env:"VISAVIS_CONTROL_KEY_FILE" type:"path" help:"Key that app and media roles share; keys/control in the data folder when empty. Copy it to the other machines."`
	Keep    time.Duration `env:"VISAVIS_CONTROL_KEEP" default:"10m" help:"How long calls go on without an application."`
	// The steps of a media role that is told to stop (trust B12).
	DrainSoft time.Duration `env:"VISAVIS_CONTROL_DRAIN_SOFT" default:"10m" help:"How long the calls of a media role that is told to stop go on where they are, before they are moved to another."`
	DrainHard time.Duration `env:"VISAVIS_CONTROL_DRAIN_HARD" default:"4h" help:"How long a media role that is told to stop waits for its calls to end or to move."`
}

func (c *Control) check(data string) error {
	if c.KeyFile == "" {
		c.KeyFile = filepath.Join(data, "keys", "control")
	}
	var errs []error
	for _, addr := range append([]string{c.Listen}, c.Nodes...) {
		if _, _, err := net.SplitHostPort(addr); err != nil && addr != "" {
			errs = append(errs, errors.New("control-listen, control-nodes (VISAVIS_CONTROL_LISTEN, VISAVIS_CONTROL_NODES): must be host:port"))
		}
	}
	if c.Keep <= 0 {
		errs = append(errs, errors.New("control-keep (VISAVIS_CONTROL_KEEP): must be more than zero"))
	}
	if c.DrainSoft < 0 || c.DrainHard < c.DrainSoft {
		errs = append(errs, errors.New("control-drain-soft, control-drain-hard (VISAVIS_CONTROL_DRAIN_SOFT, _HARD): must not be negative, and the second no shorter than the first"))
	}
	return errors.Join(errs...)
}

// maxSocket is how long the path of a Unix socket may be, with room for its name.
const maxSocket = 80

// RunDir is the folder of the sockets between the roles of this machine: in the
// data folder, or where temporary files are when its path is too long for one.
func (c *Config) RunDir() string {
	dir, err := filepath.Abs(filepath.Join(c.DataDir, "run"))
	if err == nil && len(dir) <= maxSocket {
		return dir
	}
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join(os.TempDir(), "visavis-"+hex.EncodeToString(sum[:8]))
}
