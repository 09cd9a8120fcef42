package refusals

import (
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"visavis/internal/authz"
	"visavis/internal/care"
)

// The bounds of what is kept of one person, and of what is written.
const (
	maxRules   = 32
	maxPeople  = 2000             // whom something is remembered of
	maxObjects = 500              // of one person, for the alarms
	maxAreas   = 8                // kinds of objects named in an alarm
	span       = 10 * time.Minute // after which a first refusal is one again
	firsts     = 50               // entries of their own, of one person in a span
	firstWait  = 2 * time.Second  // between two sums of one person, doubled
	lastWait   = 10 * time.Second // up to this
	remembered = 24 * time.Hour   // the longest window of rules.tsv
)

// refusal is what an entry tells.
type refusal struct {
	action authz.Action
	object string
	reason string
	sum    bool // of different objects: object is their kind
}

// several is what a sum of different refusals is about.
const several = "several"

// entry waits to be written.
type entry struct {
	actor    authz.Actor
	org      care.OrganizationID
	what     refusal
	count    int
	objects  int      // different ones in a sum; 0 in an entry of its own
	targets  []string // ids that the sum is the first to tell of, at most listed
	unlisted int      // different ids that it leaves out
}

// person is what is remembered of one actor.
type person struct {
	actor authz.Actor
	last  time.Time

	// Of the entries.
	spanAt time.Time
	seen   map[refusal]bool // had an entry of their own in the span
	tried  tried            // targets that an entry of the span tells of
	fresh  []entry          // wait for it to be written
	sums   map[string]*sum  // by kind of object
	sumAt  time.Time        // the next sums, not before
	wait   time.Duration

	// Of the alarms.
	objects map[uint64]mark
	counts  [maxRules]counter
}

// mark is an object that a person was refused.
type mark struct {
	last  time.Time
	rules uint32 // that counted it
}

// counter is where one rule stands.
type counter struct {
	times  []time.Time // the last refusals, at most the threshold of them
	began  time.Time
	last   time.Time
	count  int
	areas  []string
	alarm  string    // id of the one that was raised; empty for none
	until  time.Time // the alarm's window ends
	raised bool      // to be written
	grown  bool      // has more to tell
}

func newPerson(a authz.Actor, now time.Time) *person {
	return &person{actor: a, spanAt: now, seen: map[refusal]bool{}, tried: tried{}, sums: map[string]*sum{}, objects: map[uint64]mark{}}
}

// note takes one refusal for the entries. It tells whether the list of what was
// tried has lost a target.
func (p *person) note(what refusal, now time.Time, room *room) (lost bool) {
	if now.Sub(p.spanAt) >= span {
		p.spanAt = now
		clear(p.seen)
		p.tried.forget(room)
	}
	kind, id, _ := strings.Cut(what.object, "/")
	key := room.hash(what.object)
	if !p.seen[what] && len(p.seen) < firsts {
		p.seen[what] = true
		if id != "" {
			p.tried.add(kind, key, room)
		}
		p.fresh = append(p.fresh, entry{actor: p.actor, what: what, count: 1})
		return false
	}
	if p.sums[kind] == nil {
		if len(p.sums) >= maxKinds {
			kind = several
		}
		if p.sums[kind] == nil {
			p.sums[kind] = newSum(what)
		}
	}
	return p.sums[kind].add(what, kind, id, key, p.tried, room)
}

// due gives the entries to write now, all with everything.
func (p *person) due(now time.Time, everything bool, room *room) (list []entry) {
	list, p.fresh = p.fresh, nil
	if len(p.sums) == 0 || now.Before(p.sumAt) && !everything {
		return list
	}
	for _, kind := range slices.Sorted(maps.Keys(p.sums)) {
		list = append(list, p.sums[kind].entries(p.actor)...)
		p.sums[kind].forget(room)
	}
	clear(p.sums)
	p.wait = min(max(firstWait, 2*p.wait), lastWait)
	p.sumAt = now.Add(p.wait)
	return list
}

// forget frees the room that the targets of a person take, who is no longer watched.
func (p *person) forget(room *room) {
	p.tried.forget(room)
	for _, s := range p.sums {
		s.forget(room)
	}
}

// pending tells whether anything waits to be written.
func (p *person) pending() bool {
	changed := slices.ContainsFunc(p.counts[:], func(c counter) bool { return c.raised || c.grown })
	return len(p.fresh) > 0 || len(p.sums) > 0 || changed
}

// watch counts n equal refusals for the alarms; set are the rules that count it.
func (p *person) watch(rules []Rule, set uint32, what refusal, n int, at time.Time, seed maphash.Seed, newID func() string) {
	if set == 0 {
		return
	}
	if !what.sum && what.object != several {
		p.mark(maphash.String(seed, what.object)^uint64(set), mark{at, set})
	}
	for rest := set; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros32(rest)
		c := &p.counts[i]
		c.add(rules[i], what.object, n, at)
		if c.alarm != "" {
			c.grown = true
			continue
		}
		if c.full(rules[i], at) && (!rules[i].Objects || p.distinct(i, at.Add(-rules[i].Window)) >= rules[i].Threshold) {
			c.alarm, c.until, c.raised = newID(), at.Add(rules[i].Window), true
		}
	}
}

// mark remembers an object; beside too many it takes the place of the oldest.
func (p *person) mark(key uint64, m mark) {
	if _, known := p.objects[key]; !known && len(p.objects) >= maxObjects {
		var oldest uint64
		var at time.Time
		for k, o := range p.objects {
			if at.IsZero() || o.last.Before(at) {
				oldest, at = k, o.last
			}
		}
		delete(p.objects, oldest)
	}
	p.objects[key] = m
}

// distinct counts the objects that a rule counted since an instant.
func (p *person) distinct(rule int, since time.Time) (n int) {
	for _, m := range p.objects {
		if m.rules&(1<<rule) != 0 && m.last.After(since) {
			n++
		}
	}
	return n
}

func (c *counter) add(r Rule, object string, n int, at time.Time) {
	quiet := len(c.times) == 0 || at.Sub(c.times[len(c.times)-1]) >= r.Window
	if over := c.alarm != "" && !at.Before(c.until); over || quiet && c.alarm == "" {
		*c = counter{began: at}
	}
	c.count += n
	c.last = at
	for range min(n, r.Threshold) {
		c.times = append(c.times, at)
	}
	if extra := len(c.times) - r.Threshold; extra > 0 {
		c.times = slices.Delete(c.times, 0, extra)
	}
	area, _, _ := strings.Cut(object, "/")
	if !slices.Contains(c.areas, area) && len(c.areas) < maxAreas {
		c.areas = append(c.areas, area)
	}
}

// full tells whether the threshold of refusals was reached within the window.
func (c *counter) full(r Rule, at time.Time) bool {
	return len(c.times) >= r.Threshold && at.Sub(c.times[0]) < r.Window
}
