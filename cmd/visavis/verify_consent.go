package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"visavis/consent"
	"visavis/internal/config"
)

// evidence checks one proof of a consent, away from the platform that made it
// (trust B8, S16).
func (v verifyCmd) evidence(out io.Writer, cfg *config.Config) error {
	if v.Key == "" {
		return errors.New("--consent needs --key: the platform's public key as you got it from the platform, not from the proof")
	}
	document, err := os.ReadFile(v.Consent)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(v.Key)
	if err != nil {
		return err
	}
	var key consent.Key
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&key); err != nil {
		return fmt.Errorf("%s is no published key: %w", v.Key, err)
	}
	roots, err := stampRoots(cfg.TSA.CA)
	if err != nil {
		return err
	}
	found, err := consent.VerifyEvidence(document, key, roots)
	if err != nil {
		return err
	}
	b := found.Bundle
	fmt.Fprintf(out, "genuine: %s, on %s, about the text %s for the act of %s\n", b.Decision, b.At, b.Text.ID, either(b.ActStart, "an unknown start"))
	for _, line := range decidedBy(b) {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintf(out, "signed by key %s\n", key.ID)
	fmt.Fprintf(out, "in the audit log %s, under the head of %s\n", key.Log, found.Logged.Format("2006-01-02T15:04:05Z"))
	if found.Stamp == nil {
		fmt.Fprintln(out, "no time stamp: the date is the platform's word")
		return nil
	}
	fmt.Fprintf(out, "time-stamped %s by %s\n", found.Stamp.At.Format("2006-01-02T15:04:05Z"), found.Stamp.Authority)
	return nil
}

// decidedBy says for whom a decision was taken, by whom, by which way, and who
// attests it: a third party must not take an oral agreement that a professional
// attested for one that the patient gave.
func decidedBy(b consent.Bundle) []string {
	patient := b.Patient.Name
	if b.Patient.Minor {
		patient += ", a minor"
	}
	by := "the patient"
	if b.Agent != nil {
		by = fmt.Sprintf("%s (%s), for the patient", b.Agent.Name, b.Agent.Relation)
	}
	lines := []string{"patient: " + patient, "decided by: " + by}
	actor := fmt.Sprintf("%s %s", b.Actor.Role, b.Actor.ID)
	if b.Actor.Name != "" {
		actor = b.Actor.Name + ", " + actor
	}
	switch b.Channel {
	case consent.Oral:
		lines = append(lines, "channel: oral, said aloud; nothing was pressed by the patient", "attested by: "+actor)
	case consent.Representative:
		lines = append(lines, "channel: representative, pressed on the page in the session below", "session of: "+actor)
	case consent.Web:
		lines = append(lines, "channel: web, pressed on the page in the session below", "session of: "+actor)
	default:
		lines = append(lines, "channel: "+string(b.Channel), "session of: "+actor)
	}
	lines = append(lines, "sign-in: "+b.Actor.Level+", "+b.Actor.Proof)
	if b.PractitionerName != "" {
		lines = append(lines, fmt.Sprintf("professional of the act: %s, %s", b.PractitionerName, b.OrganizationName))
	}
	return lines
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// verifyStamps checks the time stamp of every consent.
func verifyStamps(ctx context.Context, out io.Writer, agreements *consent.Service, cfg *config.Config) error {
	roots, err := stampRoots(cfg.TSA.CA)
	if err != nil {
		return err
	}
	n, err := agreements.VerifyStamps(ctx, roots)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "time stamps: %d checked, %d not checked (no VISAVIS_TSA_CA), %d not received\n", n.Checked, n.Unchecked, n.Waiting)
	return nil
}
