package lang

import (
	"io/fs"
	"path"
)

// subFS is fs.Sub with nothing to fail: the folder is embedded.
type subFS struct {
	fs.FS
	dir string
}

// Open opens name under the folder.
func (s subFS) Open(name string) (fs.File, error) { return s.FS.Open(path.Join(s.dir, name)) }
