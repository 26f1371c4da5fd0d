package main

import (
	"context"
	"errors"
)

func loadCommand(ctx context.Context, c *cli, args []string) error {
	return errors.New("wip")
}

func backupCommand(ctx context.Context, c *cli, args []string) error  { return errors.New("wip") }
func restoreCommand(ctx context.Context, c *cli, args []string) error { return errors.New("wip") }
