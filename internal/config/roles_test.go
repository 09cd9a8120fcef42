package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestRolesAndTheWireBetweenThem(t *testing.T) {
	c, err := parse(t, "--data="+filepath.Join("some", "data"))
	if err != nil || c.Role != RoleAuto || !strings.HasSuffix(c.Control.KeyFile, "some/data/keys/control") {
		t.Errorf("%+v %v", c.Control, err)
	}
	if dir := c.RunDir(); !filepath.IsAbs(dir) {
		t.Errorf("%s: a path that depends on the folder we are in", dir)
	}
	c.DataDir = strings.Repeat("/long", 40)
	long := c.RunDir()
	if len(long) > maxSocket {
		t.Errorf("%s is too long for a socket", long)
	}
	if c.DataDir += "er"; c.RunDir() == long {
		t.Error("two data folders share their sockets")
	}
	for _, bad := range [][2]string{
		{"--role=boss", "role"}, {"--control-listen=7883", "VISAVIS_CONTROL_LISTEN"}, {"--control-nodes=a:1,b", "VISAVIS_CONTROL_NODES"},
		{"--control-keep=0s", "VISAVIS_CONTROL_KEEP"}, {"--control-drain-soft=-1s", "VISAVIS_CONTROL_DRAIN_SOFT"},
		{"--control-drain-hard=1s", "VISAVIS_CONTROL_DRAIN_SOFT"},
	} {
		if _, err := parse(t, bad[0]); err == nil || !strings.Contains(err.Error(), bad[1]) {
			t.Errorf("%s: %v", bad[0], err)
		}
	}
}
