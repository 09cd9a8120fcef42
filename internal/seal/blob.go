package seal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"visavis/internal/care"
	"visavis/internal/store"
)

// PutBlob seals data for a patient in a file named by id, durable before it
// returns: file synced, renamed, folder synced (trust B11). Call it before the
// row that names it commits; a file without a row is an orphan, a row without
// a file would be a loss.
func (k *Keeper) PutBlob(ctx context.Context, tx *store.Tx, patient care.PatientID, id string, data []byte) error {
	path, err := k.blobPath(id)
	if err != nil {
		return err
	}
	sealed, err := k.Seal(ctx, tx, patient, Place{"blob", "data", id}, data)
	if err != nil {
		return err
	}
	if err := mkdirDurable(filepath.Dir(path)); err != nil {
		return fmt.Errorf("seal: blob: %w", store.StorageFault(err))
	}
	if err := writeDurable(path, sealed, 0o600); err != nil {
		return fmt.Errorf("seal: blob: %w", store.StorageFault(err))
	}
	return nil
}

// GetBlob reads back what PutBlob wrote. A file that is not there, or is not
// what was written, is an alarm (OnBroken), and Internal file-missing or
// file-damaged for who asks. It fails as Gone when the patient's key was destroyed.
func (k *Keeper) GetBlob(ctx context.Context, tx *store.Tx, patient care.PatientID, id string) ([]byte, error) {
	path, err := k.blobPath(id)
	if err != nil {
		return nil, err
	}
	if _, err := k.key(tx, patient, false); err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		k.Alarm(Broken{id, patient, "file-missing"})
		return nil, FileMissing().Because(fmt.Errorf("seal: file %s is missing", id))
	}
	if err != nil {
		return nil, fmt.Errorf("seal: file %s: %w", id, err)
	}
	plain, err := k.Open(ctx, tx, patient, Place{"blob", "data", id}, sealed)
	if err != nil {
		k.Alarm(Broken{id, patient, "file-damaged"})
		return nil, FileDamaged().Because(fmt.Errorf("seal: file %s: %w", id, err))
	}
	k.whole(id)
	return plain, nil
}

func (k *Keeper) blobPath(id string) (string, error) {
	if !care.ValidID(id) {
		return "", fmt.Errorf("seal: blob id has not the shape of an id")
	}
	return filepath.Join(k.blobs, id[34:], id), nil
}

func writeDurable(path string, data []byte, mode os.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// mkdirDurable makes a folder whose name survives a power cut.
func mkdirDurable(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
