package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"visavis/consent"
	"visavis/documents"
	"visavis/encounters"
	"visavis/encounters/declared"
	"visavis/identity"
	"visavis/identity/contacts"
	"visavis/identity/prosante"
	"visavis/internal/config"
	"visavis/internal/front"
	"visavis/internal/httpx"
	"visavis/internal/lang"
	"visavis/internal/limit"
	"visavis/internal/medicines/download"
	"visavis/internal/refusals"
	"visavis/internal/sheet"
	"visavis/messaging"
	"visavis/prescriptions"
	"visavis/scheduling"
	"visavis/signaling"
	"visavis/signaling/check"
	"visavis/signaling/local"
	"visavis/signaling/remote"
	"visavis/signaling/sockets"
	"visavis/signaling/whip"
	"visavis/web"
)

// platform is every module, wired. What one module asks of another goes
// through ask (questions_*.go), so the order of making does not matter.
type platform struct {
	*foundation
	server *httpx.Server
	media  *local.Carrier // nil in the app role
	pool   *remote.Pool   // nil outside the app role
	door   *front.Front   // nil without a certificate
	ending atomic.Bool    // told to stop
	vitals vitals

	medicines *download.Watch

	identity      *identity.Service
	contacts      *contacts.Service
	scheduling    *scheduling.Service
	consent       *consent.Service
	encounters    *encounters.Service
	signaling     *signaling.Service
	whip          *whip.Service
	check         *check.Service
	declared      *declared.Service
	documents     *documents.Service
	prescriptions *prescriptions.Service
	messaging     *messaging.Service
	refusals      *refusals.Service

	words     *lang.Catalogue // what this package itself says
	incidents *lang.Catalogue // what encounters calls incidents
}

//go:embed texts
var textFiles embed.FS

// build makes the platform; nothing is delivered and nobody is answered yet.
func build(ctx context.Context, cfg *config.Config, log *slog.Logger) (*platform, error) {
	f, err := lay(ctx, cfg, log, toServe)
	if err != nil {
		return nil, err
	}
	p := &platform{foundation: f}
	for _, step := range []func(context.Context) error{p.say, p.makeRefusals, p.people, p.acts, p.papers, p.rooms, p.observe, p.subscribe, p.routes} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, p.close(ctx))
		}
	}
	return p, nil
}

// say loads the words this package needs.
func (p *platform) say(context.Context) (err error) {
	if p.words, err = ownTexts(); err != nil {
		return err
	}
	p.incidents, err = encounters.Texts()
	return err
}

// people makes the module that says who is who.
func (p *platform) people(context.Context) error {
	transport, err := pscTransport(p.cfg.PSC)
	if err != nil {
		return err
	}
	party, err := prosante.New(prosante.Options{
		Issuer:       strings.TrimSuffix(p.cfg.PSC.Discovery, "/.well-known/wallet-openid-configuration"),
		DiscoveryURL: p.cfg.PSC.Discovery, ClientID: p.cfg.PSC.ClientID, ClientSecret: p.cfg.PSC.Secret.Value(),
		RedirectURL: p.cfg.PublicURL + "/api/auth/psc/callback", LogoutURL: p.cfg.PublicURL + "/pro", Clock: p.clock, Transport: transport,
	})
	if err != nil {
		return err
	}
	return p.directory(party)
}

// directory makes identity; without a party nobody signs in.
func (p *platform) directory(party *prosante.Party) (err error) {
	p.contacts = p.newContacts()
	p.identity, err = identity.New(identity.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock, Limits: p.limits, Master: p.master,
		Appointments: identityAppointments{ask{p}}, Encounters: identityEncounters{ask{p}}, Secrecy: identitySecrecy{ask{p}}, Requests: p.contacts, ProSante: party, SignFor: p.cfg.SignFor,
	})
	return err
}

// acts makes the modules of an act: booked, agreed to, held.
func (p *platform) acts(context.Context) (err error) {
	ask := ask{p}
	p.scheduling, err = scheduling.New(scheduling.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock,
		Patients: agendaPatients{ask}, Contacts: agendaContacts{ask}, Practitioners: agendaPractitioners{ask}, Encounters: agendaEncounters{ask}, Consents: agendaConsents{ask}, Declarations: agendaDeclarations{ask},
	})
	if err != nil {
		return err
	}
	if err := p.consents(); err != nil {
		return err
	}
	p.encounters = encounters.New(encounters.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Table: p.table, Clock: p.clock,
		People: encounterPeople{ask}, Consents: p.consent, Live: encounterLive{ask}, Checks: encounterChecks{ask},
	})
	p.declared = declared.New(declared.Deps{DB: p.db, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock, Acts: declaredActs{ask}})
	return nil
}

// consents makes the module of agreements and its way to an authority.
func (p *platform) consents() error {
	ask := ask{p}
	authority, err := stamping(p.cfg, p.clock)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(p.cfg.Zone)
	if err != nil {
		return err
	}
	press, err := sheet.NewPress()
	if err != nil {
		return err
	}
	p.consent, err = consent.New(consent.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Keeper: p.keeper, Signer: p.signer, Table: p.table, Clock: p.clock, Log: p.log,
		Acts: consentActs{ask}, People: consentPeople{ask}, Team: consentTeam{ask}, Agents: consentPeople{ask},
		Stamps: authority, Ledger: p.seq, Press: press, Zone: zone, Address: p.cfg.PublicURL, Build: version,
	})
	return err
}

// papers makes the modules that write down what was done and send it.
func (p *platform) papers(context.Context) error {
	ask := ask{p}
	press, err := sheet.NewPress()
	if err != nil {
		return err
	}
	p.documents, err = documents.New(documents.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Keeper: p.keeper, Signer: p.signer, Table: p.table, Clock: p.clock, Press: press,
		Acts: paperActs{ask}, Names: paperNames{ask}, Secrecy: paperSecrecy{ask}, Deliveries: paperDeliveries{ask}, Dispensings: paperDispensings{ask}, Calls: paperCalls{ask},
	})
	if err != nil {
		return err
	}
	if p.medicines, err = openMedicines(p.cfg, p.clock, p.log); err != nil {
		return err
	}
	zone, err := time.LoadLocation(p.cfg.Zone)
	if err != nil {
		return err
	}
	p.prescriptions, err = prescriptions.New(prescriptions.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock, Limits: p.limits, Press: press,
		Medicines: p.medicines.Base, OldAfter: p.cfg.BDPM.OldAfter, Acts: paperActs{ask}, Filer: p.documents, Pharmacies: pharmacies{ask}, Declarations: paperDeclarations{ask}, Zone: zone, PublicURL: p.cfg.PublicURL,
	})
	if err != nil {
		return err
	}
	return p.messages(press)
}

// messages makes the module that sends, with its three ways out.
func (p *platform) messages(press *sheet.Press) error {
	ask := ask{p}
	mail, err := mailOutlet(p.cfg)
	if err != nil {
		return err
	}
	secure, err := secureOutlet(p.cfg)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(p.cfg.Zone)
	if err != nil {
		return err
	}
	p.messaging, err = messaging.New(messaging.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock, Log: p.log,
		People: messagePeople{ask}, Secrets: messageSecrets{ask}, Contacts: p.contacts, Guests: messageGuests{ask}, Papers: messagePapers{ask}, Acts: messageActs{ask}, Secrecy: messageSecrecy{ask}, Printer: press,
		Mail: mail, MSSante: secure, SMS: smsOutlet(p.cfg), PublicURL: p.cfg.PublicURL, Zone: zone, DoubtFor: p.cfg.MSSante.DoubtFor,
	})
	return err
}

// rooms makes the media and the rooms above it.
func (p *platform) rooms(context.Context) (err error) {
	if !parented() {
		if p.door, err = openDoor(p.cfg, p.log); err != nil {
			return err
		}
	}
	media, relay, err := p.carriage()
	if err != nil {
		return err
	}
	ask := ask{p}
	p.signaling = signaling.New(signaling.Deps{
		DB: p.db, Bus: p.bus, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock, Log: p.log,
		Origins: []string{p.cfg.PublicURL}, Acts: liveActs{ask}, People: livePeople{ask}, Consents: p.consent, Agenda: liveAgenda{ask},
		Devices: liveDevices{ask}, Media: media, Relay: relay, Outlived: p.pool != nil, Sockets: sockets.Limits(p.cfg.Sockets), Refused: p.refusals.Note,
	})
	p.whip = whip.New(whip.Deps{
		DB: p.db, Audit: p.audit, Keeper: p.keeper, Table: p.table, Clock: p.clock, Log: p.log, Limits: p.limits, Live: p.signaling, URL: p.cfg.PublicURL,
	})
	p.check = check.New(check.Deps{DB: p.db, Audit: p.audit, Table: p.table, Clock: p.clock, Acts: checkActs{ask}, Media: checkMedia{media, relay}})
	if p.media != nil {
		p.media.Tell(p.signaling.Heard)
	}
	return nil
}

// carriage makes the media of this process, or the way to the media roles.
func (p *platform) carriage() (signaling.Media, signaling.Relay, error) {
	var err error
	if p.cfg.Role == config.RoleApp {
		if p.door != nil { // TURN over TLS is at the media roles
			if err := p.door.Relay().Close(); err != nil {
				return nil, nil, err
			}
		}
		p.pool, err = p.reach()
		return p.pool, p.pool, err
	}
	var streams []net.Listener
	if p.door != nil {
		streams = append(streams, p.door.Relay())
	}
	p.media, err = openMedia(p.cfg, streams, p.clock, p.log)
	return p.media, p.media, err
}

// subscribe connects facts to those who react, then opens the bus.
func (p *platform) subscribe(ctx context.Context) error {
	p.identity.Subscribe(p.bus)
	p.contacts.Subscribe(p.bus)
	p.scheduling.Subscribe(p.bus)
	p.consent.Subscribe(p.bus)
	p.encounters.Subscribe(p.bus)
	p.signaling.Subscribe(p.bus)
	p.messaging.Subscribe(p.bus)
	p.bus.Every("audit.sequence", time.Second, func(ctx context.Context, _ json.RawMessage) error {
		return p.numberEntries(ctx)
	})
	p.bus.Every("audit.journal", 6*time.Hour, func(ctx context.Context, _ json.RawMessage) error {
		return errors.Join(p.kept.Compact(ctx, p.seq, p.cfg.HeadsDir), p.kept.ReportMissingRows(ctx, p.db))
	})
	p.bus.Every("audit.head", headsEvery, p.keepHead)
	p.bus.Every("audit.stamp", time.Minute, p.stampHead)
	p.bus.Every("documents.files", 6*time.Hour, p.checkFiles)
	p.bus.Every("httpx.sweep", time.Hour, func(ctx context.Context, _ json.RawMessage) error { return p.server.Sweep(ctx) })
	return p.bus.Open(ctx)
}

func (p *platform) routes(context.Context) error {
	if err := p.api(); err != nil {
		return err
	}
	return p.pages()
}

// api makes the server and registers every route of every module.
func (p *platform) api() error { return p.serverFor(p.identity, p.limits) }

func (p *platform) serverFor(sessions httpx.Authenticator, limits limit.Limiter) error {
	texts, err := catalogues()
	if err != nil {
		return err
	}
	p.server, err = httpx.New(p.serverOptions(sessions, limits, texts))
	if err != nil {
		return err
	}
	if err := identity.Routes(p.server, p.identity); err != nil {
		return err
	}
	scheduling.Routes(p.server, p.scheduling)
	consent.Routes(p.server, p.consent)
	words, err := encounters.Texts()
	if err != nil {
		return err
	}
	encounters.Routes(p.server, p.encounters, words)
	declared.Routes(p.server, p.declared)
	signaling.Routes(p.server, p.signaling)
	whip.Routes(p.server, p.whip)
	documents.Routes(p.server, p.documents)
	prescriptions.Routes(p.server, p.prescriptions)
	messaging.Routes(p.server, p.messaging)
	if err := p.refusalRoutes(); err != nil {
		return err
	}
	p.server.Mount(http.MethodGet, "/api/health", "system.health", p.health)
	p.server.Mount(http.MethodGet, "/api/health/live", "system.health", p.live)
	p.server.Mount(http.MethodGet, "/api/health/ready", "system.health", p.ready)
	return check.Routes(p.server, p.check)
}

func (p *platform) pages() error {
	files, err := web.Files()
	if err != nil {
		return err
	}
	app, err := loadPages(files)
	if err != nil {
		return err
	}
	p.server.Fallback(app.ServeHTTP)
	return nil
}

// settleWait is how long the app role waits for what its media roles hold before
// it lets anybody in.
const settleWait = 2 * time.Second

// start begins to deliver facts and to take sockets.
func (p *platform) start(ctx context.Context) error {
	p.watch()
	if err := p.refusals.Start(ctx); err != nil {
		return err
	}
	p.signaling.Start()
	if p.pool != nil {
		waiting, cancel := context.WithTimeout(ctx, settleWait)
		defer cancel()
		p.pool.Start(waiting, p.signaling)
	}
	return p.bus.Start(ctx)
}

// stop closes the live sockets: clients come back by themselves. Who asks whether
// this process takes work is told no from then on.
func (p *platform) stop(ctx context.Context) error {
	p.ending.Store(true)
	return p.signaling.Stop(ctx)
}

// close waits for running work until ctx ends, then closes everything.
func (p *platform) close(ctx context.Context) error {
	var errs []error
	p.unwatch()
	if p.refusals != nil && p.server != nil {
		errs = append(errs, p.refusals.Stop(ctx))
	}
	if p.bus != nil && p.server != nil {
		errs = append(errs, p.bus.Stop(ctx))
		p.keepLast(ctx)
	}
	if p.media != nil {
		errs = append(errs, p.media.Close(ctx))
	}
	if p.pool != nil {
		p.pool.Close()
	}
	if p.door != nil {
		errs = append(errs, p.door.Close())
	}
	return errors.Join(append(errs, p.foundation.close())...)
}
