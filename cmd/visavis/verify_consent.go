package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"visavis/consent"
	"visavis/consent/entitlement"
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
	about := "about the text " + b.Text.ID
	if b.Emergency != nil {
		about = "no text was shown,"
	}
	fmt.Fprintf(out, "genuine: %s, on %s, %s for the act of %s\n", b.Decision, b.At, about, either(b.ActStart, "an unknown start"))
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

// decidedBy says for whom a decision was taken, by whom and how that is known, by
// which way, who attests it, and on which ground: a third party must not take an
// oral agreement that a professional attested for one that the patient gave, nor
// an emergency for an agreement.
func decidedBy(b consent.Bundle) []string {
	patient := oneLine(b.Patient.Name)
	if b.Patient.Minor {
		patient += ", a minor"
	}
	lines := []string{"patient: " + patient}
	switch {
	case b.Emergency != nil:
		lines = append(lines, "decided by: nobody agreed; care began in an emergency")
	case b.Agent != nil:
		lines = append(lines, fmt.Sprintf("decided by: %s (%s), for the patient", oneLine(b.Agent.Name), b.Agent.Relation), "representative known by: "+knownBy(*b.Agent))
	default:
		lines = append(lines, "decided by: the patient")
	}
	actor := fmt.Sprintf("%s %s", b.Actor.Role, b.Actor.ID)
	if b.Actor.Name != "" {
		actor = oneLine(b.Actor.Name) + ", " + actor
	}
	switch b.Channel {
	case consent.Oral:
		lines = append(lines, "channel: oral, said aloud; nothing was pressed by the patient", "attested by: "+actor)
	case consent.Emergency:
		lines = append(lines, "channel: emergency, no agreement was asked for or it could not be", "attested by: "+actor)
	case consent.Representative:
		lines = append(lines, "channel: representative, pressed on the page in the session below", "session of: "+actor)
	case consent.Web:
		lines = append(lines, "channel: web, pressed on the page in the session below", "session of: "+actor)
	default:
		lines = append(lines, "channel: "+string(b.Channel), "session of: "+actor)
	}
	lines = append(append(lines, grounds(b)...), "sign-in: "+b.Actor.Level+", "+b.Actor.Proof)
	if b.PractitionerName != "" {
		lines = append(lines, fmt.Sprintf("professional of the act: %s, %s", oneLine(b.PractitionerName), oneLine(b.OrganizationName)))
	}
	return lines
}

// knownBy says how it is known who a representative is. Bundles of the first two
// shapes do not tell.
func knownBy(a consent.BundleAgent) string {
	switch a.Proof {
	case entitlement.OnFile:
		return "a code sent to their contact on the patient's file"
	case entitlement.Attested:
		return "an identity document that the professional attests to have seen: " + string(a.Document)
	case "":
		return "not told by a record of this shape"
	}
	return string(a.Proof)
}

// grounds says why the holders of parental authority are not told, and what a
// doctor wrote of an emergency.
func grounds(b consent.Bundle) (lines []string) {
	switch b.Ground {
	case entitlement.Ordinary:
	case entitlement.Secrecy:
		lines = append(lines, "ground: secrecy asked for by the minor, the holders of parental authority are not told (CSP L1111-5)")
	case entitlement.Contraception:
		lines = append(lines, "ground: contraception of a minor, the holders of parental authority are not told (CSP L5134-1)")
	default:
		lines = append(lines, "ground: "+string(b.Ground))
	}
	if e := b.Emergency; e != nil {
		lines = append(lines, "situation: "+e.Situation+" ("+oneLine(e.Source)+")", "reason given by the doctor: "+oneLine(e.Reason))
	}
	return lines
}

// oneLine keeps what somebody typed from looking like a line of this program.
func oneLine(typed string) string { return strings.Join(strings.Fields(typed), " ") }

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
