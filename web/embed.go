// Package web carries the built front end (web/dist) inside the binary.
//
// The folder is filled by "npm run build"; without a build it holds only
// .gitkeep, so that the Go code compiles on its own and the server can say
// that the pages were not built.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is the built front end: index.html, and hashed files under assets/
// that may be cached for ever.
func Files() (fs.FS, error) {
	return fs.Sub(dist, "dist")
}
