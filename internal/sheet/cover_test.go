package sheet

import (
	"testing"
	"time"
)

// B16: a letter to post shows where it goes and says nothing but titles.
func TestCover(t *testing.T) {
	pdf, err := press(t).Cover("Maison médicale des Lilas", "Anne N'GUESSAN-LEFÈVRE", "12 bis rue de la République", "93260", "Les Lilas",
		[]string{"Compte-rendu de téléconsultation", "Ordonnance"}, time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	sound(t, "cover", pdf)
	expect(t, "cover", words(t, pdf), "Maison médicale des Lilas", "Anne N'GUESSAN-LEFÈVRE", "12 bis rue de la République", "93260 LES LILAS",
		"Personnel et confidentiel", "Compte-rendu de téléconsultation", "Ordonnance", "5 janvier 2026")
}
