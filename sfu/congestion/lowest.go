package congestion

// lowest is the least of the values of one to two spans of time. What packets
// waited at random has a least near none; what they waited in a queue has not.
type lowest struct {
	started   bool
	now, last int64
	since     int64
}

func (l *lowest) add(v, at, span int64) {
	switch {
	case !l.started || at-l.since >= 2*span: // nothing was heard for long
		*l = lowest{true, v, v, at}
	case at-l.since >= span:
		l.now, l.last, l.since = v, l.now, at
	default:
		l.now = min(l.now, v)
	}
}

func (l *lowest) value() int64 { return min(l.now, l.last) }
