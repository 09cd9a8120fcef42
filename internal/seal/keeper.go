package seal

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"visavis/internal/care"
	"visavis/internal/clock"
	"visavis/internal/fault"
	"visavis/internal/store"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// cacheFor bounds how long an unwrapped data key stays in memory.
const cacheFor = 5 * time.Minute

// House is the owner of what is sealed but belongs to no patient.
const House care.PatientID = "house"

// Place says where a sealed value lives. It is authenticated with the value,
// so that a ciphertext moved to another row, column or patient does not open.
type Place struct {
	Table  string
	Column string
	Row    string
}

func (p Place) aad(patient care.PatientID) []byte {
	return []byte(p.Table + "|" + p.Column + "|" + p.Row + "|" + string(patient))
}

// Keeper seals and opens clinical fields and files (AES-256-GCM).
type Keeper struct {
	wrap  tink.AEAD
	clock clock.Clock
	blobs string

	alarms alarms

	mu    sync.Mutex
	cache map[care.PatientID]cached
}

type cached struct {
	aead  tink.AEAD
	until time.Time
}

// NewKeeper returns a keeper whose files live in blobDir.
func NewKeeper(m Master, c clock.Clock, blobDir string) (*Keeper, error) {
	wrap, err := subtle.NewAESGCM(m.Derive("wrap"))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return &Keeper{wrap: wrap, clock: c, blobs: blobDir, cache: map[care.PatientID]cached{}}, nil
}

// Seal encrypts plain for a patient at a place. The patient's key is made in
// tx the first time.
func (k *Keeper) Seal(ctx context.Context, tx *store.Tx, patient care.PatientID, at Place, plain []byte) ([]byte, error) {
	a, err := k.key(tx, patient, true)
	if err != nil {
		return nil, err
	}
	sealed, err := a.Encrypt(plain, at.aad(patient))
	if err != nil {
		return nil, fmt.Errorf("seal: %s.%s: %w", at.Table, at.Column, err)
	}
	return sealed, nil
}

// Open decrypts what Seal made at the same place. It fails as Gone when the
// patient's key was destroyed, and as Internal when the bytes were moved or
// altered.
func (k *Keeper) Open(ctx context.Context, tx *store.Tx, patient care.PatientID, at Place, sealed []byte) ([]byte, error) {
	a, err := k.key(tx, patient, false)
	if err != nil {
		return nil, err
	}
	plain, err := a.Decrypt(sealed, at.aad(patient))
	if err != nil {
		return nil, fmt.Errorf("seal: %s.%s does not open: altered or moved", at.Table, at.Column)
	}
	return plain, nil
}

// Shred destroys a patient's key in tx.
func (k *Keeper) Shred(ctx context.Context, tx *store.Tx, patient care.PatientID) error {
	tx.AfterCommit(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.cache, patient)
	})
	return deleteKey(tx, patient)
}

func (k *Keeper) key(tx *store.Tx, patient care.PatientID, create bool) (tink.AEAD, error) {
	now := k.clock.Now()
	k.mu.Lock()
	c, ok := k.cache[patient]
	k.mu.Unlock()
	if ok && now.Before(c.until) {
		return c.aead, nil
	}
	wrapped, err := loadKey(tx, patient)
	if err != nil {
		return nil, err
	}
	if wrapped == nil {
		if !create {
			return nil, fault.New(fault.Gone, "record-destroyed")
		}
		if wrapped, err = k.newKey(tx, patient, now); err != nil {
			return nil, err
		}
	}
	dek, err := k.wrap.Decrypt(wrapped, []byte("seal_keys|"+string(patient)))
	if err != nil {
		return nil, fmt.Errorf("seal: data key of a patient does not open: wrong master key")
	}
	a, err := subtle.NewAESGCM(dek)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	// A key that is not committed yet, made by this call or by one before it in
	// tx, may never exist.
	tx.AfterCommit(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.cache[patient] = cached{a, now.Add(cacheFor)}
	})
	return a, nil
}

func (k *Keeper) newKey(tx *store.Tx, patient care.PatientID, now time.Time) ([]byte, error) {
	dek := make([]byte, 32)
	rand.Read(dek)
	wrapped, err := k.wrap.Encrypt(dek, []byte("seal_keys|"+string(patient)))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return insertKey(tx, patient, wrapped, store.Micros(now))
}
