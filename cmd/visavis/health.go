package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"visavis/internal/audit"
	"visavis/internal/authz"
	"visavis/internal/budget"
	"visavis/internal/fault"
	"visavis/internal/health"
	"visavis/internal/httpx"
	"visavis/internal/installation"
	"visavis/internal/seal"
	"visavis/internal/store"
)

// lowDisk is the free space from which health warns, in bytes.
const lowDisk = 512 << 20

// vitals is what watches over the process: probes, broken files, the rest of
// the check of a long SQLite file.
type vitals struct {
	monitor *health.Monitor
	damaged atomic.Pointer[string] // what the whole check of the database found
	broken  chan seal.Broken       // to be written down
	reached chan budget.Alarm      // to be written down
	stop    context.CancelFunc
}

// observe makes the probes. Nothing runs yet.
func (p *platform) observe(context.Context) error {
	p.vitals.broken = make(chan seal.Broken, 256)
	p.keeper.OnBroken(func(b seal.Broken) {
		p.log.Error("a stored file cannot be given", "file", b.File, "code", b.Code)
		select {
		case p.vitals.broken <- b:
		default: // so many: the log has them, and verify names them
		}
	})
	p.vitals.monitor = health.New(p.log,
		health.Probe{Name: "database-unavailable", Run: p.db.Ping},
		health.Probe{Name: "database-busy", Run: p.probeWriter},
		health.Probe{Name: "storage-full", Run: p.probeDisk},
		health.Probe{Name: "database-damaged", Run: p.probeDamage},
		health.Probe{Name: "key-missing", Run: p.probeKey},
		health.Probe{Name: "no-media", Run: p.probeMedia},
		health.Probe{Name: "heads-not-kept", Run: p.probeHeads},
		health.Probe{Name: "audit-not-numbered", Run: p.probeNumbering},
		health.Probe{Name: "files-broken", Run: p.probeFiles},
		health.Probe{Name: "codes-not-sent", Run: p.probeOutlets},
		health.Probe{Name: "budget-reached", Run: p.probeBudgets},
		health.Probe{Name: "medicines-old", Run: p.probeBase},
		health.Probe{Name: "medicines-not-updated", Run: p.probeUpdate},
		health.Probe{Name: "no-data-protection", Run: p.probeOfficers},
		health.Probe{Name: "refusal-alarms", Run: p.probeAlarms})
	return nil
}

// watch runs what observe made, in the background until unwatch.
func (p *platform) watch() {
	ctx, stop := context.WithCancel(authz.With(context.Background(), authz.SystemActor()))
	p.vitals.stop = stop
	p.numbering.begin(p.clock.Now())
	go p.vitals.monitor.Watch(ctx)
	go p.writeDownBroken(ctx)
	go p.writeDownBudgets(ctx)
	go func() {
		if n, err := installation.Tighten(p.cfg.DataDir); err != nil || n > 0 {
			p.log.Warn("data folder: others could read what is in it", "repaired", n, "error", err)
		}
		if err := p.db.CheckFile(ctx); errors.Is(err, store.ErrDamaged) {
			text := err.Error()
			p.vitals.damaged.Store(&text)
		}
	}()
}

func (p *platform) unwatch() {
	if p.vitals.stop != nil {
		p.vitals.stop()
	}
}

// writeDownBroken puts each broken file into the audit log, once per process.
func (p *platform) writeDownBroken(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-p.vitals.broken:
			err := p.db.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
				return p.audit.Append(ctx, tx, audit.Entry{Action: "system.health", Object: "file/" + b.File, Patient: b.Patient,
					Outcome: audit.Refused, Detail: map[string]string{"why": b.Code}})
			})
			if err != nil {
				p.log.Error("a broken file is not in the audit log", "file", b.File, "error", err)
			}
		}
	}
}

// checkFiles is the job that looks whether every file of a patient is there.
func (p *platform) checkFiles(ctx context.Context, _ json.RawMessage) error {
	missing, err := p.documents.CheckFiles(ctx)
	if missing > 0 {
		p.log.Error("stored files are missing", "count", missing)
	}
	return err
}

// probeWriter writes one row: that fails on a full or read-only disk, behind a
// lock of another process, and in a process that another one followed.
func (p *platform) probeWriter(ctx context.Context) error {
	err := p.db.ProbeWriter(ctx, p.clock.Now())
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return &health.Error{Code: f.Code, Detail: f.Error()}
	case ctx.Err() != nil:
		return &health.Error{Code: "database-busy", Detail: "the writer is not free"}
	case err != nil:
		return err
	}
	text, err := p.db.Blocked(ctx, longWait)
	if err == nil && text != "" {
		return &health.Error{Code: "database-busy", Degraded: true, Detail: text} // other tables can be used
	}
	return err
}

// longWait is from when on a wait for a lock is named.
const longWait = 2 * time.Second

func (p *platform) probeDisk(context.Context) error {
	disk, err := store.DiskOf(p.cfg.DataDir)
	if err == nil {
		err = tryFolder(p.cfg.DataDir)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &health.Error{Code: "storage-full", Detail: "the data folder is gone: " + p.cfg.DataDir}
	case err != nil:
		return &health.Error{Code: "storage-full", Detail: fmt.Sprintf("%s: %d MB free of %d: %v", p.cfg.DataDir, disk.Free>>20, disk.Total>>20, err)}
	case disk.Free < lowDisk:
		return &health.Error{Code: "storage-low", Degraded: true, Detail: fmt.Sprintf("%s: %d MB free of %d", p.cfg.DataDir, disk.Free>>20, disk.Total>>20)}
	}
	return nil
}

func (p *platform) probeDamage(context.Context) error {
	if text := p.vitals.damaged.Load(); text != nil {
		return &health.Error{Code: "database-damaged", Detail: *text}
	}
	return nil
}

// probeKey looks whether the next start would find the key of this one.
func (p *platform) probeKey(context.Context) error {
	m, err := seal.LoadMaster(p.cfg.KeyFile)
	switch {
	case err != nil:
		return &health.Error{Code: "key-missing", Degraded: true, Detail: "the next start will be refused: " + err.Error()}
	case m != p.master:
		return &health.Error{Code: "key-changed", Degraded: true, Detail: "the next start will be refused: the key file holds key " + m.Name() + ", the database belongs to key " + p.master.Name()}
	}
	return nil
}

func (p *platform) probeMedia(context.Context) error {
	if p.pool != nil && p.pool.Ready() == 0 {
		return &health.Error{Code: "no-media", Degraded: true, Detail: "no media role answers: no call can begin"}
	}
	return nil
}

func (p *platform) probeFiles(context.Context) error {
	if list := p.keeper.Broken(); len(list) > 0 {
		return &health.Error{Code: "files-broken", Degraded: true, Detail: fmt.Sprintf("%d stored files are missing or damaged, the first %s (%s): visavis verify names them", len(list), list[0].File, list[0].Code)}
	}
	return nil
}

// health answers 204 while this process can do its work, 503 with the first
// cause otherwise.
func (p *platform) health(w http.ResponseWriter, r *http.Request) {
	if p.ending.Load() {
		httpx.Refuse(w, r, fault.New(fault.Unavailable, "stopping"))
		return
	}
	if c := p.vitals.monitor.Check(r.Context()).Failure(); c != nil {
		why := fault.New(fault.Unavailable, "database-unavailable")
		switch c.Code {
		case "storage-full":
			why = fault.New(fault.Unavailable, "storage-full")
		case "database-busy":
			why = fault.New(fault.Unavailable, "database-busy")
		}
		httpx.Refuse(w, r, why)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// live answers as long as the process does: what fails elsewhere is no reason to
// start it again.
func (p *platform) live(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// ready answers 200 or 503 with every cause by name. What could tell a stranger
// about the machine is for who asks from it.
func (p *platform) ready(w http.ResponseWriter, r *http.Request) {
	report := p.vitals.monitor.Check(r.Context())
	if p.ending.Load() {
		report.Status = health.Failing
		report.Causes = append(report.Causes, health.Cause{Code: "stopping", Status: health.Failing, Since: time.Now().UTC().Truncate(time.Second)})
	}
	base, _ := p.baseInService()
	if !fromThisMachine(r) {
		for i := range report.Causes {
			report.Causes[i].Detail = ""
		}
		base = baseInService{State: base.State}
	}
	status := http.StatusOK
	if report.Status == health.Failing {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // the prober is gone when this fails
		health.Report
		Medicines baseInService `json:"medicines"`
	}{report, base})
}

// fromThisMachine tells whether a request came from the loopback and not through
// a proxy.
func fromThisMachine(r *http.Request) bool {
	for _, h := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
