package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"visavis/cmd/visavis/clinic"
	"visavis/internal/authz"
	"visavis/internal/config"
	"visavis/internal/lang"
	"visavis/internal/telemetry"
)

type clinicCmd struct {
	Apply   clinicApplyCmd   `cmd:"" help:"Make the database say what a file says about organisations, staff and weekly plans."`
	Show    clinicShowCmd    `cmd:"" help:"Print the present state, as a file that apply takes."`
	Example clinicExampleCmd `cmd:"" help:"Print a file to start from."`
}

type clinicApplyCmd struct {
	File   string `arg:"" help:"The file; - is the standard input."`
	DryRun bool   `help:"Say what would change, and change nothing."`
}

// errFile ends the command after its problems were printed.
var errFile = errors.New("the file is refused, nothing was changed")

// Run reads the file, refuses it whole or applies it whole, and prints what
// became of each thing. It may run beside the server.
func (c clinicApplyCmd) Run(ctx context.Context, cfg *config.Config) error {
	raw, err := readFile(c.File)
	if err != nil {
		return err
	}
	file, problems := clinic.Read(raw)
	if len(problems) > 0 {
		say, err := newSpeaker()
		if err != nil {
			return err
		}
		for _, p := range problems {
			fmt.Fprintf(os.Stderr, "%s:%d: %s\n", c.File, p.Line, say.problem(p))
		}
		return errFile
	}
	return atDesk(ctx, cfg, toBegin, func(ctx context.Context, d clinic.Desk) error {
		changes, err := d.Apply(ctx, file, c.DryRun)
		if err != nil {
			return fmt.Errorf("nothing was changed: %w", err)
		}
		count := map[clinic.Verb]int{}
		for _, ch := range changes {
			count[ch.Verb]++
			line := fmt.Sprintf("%-8s %-12s %s %s", ch.Verb, ch.Kind, ch.Key, ch.Name)
			if len(ch.Fields) > 0 {
				line += " (" + strings.Join(ch.Fields, ", ") + ")"
			}
			fmt.Println(line)
		}
		when := ""
		if c.DryRun {
			when = ", if it were applied"
		}
		fmt.Printf("%d created, %d changed, %d left as they were, %d not in the file%s\n",
			count[clinic.Created], count[clinic.Changed], count[clinic.Left], count[clinic.Unnamed], when)
		return nil
	})
}

type clinicShowCmd struct{}

// Run prints the clinic as it is.
func (clinicShowCmd) Run(ctx context.Context, cfg *config.Config) error {
	return atDesk(ctx, cfg, toRead, func(ctx context.Context, d clinic.Desk) error {
		f, err := d.Show(ctx)
		if err != nil {
			return err
		}
		raw, err := f.Write()
		if err == nil {
			_, err = os.Stdout.Write(raw)
		}
		return err
	})
}

type clinicExampleCmd struct{}

// Run prints the example.
func (clinicExampleCmd) Run() error {
	_, err := os.Stdout.Write(clinic.Example())
	return err
}

// atDesk opens what a clinic is kept in, and nothing else: no port, no job. The
// audit rows name the account of the machine.
func atDesk(ctx context.Context, cfg *config.Config, why purpose, do func(context.Context, clinic.Desk) error) error {
	f, err := lay(ctx, cfg, telemetry.NewLog(os.Stderr, cfg.LogJSON), why)
	if err != nil {
		return err
	}
	p := &platform{foundation: f}
	if err := errors.Join(p.say(ctx), p.directory(nil), p.acts(ctx)); err != nil {
		return errors.Join(err, f.close())
	}
	actor := authz.SystemActor()
	actor.Proof = "command line"
	if u, err := user.Current(); err == nil {
		actor.Proof += ", account " + u.Username
	}
	err = do(authz.With(ctx, actor), p.desk())
	return errors.Join(err, f.close())
}

// desk is where a clinic file is applied.
func (p *platform) desk() clinic.Desk {
	return clinic.Desk{DB: p.db, People: p.identity, Agenda: p.scheduling}
}

func readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(name)
}

// speaker says codes in the language of the terminal.
type speaker struct {
	language string
	texts    []*lang.Catalogue
}

func newSpeaker() (speaker, error) {
	s := speaker{language: "en"}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "fr") {
				s.language = "fr"
			}
			break
		}
	}
	var err error
	s.texts, err = catalogues()
	if err != nil {
		return s, err
	}
	own, err := ownTexts()
	s.texts = append(s.texts, own)
	return s, err
}

func (s speaker) problem(p clinic.Problem) string {
	text := "⟦" + p.Code + "⟧"
	for _, c := range s.texts {
		if _, ok := c.Lookup(s.language, "field."+p.Code); ok {
			text = c.T(s.language, "field."+p.Code, p.Args)
			break
		}
	}
	if p.Path == "" {
		return text
	}
	return p.Path + ": " + text
}
