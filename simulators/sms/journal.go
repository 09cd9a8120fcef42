package sms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// write appends a message as it now is to the journal and waits for the disk.
// The lock is held. A line that was only half written goes away again.
func (s *Server) write(m Message) error {
	if s.journal == nil {
		return nil
	}
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	end, err := s.journal.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err = s.journal.Write(append(line, '\n')); err == nil {
		err = s.journal.Sync()
	}
	if err != nil {
		return errors.Join(err, s.journal.Truncate(end))
	}
	return nil
}

// load reads the journal, the last line of an id standing, and sends the
// receipts that are owed. What follows the last end of line was never
// acknowledged: a crash cut it.
func (s *Server) load() error {
	if s.o.Journal == "" {
		return nil
	}
	f, err := os.OpenFile(s.o.Journal, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("sms simulator: %w", err)
	}
	raw, err := io.ReadAll(f)
	if err == nil {
		raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
		err = f.Truncate(int64(len(raw)))
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	known := map[string]*Message{}
	for line := range bytes.Lines(raw) {
		m := &Message{}
		if err := json.Unmarshal(line, m); err != nil {
			return errors.Join(fmt.Errorf("sms simulator: journal: %w", err), f.Close())
		}
		if old := known[m.ID]; old != nil {
			*old = *m
			continue
		}
		known[m.ID] = m
		s.messages = append(s.messages, m)
	}
	s.journal = f
	for _, m := range s.messages {
		if owed := *m; owed.State == "accepted" && owed.Callback != "" {
			s.work.Go(func() { s.receipt(owed, false) })
		}
	}
	return nil
}
