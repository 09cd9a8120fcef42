package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// state is what lies beside a message on disk: 00000001.json beside
// 00000001.eml. It is written second, so that a message with a state is whole.
type state struct {
	To      string    `json:"to"`
	From    string    `json:"from"`
	At      time.Time `json:"at"`
	Secure  bool      `json:"secure"`
	Removed bool      `json:"removed,omitempty"` // over IMAP; the pages still show it
}

func (m Message) state() state { return state{m.To, m.From, m.At, m.Secure, m.removed} }

// keep puts a message on disk, and returns when a crash cannot lose it. The
// lock is held. Without a folder messages live in memory.
func (s *Server) keep(m *Message) error {
	if s.o.Dir == "" {
		return nil
	}
	s.last++
	m.file = filepath.Join(s.o.Dir, fmt.Sprintf("%08d", s.last))
	if err := durable(m.file+".eml", m.Raw); err != nil {
		return err
	}
	return note(m)
}

// note writes the state of a message again.
func note(m *Message) error {
	raw, err := json.Marshal(m.state())
	if err != nil {
		return err
	}
	return durable(m.file+".json", raw)
}

// durable writes a file whole or not at all: aside, to the disk, then under its
// name.
func durable(name string, data []byte) error {
	f, err := os.OpenFile(name+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".part", name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// load puts what lies on disk back into the mailboxes, in the order it came.
func (s *Server) load() error {
	if s.o.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return fmt.Errorf("mail simulator: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(s.o.Dir, "*.json"))
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		m := Message{file: strings.TrimSuffix(name, ".json")}
		if _, err := fmt.Sscanf(filepath.Base(m.file), "%d", &s.last); err != nil {
			return fmt.Errorf("mail simulator: %s: %w", name, err)
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var st state
		if err := json.Unmarshal(raw, &st); err != nil {
			return fmt.Errorf("mail simulator: %s: %w", name, err)
		}
		if m.Raw, err = os.ReadFile(m.file + ".eml"); err != nil {
			return err
		}
		m.To, m.From, m.At, m.Secure, m.removed = st.To, st.From, st.At, st.Secure, st.Removed
		s.put(m)
	}
	return nil
}

// removed notes what IMAP took out of a mailbox.
func (s *Server) removed(address string, gone []imap.UID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.boxes[address] {
		m := &s.boxes[address][i]
		if m.removed || !slices.Contains(gone, m.uid) {
			continue
		}
		m.removed = true
		if s.o.Dir == "" {
			continue
		}
		if err := note(m); err != nil {
			s.o.Log.Warn("mail simulator: removal", "error", err)
		}
	}
}
