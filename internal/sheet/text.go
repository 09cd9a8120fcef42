package sheet

import (
	"slices"
	"strings"

	"visavis/internal/typography"
)

// pointsPerMillimetre turns the size of type into the unit of the page.
const pointsPerMillimetre = 72 / 25.4

// measure is the width of one line of cleaned text, in millimetres.
func measure(t text, line string) float64 {
	return typography.Width(line, t.bold) * t.size / pointsPerMillimetre
}

// clean writes a text as documents carry it, and notes what cannot be printed.
func (c *canvas) clean(s string) string {
	s = typography.Clean(strings.TrimSpace(s))
	for _, r := range typography.Unprintable(s) {
		if !slices.Contains(c.lost, r) {
			c.lost = append(c.lost, r)
		}
	}
	return s
}

// wrap cuts a text into lines of w millimetres; none for an empty one.
func (c *canvas) wrap(w float64, t text, s string) []string {
	if s = c.clean(s); s == "" {
		return nil
	}
	return typography.Wrap(s, w, func(line string) float64 { return measure(t, line) })
}

// fit cuts a line with an ellipsis so that it holds on w millimetres.
func (c *canvas) fit(t text, s string, w float64) string {
	return typography.Fit(strings.ReplaceAll(s, "\n", " "), w, func(line string) float64 { return measure(t, line) })
}

// set prints one line at x, h millimetres high, on a new page when it does not hold on this one. The cursor
// stays on the line.
func (c *canvas) set(x float64, t text, h float64, line string) {
	c.use(t)
	c.SetX(x)
	for _, run := range typography.Runs(typography.Visual(line)) {
		c.choose(t, run.Wide)
		for _, r := range run.Text {
			c.drawn[r] = true
		}
		c.CellFormat(measureRun(t, run), h, run.Text, "", 0, "L", false, 0, "")
	}
}

func measureRun(t text, run typography.Run) float64 {
	return typography.RunWidth(run, t.bold) * t.size / pointsPerMillimetre
}

// choose sets the font of a run; the wide fonts are added to the file when they are needed.
func (c *canvas) choose(t text, wide bool) {
	family, style := "a", ""
	if t.bold {
		style = "B"
	}
	if wide {
		family = "w"
		if !c.wide[t.bold] {
			c.AddUTF8FontFromBytes(family, style, typography.Font(true, t.bold))
			c.wide[t.bold] = true
		}
	}
	c.SetFont(family, style, t.size)
}
