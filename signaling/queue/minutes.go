package queue

import "math"

// horizon is the longest time that is told apart, in minutes: what is later
// than four hours is four hours.
const horizon = 240

// minutes is a distribution over whole minutes from now; it sums to 1.
type minutes []float64

// sure is the distribution of a time that is known.
func sure(m int) minutes {
	d := make(minutes, horizon+1)
	d[clip(m)] = 1
	return d
}

func clip(m int) int { return max(0, min(m, horizon)) }

// mix is a with weight p, else b.
func mix(a, b minutes, p float64) minutes {
	out := make(minutes, horizon+1)
	for i := range out {
		out[i] = p*a[i] + (1-p)*b[i]
	}
	return out
}

// after is the sum of two times that do not depend on each other.
func (d minutes) after(e minutes) minutes {
	out := make(minutes, horizon+1)
	for i, p := range d {
		if p < 1e-9 {
			continue
		}
		for j, q := range e {
			out[min(i+j, horizon)] += p * q
		}
	}
	return out
}

// notBefore is the later of the time and m.
func (d minutes) notBefore(m int) minutes {
	out := make(minutes, horizon+1)
	for i, p := range d {
		out[max(i, clip(m))] += p
	}
	return out
}

// rest is what is left of a time of which spent minutes are gone. Of one that is
// longer than any that was ever seen nothing is known but that it may last as
// long again as a quarter of what it has.
func (d minutes) rest(spent int) minutes {
	out := make(minutes, horizon+1)
	sum := 0.0
	for i := max(0, spent); i <= horizon; i++ {
		out[i-max(0, spent)] = d[i]
		sum += d[i]
	}
	if sum < 1e-3 {
		return decay(max(5, float64(spent)/4))
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// upTo is the share that has come before minute m.
func (d minutes) upTo(m int) (sum float64) {
	for i := range min(m, horizon+1) {
		sum += d[i]
	}
	return sum
}

// at is the first minute by which the share q has come.
func (d minutes) at(q float64) int {
	sum := 0.0
	for i, p := range d {
		if sum += p; sum >= q-1e-9 {
			return i
		}
	}
	return horizon
}

// decay is the exponential distribution of a mean in minutes.
func decay(mean float64) minutes {
	return shape(func(x float64) float64 { return 1 - math.Exp(-x/mean) })
}

// around is the log-normal distribution of a median in minutes and a spread.
func around(median, spread float64) minutes {
	return shape(func(x float64) float64 {
		if x <= 0 {
			return 0
		}
		return 0.5 * math.Erfc(-math.Log(x/median)/(spread*math.Sqrt2))
	})
}

// shape cuts a cumulative distribution into minutes, each rounded to the
// nearest.
func shape(upTo func(float64) float64) minutes {
	d := make(minutes, horizon+1)
	before := 0.0
	for i := range d {
		x := upTo(float64(i) + 0.5)
		d[i], before = x-before, x
	}
	d[horizon] += 1 - before
	return d
}

// learnt is what was seen, each value spread over its neighbours, and the guess,
// which counts for as much as weight values.
func learnt(guess minutes, weight float64, seen []float64) minutes {
	out := make(minutes, horizon+1)
	total := weight + float64(len(seen))
	for i, p := range guess {
		out[i] = p * weight / total
	}
	for _, x := range seen {
		width := max(1, 0.15*x)
		low, high := clip(int(math.Floor(x-width))), clip(int(math.Ceil(x+width)))
		sum := 0.0
		near := func(i int) float64 { return max(0, 1-math.Abs(float64(i)-x)/(width+1)) }
		for i := low; i <= high; i++ {
			sum += near(i)
		}
		for i := low; i <= high && sum > 0; i++ {
			out[i] += near(i) / sum / total
		}
		if sum == 0 {
			out[clip(int(x))] += 1 / total
		}
	}
	return out
}
