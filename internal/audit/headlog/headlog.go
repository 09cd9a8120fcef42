// Package headlog keeps signed heads of the audit log in a folder outside the
// database: one file a day (UTC), to which lines are added and which is never
// changed otherwise. A line is a head, or a time stamp of one (RFC 3161), as
// JSON. Only the end of the newest file is read to find the newest head.
package headlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Head is a signed head that was kept.
type Head struct {
	Name string // file and size, as 2026-11-28.heads:1234
	Size int64  // entries it covers
	Note string // as it was signed, byte for byte
}

// Sum is what a time stamp of the head dates: the SHA-256 of its note.
func (h Head) Sum() [sha256.Size]byte { return sha256.Sum256([]byte(h.Note)) }

// Stamp is a time stamp of a head.
type Stamp struct {
	Name  string
	At    time.Time // when it was kept, to the second, by our clock
	Size  int64     // of the head it dates
	Sum   [sha256.Size]byte
	Token []byte // DER, as the authority sent it
}

// line is a line of a file. A head has a note, a time stamp a token.
type line struct {
	At    string `json:"at"`
	Size  int64  `json:"size"`
	Note  string `json:"note,omitempty"`
	Sum   string `json:"sha256,omitempty"`
	Token string `json:"token,omitempty"`
}

const (
	suffix = ".heads"
	// former is one file a head, as an earlier version wrote them: day-size.head.
	former = ".head"
)

// Append adds a head to the file of the day of at and syncs it to the disk. It
// returns the name of the head.
func Append(dir string, at time.Time, size int64, note string) (string, error) {
	file, err := add(dir, at, line{Size: size, Note: note})
	return headName(file, size), err
}

// AppendStamp adds the time stamp of a head, as Append does.
func AppendStamp(dir string, at time.Time, h Head, token []byte) error {
	sum := h.Sum()
	_, err := add(dir, at, line{Size: h.Size, Sum: hex.EncodeToString(sum[:]), Token: base64.StdEncoding.EncodeToString(token)})
	return err
}

func headName(file string, size int64) string {
	return filepath.Base(file) + ":" + strconv.FormatInt(size, 10)
}

func add(dir string, at time.Time, l line) (file string, err error) {
	if dir == "" {
		return "", errors.New("headlog: no folder")
	}
	l.At = at.UTC().Format(time.RFC3339)
	raw, err := json.Marshal(l)
	if err != nil {
		return "", fmt.Errorf("heads: %w", err)
	}
	file = filepath.Join(dir, at.UTC().Format(time.DateOnly)+suffix)
	return file, appendTo(file, func(f *os.File, length int64) ([]byte, error) {
		last := []byte{'\n'}
		if length > 0 {
			if _, err := f.ReadAt(last, length-1); err != nil {
				return nil, err
			}
		}
		if last[0] != '\n' { // a power cut left half a line: it is ended, and skipped by readers
			raw = append([]byte{'\n'}, raw...)
		}
		return append(raw, '\n'), nil
	})
}

// appendTo adds what more gives to a file, which one process at a time does.
func appendTo(path string, more func(f *os.File, length int64) ([]byte, error)) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	if errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		err = nil // a share without locks: the server is alone with it
	}
	var info fs.FileInfo
	if err == nil {
		info, err = f.Stat()
	}
	var raw []byte
	if err == nil {
		raw, err = more(f, info.Size())
	}
	if err == nil && len(raw) > 0 {
		if _, err = f.Write(raw); err == nil {
			err = f.Sync()
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	if info.Size() > 0 {
		return nil
	}
	d, err := os.Open(filepath.Dir(path)) // the name of a new file
	if err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	if err = errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	return nil
}

// files lists the files of a folder, oldest first; none when it is not there.
func files(dir, ending string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("heads: %w", err)
	}
	var list []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ending {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	if ending == former { // of one day, the longer number is the larger
		slices.SortFunc(list, func(a, b string) int {
			a, b = filepath.Base(a), filepath.Base(b)
			if d := strings.Compare(a[:min(10, len(a))], b[:min(10, len(b))]); d != 0 {
				return d
			}
			if d := len(a) - len(b); d != 0 {
				return d
			}
			return strings.Compare(a, b)
		})
	}
	return list, nil
}

// tail is how much of the end of a file is read first: many heads, or some time
// stamps, of about 8 KiB each.
const tail = 64 << 10

// Newest gives the head that was kept last. ok is false when there is none, or
// no folder. It reads the end of one file.
func Newest(dir string) (h Head, ok bool, err error) {
	list, err := files(dir, suffix)
	if err != nil {
		return h, false, err
	}
	for _, name := range slices.Backward(list) {
		for _, most := range []int64{tail, 1 << 40} {
			heads, _, _, err := readFile(name, most)
			if err != nil {
				return h, false, err
			}
			if len(heads) > 0 {
				return heads[len(heads)-1], true, nil
			}
		}
	}
	heads, err := readFormer(dir, 1)
	if err != nil || len(heads) == 0 {
		return h, false, err
	}
	return heads[0], true, nil
}

// NewestStamp gives the time stamp that was kept last in the two newest files.
func NewestStamp(dir string) (s Stamp, ok bool, err error) {
	list, err := files(dir, suffix)
	if err != nil {
		return s, false, err
	}
	for _, name := range slices.Backward(list[max(0, len(list)-2):]) {
		_, stamps, _, err := readFile(name, 1<<40)
		if err != nil || len(stamps) > 0 {
			return append(stamps, s)[max(0, len(stamps)-1)], err == nil, err
		}
	}
	return s, false, nil
}

// Kept is what a folder holds.
type Kept struct {
	Heads  []Head // in the order they were kept
	Stamps []Stamp
	Broken []string // lines that cannot be read, by file and number
}

// Read reads a whole folder.
func Read(dir string) (k Kept, err error) {
	if k.Heads, err = readFormer(dir, 0); err != nil {
		return k, err
	}
	list, err := files(dir, suffix)
	if err != nil {
		return k, err
	}
	for _, name := range list {
		heads, stamps, broken, err := readFile(name, 1<<40)
		if err != nil {
			return k, err
		}
		k.Heads, k.Stamps, k.Broken = append(k.Heads, heads...), append(k.Stamps, stamps...), append(k.Broken, broken...)
	}
	return k, nil
}

func readFormer(dir string, newest int) (heads []Head, err error) {
	list, err := files(dir, former)
	if err != nil {
		return nil, err
	}
	if newest > 0 {
		list = list[max(0, len(list)-newest):]
	}
	for _, name := range list {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("heads: %w", err)
		}
		heads = append(heads, Head{Name: filepath.Base(name), Note: string(raw)})
	}
	return heads, nil
}

// readFile reads the last most bytes of a file. A line that is half at the end
// is being written, or was not when the power went.
func readFile(name string, most int64) (heads []Head, stamps []Stamp, broken []string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("heads: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("heads: %w", err)
	}
	from := max(0, info.Size()-most)
	raw, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("heads: %w", err)
	}
	if from > 0 {
		_, raw, _ = bytes.Cut(raw, []byte{'\n'})
	}
	n := 0
	for text := range bytes.Lines(raw) {
		n++
		if !bytes.HasSuffix(text, []byte{'\n'}) {
			break
		}
		h, s, err := parse(name, text)
		switch {
		case err != nil:
			broken = append(broken, fmt.Sprintf("%s, line %d", filepath.Base(name), n))
		case s.Token != nil:
			stamps = append(stamps, s)
		default:
			heads = append(heads, h)
		}
	}
	return heads, stamps, broken, nil
}

func parse(file string, text []byte) (h Head, s Stamp, err error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return h, s, err
	}
	if l.Note != "" {
		return Head{Name: headName(file, l.Size), Size: l.Size, Note: l.Note}, s, nil
	}
	s = Stamp{Name: headName(file, l.Size), Size: l.Size}
	if s.Token, err = base64.StdEncoding.DecodeString(l.Token); err != nil || len(s.Token) == 0 {
		return h, s, errors.Join(err, errors.New("heads: neither a head nor a time stamp"))
	}
	sum, err := hex.DecodeString(l.Sum)
	if err != nil || len(sum) != len(s.Sum) {
		return h, s, errors.Join(err, errors.New("heads: a time stamp of nothing"))
	}
	copy(s.Sum[:], sum)
	s.At, err = time.Parse(time.RFC3339, l.At)
	return h, s, err
}

// ErrOther is wrapped when a second place holds what the first has not: heads
// were taken from the first, or it was replaced by an older one.
var ErrOther = errors.New("the two places of audit heads do not hold the same")

// Copy adds to the folder to what from holds and it lacks, from the newest file
// of to on. Nothing in to is ever changed, and the folder is never made: a share
// that is not mounted is an error.
func Copy(from, to string) error {
	if _, err := os.Stat(to); err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	have, err := files(to, suffix)
	if err != nil {
		return err
	}
	list, err := files(from, suffix)
	if err != nil {
		return err
	}
	if len(have) > 0 {
		newest := filepath.Base(have[len(have)-1])
		list = slices.DeleteFunc(list, func(name string) bool { return filepath.Base(name) < newest })
		if len(list) == 0 || filepath.Base(list[0]) != newest {
			return fmt.Errorf("%w: %s is in %s and not in %s", ErrOther, newest, to, from)
		}
	}
	for _, name := range list {
		source, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("heads: %w", err)
		}
		// Only whole lines: the next one may be on its way.
		source = source[:bytes.LastIndexByte(source, '\n')+1]
		err = appendTo(filepath.Join(to, filepath.Base(name)), func(f *os.File, length int64) ([]byte, error) {
			there := make([]byte, min(length, 4096))
			if _, err := f.ReadAt(there, length-int64(len(there))); err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			if length > int64(len(source)) || !bytes.HasSuffix(source[:length], there) {
				return nil, fmt.Errorf("%w: %s in %s is not the beginning of the one in %s", ErrOther, filepath.Base(name), to, from)
			}
			return source[length:], nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
