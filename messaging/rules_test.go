package messaging

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"visavis/messaging/mssante"
	"visavis/messaging/post"
)

var states = []State{WaitingIdentity, Queued, Sending, Sent, Accepted, Refused, Bounced, ToPost, Posted}

// Whatever happens, what was posted stays posted, and what the other end has
// is never sent again.
func TestLegalHistoriesOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := &Delivery{State: Queued, About: Documents, Recipient: ToPatient}
		arrived := false
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			s := rapid.SampledFrom(states).Draw(t, "to")
			before := d.State
			err := d.to(s, "", time.Unix(0, 0))
			switch {
			case err != nil && d.State != before:
				t.Fatalf("a refused change from %s to %s changed it", before, s)
			case err == nil && before == Posted:
				t.Fatalf("from posted to %s", s)
			case err == nil && arrived && before == Accepted && (s == Sending || s == Queued):
				t.Fatal("what arrived was sent again")
			}
			arrived = d.State == Accepted
		}
		for i, s := range d.steps {
			if i > 0 && s.State == d.steps[i-1].State && s.Reason == d.steps[i-1].Reason {
				t.Fatal("the history repeats itself")
			}
		}
	})
}

func TestBackoffGrowsAndSpansTwoDays(t *testing.T) {
	t.Parallel()
	total := time.Duration(0)
	for n := 1; n < maxAttempts; n++ {
		if n > 1 && backoff(n) < backoff(n-1) {
			t.Errorf("attempt %d waits less than the one before", n)
		}
		total += backoff(n)
	}
	if backoff(0) != backoff(1) || total < 36*time.Hour || total > 72*time.Hour {
		t.Errorf("attempts span %s", total)
	}
	if lease <= attemptTime+10*time.Second || lease >= 75*time.Second {
		t.Error("the lease must outlive an attempt and end before the queue's rescue")
	}
}

func TestAnswersBecomeReasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		r    post.Result
		want string
	}{
		{post.Result{Code: 550, Status: "5.1.1"}, reasonClosed}, {post.Result{Code: 550}, reasonClosed}, {post.Result{Status: "5.2.1"}, reasonClosed},
		{post.Result{Code: 552, Status: "5.2.2"}, reasonFull}, {post.Result{Code: 552}, reasonFull}, {post.Result{Code: 552, Status: "5.3.4"}, reasonTooLarge},
		{post.Result{Code: 554, Status: "5.7.1"}, reasonServer}, {post.Result{Status: "number"}, reasonNoAddress},
	} {
		if got := refusal(c.r); got != c.want {
			t.Errorf("%+v: %s, want %s", c.r, got, c.want)
		}
	}
	for e, want := range map[mssante.Event]State{mssante.Delivered: Accepted, mssante.Processed: Accepted, mssante.Displayed: Accepted,
		mssante.Delayed: Sent, mssante.Relayed: Sent, mssante.Failed: Bounced, mssante.KO: Refused} {
		if got, _, ok := verdict(mssante.Incoming{Event: e}); !ok || got != want {
			t.Errorf("%s: %s", e, got)
		}
	}
	if _, _, ok := verdict(mssante.Incoming{}); ok {
		t.Error("no event, no verdict")
	}
}

// A report may come late, twice, or about something else: it never takes a
// delivery back.
func TestReportsNeverTakeADeliveryBack(t *testing.T) {
	t.Parallel()
	s := &Service{}
	now := time.Unix(1, 0)
	hear := func(d *Delivery, events ...mssante.Event) string {
		for _, e := range events {
			if err := s.hear(d, mssante.Incoming{Event: e, Code: "5.1.1"}, now); err != nil {
				t.Fatal(err)
			}
		}
		return string(d.State) + " " + d.Reason
	}
	for _, c := range []struct {
		d      Delivery
		events []mssante.Event
		want   string
	}{
		{Delivery{State: Sent}, []mssante.Event{mssante.Displayed, mssante.Delivered, mssante.Processed}, "accepted read"},
		{Delivery{State: Sent}, []mssante.Event{mssante.Delivered, mssante.Delivered, mssante.Displayed}, "accepted read"},
		{Delivery{State: Sent}, []mssante.Event{mssante.Delayed, mssante.Delivered, mssante.Delayed}, "accepted arrived"},
		{Delivery{State: Sending, phase: phaseData}, []mssante.Event{mssante.Delivered}, "accepted arrived"},
		{Delivery{State: Sending, phase: phaseData, About: Documents, Recipient: ToPatient}, []mssante.Event{mssante.Failed, mssante.Failed}, "to-post mailbox-closed"},
		{Delivery{State: Queued, Attempts: 1}, []mssante.Event{mssante.Delivered}, "accepted arrived"},
		{Delivery{State: Queued, Attempts: 1}, []mssante.Event{mssante.Failed}, "queued "},
		{Delivery{State: Queued}, []mssante.Event{mssante.Delivered}, "queued "},
		{Delivery{State: Posted}, []mssante.Event{mssante.Failed, mssante.Delivered, mssante.KO}, "posted "},
		{Delivery{State: ToPost}, []mssante.Event{mssante.Delivered}, "to-post "},
		{Delivery{State: Sent}, []mssante.Event{mssante.Unknown}, "sent unknown-report"},
		{Delivery{State: Sent}, []mssante.Event{"quarantined"}, "sent unknown-report"},
		{Delivery{State: Sent}, []mssante.Event{mssante.Unknown, mssante.Delivered}, "accepted arrived"},
		{Delivery{State: Accepted, Reason: reasonArrived}, []mssante.Event{mssante.Unknown}, "accepted arrived"},
		{Delivery{State: Accepted, Reason: reasonArrived}, []mssante.Event{mssante.Failed}, "accepted arrived"},
		{Delivery{State: Sent, Channel: SMS}, []mssante.Event{mssante.Failed}, "bounced phone-failed"},
	} {
		if got := hear(&c.d, c.events...); got != c.want {
			t.Errorf("%v: %q, want %q", c.events, got, c.want)
		}
	}
}

func TestAddressesAreMostlyHidden(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		hideAddress("lea.moreau@example.test"): "l•••@example.test", hideAddress("élodie@x"): "é•••@x", hideAddress("nobody"): "", hideAddress("@x"): "",
		hideAddress("279035121518989@patient.mssante.fr"): "•••989@patient.mssante.fr", hidePhone("+33612345612"): "•• •• •• •• 12", hidePhone("12"): "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSubmissionsHaveTheirOwnOID(t *testing.T) {
	t.Parallel()
	a := submissionOID("1.2.250.1.999.1", "0199aaaa-0000-7000-8000-000000000031")
	b := submissionOID("1.2.250.1.999.1", "0199aaaa-0000-7000-8000-000000000032")
	if a == b || !strings.HasPrefix(a, "1.2.250.1.999.1.5.") || len(a) > 64 || submissionOID("1.2", "not hexadecimal") != "" {
		t.Errorf("%s %s", a, b)
	}
}
