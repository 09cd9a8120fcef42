package refusals

import (
	"hash/maphash"
	"slices"

	"visavis/internal/authz"
)

// The bounds of the lists of what was tried. Refusals of junk must not hide which
// records somebody tried, before or after it: each different target of a span is
// in an entry, up to these bounds; beyond them an entry has the latest ones and
// the number of those it leaves out, and an alarm is raised (listIncomplete).
const (
	maxTargets  = 20_000  // of one person in a span
	kindTargets = 500     // of one kind of thing, whatever the other kinds took
	maxKinds    = 64      // kinds of things that have a sum of their own
	listed      = 200     // targets in one entry
	maxRoom     = 500_000 // hashes of targets remembered of everybody, 8 bytes each and the map
)

// listIncomplete is the reason that a rule counts when a target is left out.
const listIncomplete = "list-incomplete"

// room counts what is remembered of the targets of everybody.
type room struct {
	seed maphash.Seed
	used int
}

func (r *room) hash(object string) uint64 { return maphash.String(r.seed, object) }

// tried is which targets of a span an entry tells of, by kind of thing.
type tried map[string]map[uint64]struct{}

func (t tried) size() (n int) {
	for _, kind := range t {
		n += len(kind)
	}
	return n
}

func (t tried) has(kind string, key uint64) bool {
	_, known := t[kind][key]
	return known
}

// add keeps a target.
func (t tried) add(kind string, key uint64, room *room) {
	if t.has(kind, key) {
		return
	}
	if t[kind] == nil {
		t[kind] = map[uint64]struct{}{}
	}
	t[kind][key] = struct{}{}
	room.used++
}

func (t tried) forget(room *room) {
	room.used -= t.size()
	clear(t)
}

// sum is what had no entry of its own since the last sum, of one kind of thing.
type sum struct {
	count    int
	what     refusal             // of all of them, or several
	objects  map[uint64]struct{} // different ones, as long as there is room
	targets  []string            // new in the span
	late     []string            // beyond the bounds: the latest ones, at most listed
	unlisted int                 // different ones that late lost
}

func newSum(what refusal) *sum { return &sum{what: what, objects: map[uint64]struct{}{}} }

// add counts a refusal. It tells whether a target was left out of the list.
func (s *sum) add(what refusal, kind, id string, key uint64, known tried, room *room) (lost bool) {
	if s.what.action != what.action {
		s.what.action = several
	}
	if s.what.reason != what.reason {
		s.what.reason = several
	}
	if s.what.object != what.object {
		s.what.object, s.what.sum = kind, true
	}
	s.count++
	_, again := s.objects[key]
	if !again && room.used < maxRoom {
		s.objects[key] = struct{}{}
		room.used++
	}
	if id == "" || again || known.has(kind, key) {
		return false
	}
	if kind == several {
		id = what.object
	}
	if room.used < maxRoom && (len(known[kind]) < kindTargets || known.size() < maxTargets) {
		known.add(kind, key, room)
		s.targets = append(s.targets, id)
		return false
	}
	if slices.Contains(s.late, id) { // no room to remember it
		return false
	}
	s.late = append(s.late, id)
	if len(s.late) <= listed {
		return false
	}
	s.late = slices.Delete(s.late, 0, 1)
	s.unlisted++
	return true
}

// entries gives the sum as entries of at most listed targets. Their counts add up
// to what was refused.
func (s *sum) entries(a authz.Actor) []entry {
	first := entry{actor: a, what: s.what, count: s.count, objects: max(len(s.objects), 1), unlisted: s.unlisted}
	list := []entry{first}
	if !s.what.sum { // of one object, which it names
		return list
	}
	for n, part := range slices.Collect(slices.Chunk(slices.Concat(s.targets, s.late), listed)) {
		if n == 0 {
			list[0].targets = part
			continue
		}
		list[0].count -= len(part)
		list[0].objects = max(list[0].objects-len(part), 1)
		list = append(list, entry{actor: a, what: s.what, count: len(part), objects: len(part), targets: part})
	}
	return list
}

func (s *sum) forget(room *room) { room.used -= len(s.objects) }
