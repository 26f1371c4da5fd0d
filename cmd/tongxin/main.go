// Command tongxin is the whole program: server, demonstration, maintenance and
// benchmarks.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the release build (-ldflags "-X main.version=…").
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command is one word of the command line.
type command struct {
	name, about string
	run         func(ctx context.Context, c *cli, args []string) error
}

// cli is what a command may use of the outside.
type cli struct {
	environ  []string
	out, err io.Writer
}

func commands() []command {
	return []command{
		{"serve", "run the program for production", serveCommand},
		{"demo", "run with the WeChat sandbox and a small demonstration organisation", demoCommand},
		{"migrate", "bring the database to this version", migrateCommand},
		{"admin", "create the first organisation and administrator, print an invitation link", adminCommand},
		{"check", "report on settings, database, audit chain and WeChat accounts", checkCommand},
		{"backup", "write a verified backup of database and pictures while running", backupCommand},
		{"restore", "restore a backup into an empty place", restoreCommand},
		{"rotate-keys", "seal stored secrets and personal data anew under the current key and algorithm", rotateCommand},
		{"sandbox", "run the WeChat sandbox as its own process", sandboxCommand},
		{"live", "token: print an address and a token for OBS or another program", liveCommand},
		{"load", "benchmarks: render, publish, write", loadCommand},
		{"openapi", "print the OpenAPI document of a surface: staff or member", openapiCommand},
		{"settings", "list every setting with its default", settingsCommand},
		{"version", "print the version", func(_ context.Context, c *cli, _ []string) error {
			_, err := fmt.Fprintln(c.out, "tongxin", version)
			return err
		}},
	}
}

// run is main without the process: tests call it. It returns the exit code.
func run(ctx context.Context, args, environ []string, out, errOut io.Writer) int {
	c := &cli{environ: environ, out: out, err: errOut}
	if len(args) > 0 {
		for _, cmd := range commands() {
			if cmd.name != args[0] {
				continue
			}
			err := cmd.run(ctx, c, args[1:])
			if err == nil || errors.Is(err, flag.ErrHelp) {
				return 0
			}
			fmt.Fprintln(errOut, "tongxin "+cmd.name+":", err)
			return 1
		}
		fmt.Fprintf(errOut, "tongxin: there is no command %q\n\n", args[0])
	}
	fmt.Fprintln(errOut, "Usage: tongxin <command>")
	for _, cmd := range commands() {
		fmt.Fprintf(errOut, "  %-11s %s\n", cmd.name, cmd.about)
	}
	return 2
}

// flags makes a flag set that reports errors instead of leaving.
func (c *cli) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(c.err)
	return f
}

func settingsCommand(_ context.Context, c *cli, _ []string) error {
	s := declare()
	for _, o := range s.set.Options() {
		def := o.Default
		if o.Secret {
			def = "(secret)"
		}
		if _, err := fmt.Fprintf(c.out, "TONGXIN_%-18s %-20s %s\n", o.Name, def, o.Doc); err != nil {
			return err
		}
	}
	return nil
}
