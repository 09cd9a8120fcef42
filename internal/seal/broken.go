package seal

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"visavis/internal/care"
	"visavis/internal/fault"
)

// Broken is a sealed file that a row of the database names and that cannot be
// given as it was saved.
type Broken struct {
	File    string // id of the file
	Patient care.PatientID
	Code    string // "file-missing" or "file-damaged"
}

// FileMissing is the answer for a file that is not there.
func FileMissing() *fault.Error { return fault.New(fault.Internal, "file-missing") }

// FileDamaged is the answer for a file that is not what was saved.
func FileDamaged() *fault.Error { return fault.New(fault.Internal, "file-damaged") }

// alarms remembers the broken files that were met since the process started.
type alarms struct {
	mu    sync.Mutex
	files map[string]Broken
	tell  func(Broken)
}

// OnBroken calls tell once for each file that is found broken, from now on. It
// is called while a transaction may be open: it must not wait for another.
func (k *Keeper) OnBroken(tell func(Broken)) {
	k.alarms.mu.Lock()
	defer k.alarms.mu.Unlock()
	k.alarms.tell = tell
}

// Broken lists the files found broken and not found whole since.
func (k *Keeper) Broken() []Broken {
	k.alarms.mu.Lock()
	defer k.alarms.mu.Unlock()
	list := make([]Broken, 0, len(k.alarms.files))
	for _, b := range k.alarms.files {
		list = append(list, b)
	}
	slices.SortFunc(list, func(a, b Broken) int { return strings.Compare(a.File, b.File) })
	return list
}

// Alarm notes that a file is broken; who finds by its hash that a file is not
// what was signed calls it, GetBlob does the rest.
func (k *Keeper) Alarm(b Broken) {
	k.alarms.mu.Lock()
	before, known := k.alarms.files[b.File]
	if k.alarms.files == nil {
		k.alarms.files = map[string]Broken{}
	}
	k.alarms.files[b.File] = b
	tell := k.alarms.tell
	k.alarms.mu.Unlock()
	if tell != nil && (!known || before.Code != b.Code) {
		tell(b)
	}
}

func (k *Keeper) whole(id string) {
	k.alarms.mu.Lock()
	defer k.alarms.mu.Unlock()
	delete(k.alarms.files, id)
}

// CheckBlob looks whether the file is there, without reading it; one that is
// not is alarmed about, as GetBlob does.
func (k *Keeper) CheckBlob(patient care.PatientID, id string) (there bool, err error) {
	path, err := k.blobPath(id)
	if err != nil {
		return false, err
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.Alarm(Broken{id, patient, "file-missing"})
		return false, nil
	case err != nil:
		return false, err
	case info.Size() == 0:
		k.Alarm(Broken{id, patient, "file-damaged"})
		return false, nil
	}
	return true, nil
}
