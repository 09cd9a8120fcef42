package medicines

import (
	"sync/atomic"
	"time"
)

// Base is the index in service. Set puts another one in its place while requests go on; each caller that
// needs the same answer twice takes Current once. It is safe for concurrent use.
type Base struct {
	state atomic.Pointer[state]
}

type state struct {
	index *Index
	as    Edition
}

// Edition says which base is in service.
type Edition struct {
	// On is the day of the files; zero for the sample and for a folder that does not say.
	On time.Time
	// Sample tells that it is the small sample built into the program.
	Sample bool
	Count  int // specialities
}

// NewBase puts an index in service. on is the day of its files, zero when it is not known.
func NewBase(x *Index, on time.Time) *Base {
	b := &Base{}
	b.Set(x, on)
	return b
}

// Set puts another index in service.
func (b *Base) Set(x *Index, on time.Time) {
	b.state.Store(&state{x, Edition{On: on, Sample: x.IsSample(), Count: x.Len()}})
}

// Current is the index in service; it never changes.
func (b *Base) Current() *Index { return b.state.Load().index }

// Edition says which base is in service.
func (b *Base) Edition() Edition { return b.state.Load().as }

// Search is Search of the index in service.
func (b *Base) Search(query string, limit int) []Medicine { return b.Current().Search(query, limit) }

// Lookup is Lookup of the index in service.
func (b *Base) Lookup(cis string) (Medicine, bool) { return b.Current().Lookup(cis) }

// Len is Len of the index in service.
func (b *Base) Len() int { return b.Current().Len() }
