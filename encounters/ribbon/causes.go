package ribbon

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed causes.tsv
var causes string

// rule is one line of causes.tsv.
type rule struct {
	code  string
	when  []condition
	value string
	sign  string
}

// condition is a flag ("gap", "fault=offline") or a bound ("up<150").
type condition struct {
	name  string
	below bool
	bound float64
	flag  bool
}

// timed tells whether the value is how long the fault lasted.
func (r rule) timed() bool { return r.value == "ms" || r.value == "freezeMs" }

// figure names the figure that is said: "ms" is that of the fault which the rule asks for.
func (r rule) figure() string {
	for _, c := range r.when {
		if what, ok := strings.CutPrefix(c.name, "fault="); ok && r.value == "ms" {
			return "ms=" + what
		}
	}
	return r.value
}

type rules []rule

// load reads causes.tsv; it fails when a line cannot be understood.
func load() (rules, error) {
	var list rules
	for line := range strings.Lines(causes) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		r := rule{code: f[0]}
		if len(f) > 1 {
			for _, word := range strings.Fields(f[1]) {
				c, err := read(word)
				if err != nil {
					return nil, fmt.Errorf("ribbon: %s: %w", r.code, err)
				}
				r.when = append(r.when, c)
			}
		}
		if len(f) > 2 {
			r.value = f[2]
		}
		if len(f) > 3 {
			r.sign = f[3]
		}
		if !slices.Contains([]string{"yes", "no", "never"}, r.sign) {
			return nil, fmt.Errorf("ribbon: %s: signed %q", r.code, r.sign)
		}
		list = append(list, r)
	}
	return list, nil
}

func read(word string) (condition, error) {
	i := strings.IndexAny(word, "<>")
	if i < 0 {
		return condition{name: word, flag: true}, nil
	}
	n, err := strconv.ParseFloat(word[i+1:], 64)
	return condition{name: word[:i], below: word[i] == '<', bound: n}, err
}

// evidence is what is known of a stretch: figures by name, flags by name.
type evidence struct {
	figures map[string]float64
	flags   map[string]bool
}

// explain names the cause of a stretch: the first rule that holds.
func (list rules) explain(x Stretch, group []band, own Seat, call call) *Cause {
	seats, bands := call.seats, call.bands
	e := evidence{map[string]float64{}, map[string]bool{}}
	e.take(group, own, "")
	e.afterwards(group, bands[own.ID], own)
	cut, others := 0, 0
	role := own.Role
	for _, o := range seats {
		if o.ID == own.ID {
			continue
		}
		others++
		var meanwhile []band
		for _, b := range bands[o.ID] {
			if b.From.Before(x.To) && x.From.Before(b.To) {
				meanwhile = append(meanwhile, b)
			}
		}
		if worst(meanwhile) != Good {
			e.take(meanwhile, o, "other")
			role = o.Role
		}
		if slices.ContainsFunc(meanwhile, func(b band) bool { return b.word == Lost && b.From.Sub(x.From).Abs() < atOnce }) {
			cut++
		}
	}
	e.flags["both"] = x.Word == Lost && others > 0 && cut == others
	e.flags["otherLeft"] = call.left(own, x.Span)
	call.ours(&e, x)
	for _, r := range list {
		if !e.holds(r) {
			continue
		}
		value := r.figure()
		c := &Cause{Code: r.code, Value: int(math.Round(e.figures[value])), Role: own.Role, Timed: r.timed(), Signed: r.sign == "yes", Never: r.sign == "never"}
		if strings.HasPrefix(r.code, "other-") {
			c.Role = role
		}
		return c
	}
	return nil
}

// call is what is known of everybody in a call.
type call struct {
	seats     []Seat
	bands     map[string][]band
	incidents []Incident
	end       time.Time // of the last stay; zero while somebody is there
}

// newCall gathers the seats of a call; their bands are added afterwards.
func newCall(seats []Seat, incidents []Incident) call {
	c := call{seats: seats, bands: map[string][]band{}, incidents: incidents}
	for _, s := range seats {
		for _, x := range s.Stays {
			if x.To.IsZero() {
				c.end = time.Time{}
				return c
			}
			c.end = latest(c.end, x.To)
		}
	}
	return c
}

// left tells whether somebody other than own left the call during a span, before
// the call ended: what own then receives of them says nothing of own's link.
func (c call) left(own Seat, during Span) bool {
	for _, o := range c.seats {
		for _, x := range o.Stays {
			if o.ID != own.ID && !x.To.IsZero() && (c.end.IsZero() || x.To.Before(c.end)) && !x.To.Before(during.From.Add(-near)) && !x.To.After(during.To) {
				return true
			}
		}
	}
	return false
}

// ours flags the faults of our own that the server measured during a stretch.
func (c call) ours(e *evidence, x Stretch) {
	for _, i := range c.incidents {
		if i.At.Before(x.From.Add(-near)) || i.At.After(x.To.Add(near)) {
			continue
		}
		switch {
		case i.Code == "node_lost" && i.Seat == x.Seat && !i.At.After(x.To):
			e.flags["node-lost"] = true
		case i.Code == "app_restarted":
			e.flags["app-restarted"] = true
		}
	}
}

// afterwards reads the faults of the report that follows a stretch: a client
// reports a fault when it ends.
func (e *evidence) afterwards(group, all []band, s Seat) {
	end := group[len(group)-1].To
	for _, b := range all {
		if b.To.After(end) && b.From.Sub(end) < near {
			e.faults(b, s, "")
			return
		}
	}
}

// faults reads what a device said of itself. Nothing that it says lasted longer than
// its person was there until then.
func (e *evidence) faults(b band, s Seat, prefix string) {
	for _, f := range b.sample.Faults {
		e.flags[prefix+"fault="+f.What] = true
		if prefix == "" {
			e.figures["ms="+f.What] = max(e.figures["ms="+f.What], min(float64(f.Ms), s.there(b.To)))
		}
	}
}

// there is how long the person of a seat was in the call until a time, in
// milliseconds; without any stay, no bound is known.
func (s Seat) there(until time.Time) float64 {
	if len(s.Stays) == 0 {
		return math.Inf(1)
	}
	var long time.Duration
	for _, x := range s.Stays {
		to := until
		if !x.To.IsZero() && x.To.Before(to) {
			to = x.To
		}
		long += max(0, to.Sub(x.From))
	}
	return float64(long.Milliseconds())
}

// take reads a group of bands into the evidence, under a prefix for others.
func (e *evidence) take(group []band, s Seat, prefix string) {
	name := func(n string) string {
		if prefix == "" {
			return n
		}
		return prefix + strings.ToUpper(n[:1]) + n[1:]
	}
	note := func(n string, v float64, low bool) {
		old, ok := e.figures[name(n)]
		if ok && (low && v >= old || !low && v <= old) {
			return
		}
		e.figures[name(n)] = v
	}
	frozen := 0.0
	for _, b := range group {
		if b.gap {
			e.flags[name("gap")] = true
			continue
		}
		x := b.sample
		if b.word != Good {
			for n, v := range map[string]*int{"up": x.Up, "down": x.Down} {
				if v == nil {
					continue
				}
				note(n, float64(*v), true)
				if well := usually(s, n); well > 0 {
					note(n+"Of", 100*float64(*v)/well, true)
				} else {
					note(n+"Of", 0, true)
				}
			}
			for n, v := range map[string]*int{"upLoss": x.UpLoss, "downLoss": x.DownLoss, "rtt": x.RTT} {
				if v != nil {
					note(n, float64(*v), false)
				}
			}
			// A freeze is reported when it ends: it may have begun before its sample, yet not before the stretch.
			frozen = min(frozen+float64(x.FreezeMs), s.there(b.To), float64(b.To.Sub(group[0].From).Milliseconds()))
			note("freezeMs", frozen, false)
		}
		e.faults(b, s, prefix)
	}
}

// usually is the middle of a rate while it went well; 0 when it never did.
func usually(s Seat, what string) float64 {
	var list []int
	for _, x := range s.Samples {
		v := x.Up
		if what == "down" {
			v = x.Down
		}
		if v != nil && wordOf(x) == Good {
			list = append(list, *v)
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return float64(list[len(list)/2])
}

func (e *evidence) holds(r rule) bool {
	for _, c := range r.when {
		if c.flag {
			if !e.flags[c.name] {
				return false
			}
			continue
		}
		v, known := e.figures[c.name]
		if !known || c.below && v >= c.bound || !c.below && v <= c.bound {
			return false
		}
	}
	return true
}

// Codes lists the causes there are; each needs its text.
func Codes() (codes []string) {
	list, err := load()
	if err != nil {
		return nil
	}
	for _, r := range list {
		codes = append(codes, r.code)
	}
	return codes
}

// Signed tells whether a cause may stand in a signed document.
func Signed(code string) bool {
	list, err := load()
	return err == nil && slices.ContainsFunc(list, func(r rule) bool { return r.code == code && r.sign == "yes" })
}
