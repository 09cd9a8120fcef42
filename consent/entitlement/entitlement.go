// Package entitlement tells who may decide about an act of care for a patient
// who is a minor, or an adult under protection, and how it is known who they
// are. The rules are dated data (rules.tsv) with their source.
package entitlement

import (
	_ "embed" // the dated rules are data
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed rules.tsv
var rulesTSV string

// Proof is how it is known who the deciding person is.
type Proof string

// The proofs.
const (
	OnFile   Proof = "on-file"  // a code was sent to the contact that the patient's file has of them
	Attested Proof = "attested" // the professional saw their identity document
	Self     Proof = "self"     // the patient decides alone
)

// Ground is why the holders of parental authority are not told; empty for an
// ordinary decision.
type Ground string

// The grounds.
const (
	Ordinary      Ground = ""
	Secrecy       Ground = "secrecy"       // CSP L1111-5
	Contraception Ground = "contraception" // CSP L5134-1
)

// Document is an identity document that a professional saw (RNIV: the
// high-confidence documents).
type Document string

// The documents.
const (
	IdentityCard    Document = "identity-card"
	Passport        Document = "passport"
	ResidencePermit Document = "residence-permit"
	DigitalIdentity Document = "digital-identity" // France Identité
)

// KnownDocument tells whether d is one of the documents.
func KnownDocument(d Document) bool {
	return slices.Contains([]Document{IdentityCard, Passport, ResidencePermit, DigitalIdentity}, d)
}

// Rule is one relation that may decide.
type Rule struct {
	Relation string
	Minor    bool // for a minor; else for an adult
	Ground   Ground
	From     time.Time
	Proofs   []Proof
	Source   string
}

// Rules are all of them, of every date.
type Rules struct{ all []Rule }

// Load reads the rules. It fails on a line that it cannot read.
func Load() (*Rules, error) { return parse(rulesTSV) }

func parse(text string) (*Rules, error) {
	rules := &Rules{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r, err := parseLine(strings.Split(line, "\t"))
		if err != nil {
			return nil, fmt.Errorf("entitlement: rules.tsv: %q: %w", line, err)
		}
		rules.all = append(rules.all, r)
	}
	return rules, nil
}

func parseLine(cells []string) (Rule, error) {
	if len(cells) != 6 || slices.Contains(cells, "") {
		return Rule{}, fmt.Errorf("%d cells, 6 are needed, none empty", len(cells))
	}
	from, err := time.Parse(time.DateOnly, cells[3])
	if err != nil {
		return Rule{}, err
	}
	r := Rule{Relation: cells[0], Minor: cells[1] == "minor", From: from, Source: cells[5]}
	if cells[1] != "minor" && cells[1] != "adult" {
		return Rule{}, fmt.Errorf("for whom: %q", cells[1])
	}
	if cells[2] != "-" {
		r.Ground = Ground(cells[2])
	}
	if !slices.Contains([]Ground{Ordinary, Secrecy, Contraception}, r.Ground) {
		return Rule{}, fmt.Errorf("ground: %q", cells[2])
	}
	for p := range strings.SplitSeq(cells[4], ",") {
		if !slices.Contains([]Proof{OnFile, Attested, Self}, Proof(p)) {
			return Rule{}, fmt.Errorf("proof: %q", p)
		}
		r.Proofs = append(r.Proofs, Proof(p))
	}
	return r, nil
}

// Find gives the rule in force on a day for a relation.
func (r *Rules) Find(relation string, minor bool, ground Ground, day time.Time) (found Rule, ok bool) {
	for _, rule := range r.all {
		if rule.Relation == relation && rule.Minor == minor && rule.Ground == ground && !rule.From.After(day) && (!ok || rule.From.After(found.From)) {
			found, ok = rule, true
		}
	}
	return found, ok
}

// Allows tells whether a relation may decide, known by that proof, on a day.
func (r *Rules) Allows(relation string, minor bool, ground Ground, proof Proof, day time.Time) bool {
	rule, ok := r.Find(relation, minor, ground, day)
	return ok && slices.Contains(rule.Proofs, proof)
}
